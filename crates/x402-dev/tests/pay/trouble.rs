//! Files that cannot be written: before anything is paid an error like any other, afterwards never a word that nothing was
//! sent; and what is no regular file is not replaced.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};

use crate::buyer::Buyer;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

#[test]
fn a_trace_that_cannot_be_written_stops_everything_before_it_is_sent() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    buyer.pay(&[&seller.url, "--trace", "no/such/t.har"]).assert(73, &["cannot write", "no/such/t.har"]);
    assert!(seller.heard().is_empty() && !buyer.journal().exists());
    // A trace that fails later is no more than a trace.
    let run = buyer.pay(&[&seller.url, "--trace", "/dev/full"]);
    run.assert(0, &["warning: cannot write the trace to /dev/full", "paid 0.01 USDC"]);
    assert_eq!((run.text().as_str(), seller.payments().len()), ("paid", 1));
}

#[test]
fn content_that_was_paid_and_cannot_be_written_is_an_unknown_outcome() {
    let seller = Seller::honest();
    for args in [&[][..], &["--json"]] {
        let buyer = Buyer::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_x402-dev"));
        command.args(["pay", &seller.url]).args(args).env_clear().env("X402_DEV_HOME", buyer.path("home"));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{args:?}: {stderr}");
        let purchase = buyer.purchase();
        for part in
            ["was paid for, or may have been", "delivered", "cannot write stdout", purchase["id"].as_str().unwrap()]
        {
            assert!(stderr.contains(part), "{args:?}: {part} is not in: {stderr}");
        }
        assert!(purchase["ending"].is_null(), "nobody has the content: it is still open");
    }
    let buyer = Buyer::new();
    symlink("/dev/full", buyer.path("full")).unwrap();
    buyer.pay(&[&seller.url, "-o", "full"]).assert(4, &["cannot write", "was paid for", "--resume pay_"]);
}

#[test]
fn a_journal_that_cannot_be_written_any_more_does_not_say_that_nothing_was_sent() {
    // The journal's place is gone when the answer comes.
    let home = tempfile::tempdir().unwrap();
    let journal = home.path().join("purchases");
    let seller = Seller::start(move |heard, _| {
        if heard.payment().is_none() {
            return Reply::Says(asks(&offer("10000", MERCHANT)));
        }
        fs::remove_dir_all(&journal).unwrap();
        Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid"))
    });
    let run = Buyer::at_home(home.path()).pay(&[&seller.url]);
    run.assert(4, &["was paid for, or may have been", "cannot use the journal of purchases"]);
}

#[test]
fn links_devices_and_pipes_are_written_into_and_not_replaced() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    buyer.file("real", "before");
    fs::set_permissions(buyer.path("real"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real", buyer.path("link")).unwrap();
    symlink("new", buyer.path("dangling")).unwrap();
    symlink("/dev/null", buyer.path("null")).unwrap();
    for (name, target) in [("link", "real"), ("dangling", "new"), ("null", "/dev/null")] {
        buyer.pay(&[&seller.url, "-o", name]).assert(0, &["paid 0.01 USDC"]);
        assert_eq!(fs::read_link(buyer.path(name)).unwrap().to_str(), Some(target));
    }
    assert_eq!([fs::read(buyer.path("real")).unwrap(), fs::read(buyer.path("new")).unwrap()], [b"paid"; 2]);
    assert_eq!(buyer.path("real").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    let pipe = buyer.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    buyer.pay(&[&seller.url, "-o", "pipe"]).assert(0, &["paid 0.01 USDC"]);
    assert_eq!(reader.join().unwrap(), b"paid");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    let left: Vec<_> = fs::read_dir(buyer.path(".")).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("draft")), "{left:?}");
}

#[test]
fn large_content_is_printed_for_programs_by_and_by() {
    use base64::Engine as _;
    let large: Vec<u8> = (0..17 * 1024 * 1024_u32).map(|index| (index >> 5).to_le_bytes()[0]).collect();
    let expected = large.clone();
    let seller = Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("200 OK", &[("payment-response", &receipt("0x1"))], &large)),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let report = Buyer::new().report(&[&seller.url]);
    let content = base64::engine::general_purpose::STANDARD.decode(report["bodyBase64"].as_str().unwrap()).unwrap();
    assert!(report["exit"] == 0 && content == expected);
}

#[test]
fn an_unknown_outcome_is_named_in_spite_of_q() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Breaks(Vec::new()),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url, "-q", "--retry", "0"]);
    run.assert(4, &["outcome unknown", buyer.purchase()["id"].as_str().unwrap()]);
}
