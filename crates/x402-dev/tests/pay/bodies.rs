//! The paid request is the first request with a payment: method, target, header fields and body.

use crate::buyer::Buyer;
use crate::seller::Seller;

/// Pays, and compares the two requests that the seller heard.
#[track_caller]
fn same(args: &[&str], stdin: &[u8], buyer: &Buyer) -> crate::seller::Heard {
    let seller = Seller::honest();
    let url = format!("{}/path/%2e/x?q=1&q=%20", seller.url);
    let run = buyer.pay_reading(&[&[url.as_str()], args].concat(), stdin);
    assert_eq!((run.code, run.text().as_str()), (Some(0), "paid"), "{run:?}");
    let heard = seller.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!((heard[0].payment(), heard[1].payment().is_some()), (None, true));
    assert_eq!(heard[1].without_payment(), heard[0]);
    assert_eq!(heard[0].target, "/path/%2e/x?q=1&q=%20");
    heard[0].clone()
}

#[test]
fn bodies_of_every_size_and_method_are_repeated_byte_for_byte() {
    let buyer = Buyer::new();
    let large: Vec<u8> = (0..1_048_576_u32).map(|index| ((index * 31) >> 3).to_le_bytes()[0]).collect();
    buyer.file("large", &large);
    buyer.file("small", [0xff]);
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "QUERY"] {
        for (args, stdin, body) in [
            (&["-d", "x"][..], &b""[..], &b"x"[..]),
            (&["--data", "@small"], b"", b"\xff"),
            (&["--data", "@large"], b"", &large),
            (&["-d", "@-"], &large, &large),
            (&["-d", "@-", "-H", "Transfer-Encoding: chunked"], &large, &large),
            (&["-d", "@-"], b"a\r\n\0b", b"a\r\n\0b"),
            (&["-d", ""], b"", b""),
        ] {
            let heard = same(&[&["-X", method], args].concat(), stdin, &buyer);
            assert!(heard.body == body, "{method} {args:?}: {} bytes", heard.body.len());
            assert_eq!(heard.method, method);
            assert_eq!(heard.header("transfer-encoding").is_some(), args.len() > 2 && stdin.len() > 9);
        }
    }
}

#[test]
fn header_fields_and_forms_are_those_of_the_command_line() {
    let buyer = Buyer::new();
    let form = same(&["-d", "a=1", "-d", "b=2"], b"", &buyer);
    assert_eq!((form.method.as_str(), form.body.as_slice()), ("POST", &b"a=1&b=2"[..]));
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));
    let json = same(&["--json", "{\"a\": 1}", "-H", "X-Two: 1", "-H", "X-Two: 2", "-H", "User-Agent: me"], b"", &buyer);
    assert_eq!((json.method.as_str(), json.body.as_slice()), ("POST", &b"{\"a\": 1}"[..]));
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.headers.iter().filter(|(name, _)| name == "x-two").count(), 2);
    assert_eq!(json.header("user-agent"), Some("me"));
    let bare = same(&[], b"", &buyer);
    assert_eq!((bare.method.as_str(), bare.header("content-length")), ("GET", None));
    let empty = same(&["-X", "POST"], b"", &buyer);
    assert_eq!(empty.header("content-length"), Some("0"));
}

#[test]
fn a_body_that_cannot_be_read_or_kept_is_refused_before_anything_is_sent() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    buyer.pay(&[&seller.url, "-d", "@nothing"]).assert(64, &["cannot read the body from nothing"]);
    let giant = std::fs::File::create(buyer.path("giant")).unwrap();
    giant.set_len(65 * 1024 * 1024).unwrap();
    buyer.pay(&[&seller.url, "-d", "@giant"]).assert(64, &["giant is larger than 64 MiB"]);
    assert!(seller.heard().is_empty());
}
