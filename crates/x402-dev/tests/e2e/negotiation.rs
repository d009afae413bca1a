//! Who asks, and where: the page for browsers, `Host`, forwarded headers.

use std::process::Command;

use crate::client::Request;
use crate::harness::{Mock, Test};

const MOZILLA: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

fn from_browser(target: impl AsRef<[u8]>) -> Request {
    Request::get(target).header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8").header("User-Agent", MOZILLA)
}

/// `resource.url` of version 2 and `resource` of version 1.
#[track_caller]
fn urls(mock: &Mock, request: &Request) -> [String; 2] {
    let answer = mock.send(request);
    let (offer, body) = (answer.assert_status(402).offer(), answer.json());
    [&offer["resource"]["url"], &body["accepts"][0]["resource"]].map(|url| url.as_str().unwrap().to_owned())
}

#[test]
fn a_browser_gets_a_page_with_the_same_headers() {
    let mock = Test::new().start();
    let answer = mock.send(&from_browser("/news?id=1"));
    assert!(answer.assert_status(402).header("content-type").unwrap().starts_with("text/html"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.offer()["resource"]["url"], "http://api.test/news?id=1");
    assert!(answer.header("www-authenticate").unwrap().starts_with("x402-solana "));
    let page = answer.text();
    for part in ["402 Payment Required", "http://api.test/news?id=1", "0.01 USDC", "Base Sepolia", "curl"] {
        assert!(page.contains(part), "`{part}` is not in:\n{page}");
    }
}

#[test]
fn only_accept_and_user_agent_together_make_a_browser() {
    let mock = Test::new().start();
    for (accept, agent) in [
        ("text/html", "curl/8"),
        ("*/*", MOZILLA),
        ("application/json", MOZILLA),
        ("TEXT/HTML", MOZILLA),
        ("text/html", "mozilla"),
    ] {
        let answer = mock.send(&Request::get("/a").header("Accept", accept).header("User-Agent", agent));
        assert_eq!(answer.assert_status(402).header("content-type"), Some("application/json"), "{accept} {agent}");
    }
}

#[test]
fn a_browser_whose_payment_is_refused_gets_json() {
    let mock = Test::new().start();
    let answer = mock.send(&from_browser("/a").header("PAYMENT-SIGNATURE", "AAAA"));
    assert_eq!((answer.status, answer.text().as_str()), (402, "{}"));
}

#[test]
fn nothing_of_the_request_becomes_markup() {
    let mock = Test::new().start();
    for target in ["/a\"onload=alert(1)", "/a'--$(touch${IFS}x)", "/%3Cscript%3E", "/a?b=%22%3E&c='\""] {
        let mut connection = mock.connect();
        let Some(answer) = ({
            connection.write(&from_browser(target).bytes());
            connection.try_read()
        }) else {
            continue;
        };
        assert!([400, 402].contains(&answer.status), "{target}: {answer:?}");
        let page = answer.text();
        assert!(!page.contains("\"onload") && !page.contains("<script") && !page.contains("'$("), "{target}:\n{page}");
        mock.assert_serves();
    }
}

#[test]
fn the_pages_curl_line_works_when_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let mock = Test::new().start();
    let host = mock.address.to_string();
    for target in ["/news?id=1&x=%27", "/a'b"] {
        let answer = mock.send(&from_browser(target).header("Host", &host));
        let page = answer.assert_status(402).text();
        let line = page.split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap();
        let script = line.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("invoice: nothing was signed"), "{script}: {output:?}");
    }
}

#[test]
fn the_resource_is_built_from_host_with_the_query_in_version_2_only() {
    let mock = Test::new().start();
    for (host, expected) in [("api.test", "api.test"), ("api.test:8080", "api.test:8080"), ("[::1]:3402", "[::1]:3402")]
    {
        let request = Request::get("/a/b?c=d&e").header("Host", host);
        assert_eq!(urls(&mock, &request), [format!("http://{expected}/a/b?c=d&e"), format!("http://{expected}/a/b")]);
    }
}

#[test]
fn a_missing_or_hostile_host_gives_the_bound_address() {
    let mock = Test::new().start();
    let bound = format!("http://{}/a", mock.address);
    for host in ["", "a b", "a/b", "x\"><script>", "a\\b", "user@evil.test", &"a".repeat(300), "a?b", "a#b"] {
        assert_eq!(urls(&mock, &Request::get("/a").header("Host", host)), [bound.clone(), bound.clone()], "{host}");
    }
    let mut connection = mock.connect();
    connection.write(b"GET /a HTTP/1.1\r\n\r\n");
    let answer = connection.read();
    assert_eq!(answer.assert_status(402).offer()["resource"]["url"], bound);
    connection.write(b"GET /a HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n");
    let answer = connection.read();
    assert_eq!(answer.assert_status(402).offer()["resource"]["url"], bound);
    mock.assert_serves();
}

#[test]
fn a_host_is_no_list() {
    let mock = Test::new().start();
    let bound = format!("http://{}/a", mock.address);
    for host in ["good.test, evil.test", "a,b/c", ",a"] {
        assert_eq!(urls(&mock, &Request::get("/a").header("Host", host)), [bound.clone(), bound.clone()], "{host}");
    }
}

#[test]
fn a_url_can_be_parsed_whatever_the_host_was() {
    let mock = Test::new().start();
    for host in ["[[[", "::::", "]", "a:b:c", "..", "-", ":80", "a:99999"] {
        for url in urls(&mock, &Request::get("/a").header("Host", host)) {
            let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}"));
            let authority = rest.split('/').next().unwrap();
            assert!(is_authority(authority), "Host `{host}` gives a resource that is no URL: {url}");
        }
    }
}

/// Whether a text is `host` or `host:port` with a host that URL parsers take.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((inside, port)) = rest.split_once(']') else { return false };
            if inside.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", port.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    !host.is_empty() && port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok())
}

#[test]
fn forwarded_headers_are_ignored_unless_configured() {
    let request = || {
        let request = Request::get("/a?b").header("X-Forwarded-Proto", "https");
        request.header("X-Forwarded-Host", "shop.test:8443, proxy.test")
    };
    let ignoring = Test::new().start();
    assert_eq!(urls(&ignoring, &request()), ["http://api.test/a?b", "http://api.test/a"]);
    let trusting = Test::new().config("server: {forwarded_headers: trust}").start();
    assert_eq!(urls(&trusting, &request()), ["https://shop.test:8443/a?b", "https://shop.test:8443/a"]);
    assert_eq!(urls(&trusting, &Request::get("/a")), ["http://api.test/a"; 2]);
    // A hostile one is as bad as a hostile Host.
    let hostile = Request::get("/a").header("X-Forwarded-Host", "a/b");
    assert_ne!(urls(&trusting, &hostile)[0], "http://a/b/a");
    let only_proto = Request::get("/a").header("X-Forwarded-Proto", "javascript");
    assert_eq!(urls(&trusting, &only_proto), ["http://api.test/a"; 2]);
}

#[test]
fn the_standard_forwarded_header_is_understood_where_it_is_trusted() {
    let trusting = Test::new().config("server: {forwarded_headers: trust}").start();
    let request = Request::get("/a").header("Forwarded", "for=1.2.3.4;host=shop.test;proto=https");
    assert_eq!(urls(&trusting, &request), ["https://shop.test/a"; 2]);
}
