//! The socket: large heads and bodies, slow and idle clients, pipelines, framing.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::client::Request;
use crate::harness::{Mock, Test};
use crate::payer::{Payment, encoded, requirements};

const KIB: usize = 1024;

/// A request for `/a` whose head has exactly so many bytes.
fn head_of(size: usize) -> Vec<u8> {
    let bare = Request::get("/a").header("Cookie", "").bytes().len();
    let bytes = Request::get("/a").header("Cookie", "x".repeat(size - bare)).bytes();
    assert_eq!(bytes.len(), size);
    bytes
}

#[test]
fn a_head_of_16_kib_is_taken() {
    let mock = Test::new().start();
    for size in [15 * KIB, 16 * KIB] {
        let mut connection = mock.connect();
        connection.write(&head_of(size));
        connection.read().assert_status(402);
        connection.send(&Request::get("/a")).assert_status(402);
    }
}

#[test]
fn a_head_of_16_kib_is_taken_however_its_fields_are_written() {
    let mock = Test::new().start();
    let mut head = b"GET /a HTTP/1.1\r\nHost:api.test\r\n".to_vec();
    while head.len() < 16 * KIB - 150 {
        head.extend_from_slice(format!("a:{}\r\n", "x".repeat(120)).as_bytes());
    }
    let last = 16 * KIB - head.len() - "a:\r\n\r\n".len();
    head.extend_from_slice(format!("a:{}\r\n\r\n", "x".repeat(last)).as_bytes());
    assert_eq!(head.len(), 16 * KIB);
    let mut connection = mock.connect();
    connection.write(&head);
    connection.read().assert_status(402);
}

#[test]
fn a_head_of_more_than_16_kib_is_a_431_with_a_sentence() {
    let mock = Test::new().start();
    for size in [16 * KIB + 64, 20 * KIB, 40 * KIB, 63 * KIB] {
        let mut connection = mock.connect();
        connection.write(&head_of(size));
        let answer = connection.read();
        answer.assert_error(431, &["16384"]);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(connection.is_closed());
        mock.assert_serves();
    }
    let target = format!("/{}", "a".repeat(20 * KIB));
    mock.connect().send(&Request::get(target)).assert_error(431, &["16384"]);
    let payment = "A".repeat(30 * KIB);
    mock.connect().send(&Request::get("/a").header("PAYMENT-SIGNATURE", payment)).assert_error(431, &["16384"]);
    mock.assert_serves();
}

#[test]
fn a_head_beyond_64_kib_is_a_bare_431_and_one_beyond_256_kib_may_be_closed() {
    let mock = Test::new().start();
    for size in [66 * KIB, 100 * KIB, 200 * KIB] {
        let mut connection = mock.connect();
        connection.write(&head_of(size));
        let answer = connection.read();
        assert_eq!((answer.status, answer.text().as_str()), (431, ""), "{size}");
        assert!(connection.is_closed());
        mock.assert_serves();
    }
    let mut connection = mock.connect();
    connection.write(&head_of(4096 * KIB));
    if let Some(answer) = connection.try_read() {
        assert_eq!(answer.status, 431, "{answer:?}");
    }
    mock.assert_serves();
}

#[test]
fn as_many_header_fields_are_taken_as_fit_into_a_head() {
    let mock = Test::new().start();
    for number in [200, 900, 1_100] {
        let fields = (0..number).fold(Request::get("/a"), |request, index| request.header(&format!("x{index}"), "y"));
        mock.send(&fields).assert_status(402);
    }
    let same = (0..200).fold(Request::get("/a"), |request, _| request.header("x", "y"));
    mock.send(&same).assert_status(402);
    let mut smallest = b"GET /a HTTP/1.1\r\n".to_vec();
    smallest.extend_from_slice(&b"a:\r\n".repeat((16 * KIB - smallest.len() - 2) / 4));
    smallest.extend_from_slice(b"\r\n");
    let mut connection = mock.connect();
    connection.write(&smallest);
    connection.read().assert_status(402);
    let mut connection = mock.connect();
    connection.write(&[b"GET /a HTTP/1.1\r\n", b"a:\r\n".repeat(5_000).as_slice(), b"\r\n"].concat());
    assert_eq!(connection.read().assert_status(431).text(), "");
}

#[test]
fn a_target_beyond_64_kib_is_a_bare_414() {
    let mock = Test::new().start();
    for size in [66 * KIB, 200 * KIB] {
        let mut connection = mock.connect();
        connection.write(&Request::get(format!("/{}", "a".repeat(size))).bytes());
        assert_eq!(connection.read().assert_status(414).text(), "");
        assert!(connection.is_closed());
    }
    mock.assert_serves();
}

#[test]
fn a_slow_loris_is_closed_after_the_header_timeout() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    let started = Instant::now();
    connection.stream.write_all(b"GET /a HTTP/1.1\r\nHost: api.test\r\nX: ").unwrap();
    // The pace is that of a read that waits for nothing.
    connection.stream.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let mut byte = [0];
    loop {
        assert!(started.elapsed() < Duration::from_secs(15), "still open");
        match connection.stream.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if connection.stream.write_all(b"x").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    assert!(started.elapsed() > Duration::from_secs(5), "closed after {:?}", started.elapsed());
    mock.assert_serves();
}

#[test]
fn a_thousand_idle_connections_slow_nothing_down() {
    // The server takes this limit over from us.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let mock = Test::new().start();
    let mut idle: Vec<_> = (0..1_000).map(|_| mock.connect()).collect();
    let payment = encoded(&Payment::of(&mock.asked("/a")).v2());
    let asked = Instant::now();
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", payment)).assert_status(200);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    // They are not merely in the queue: the last of them is served too.
    idle.last_mut().unwrap().send(&Request::get("/a")).assert_status(402);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    let all: Vec<u8> = (0..20)
        .flat_map(|index| match index % 4 {
            3 => Request::post(format!("/p/{index}"), vec![b'x'; 1000]).bytes(),
            _ => Request::get(format!("/p/{index}")).bytes(),
        })
        .collect();
    connection.write(&all);
    for index in 0..20 {
        let answer = connection.read();
        assert_eq!(answer.assert_status(402).json()["invoice"]["resource_path"], format!("/p/{index}"));
    }
}

#[test]
fn a_payment_is_not_paid_twice_by_a_pipeline() {
    let mock = Test::new().start();
    let paid = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&Payment::of(&mock.asked("/a")).v2()));
    let mut connection = mock.connect();
    connection.write(&paid.bytes().repeat(5));
    assert_eq!(std::array::from_fn(|_| connection.read().status), [200, 402, 402, 402, 402]);
}

#[test]
fn the_body_of_an_unpaid_request_is_drained_up_to_1_mib() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    for size in [1, 64 * KIB, 1024 * KIB] {
        let answer = connection.send(&Request::post("/a", vec![b'x'; size]));
        assert_eq!(answer.assert_status(402).header("connection"), None, "{size}");
    }
    connection.send(&Request::get("/a")).assert_status(402);
}

#[test]
fn a_larger_body_is_answered_and_closed() {
    let mock = Test::new().start();
    for size in [1024 * KIB + 1, 8 * 1024 * KIB] {
        let mut connection = mock.connect();
        let answer = connection.send(&Request::post("/a", vec![b'x'; size]));
        assert_eq!(answer.assert_status(402).offer()["error"], "Payment required");
        assert_eq!(answer.header("connection"), Some("close"), "{size}");
        connection.read_to_end();
        mock.assert_serves();
    }
    // One that is announced and never sent is answered without waiting for it.
    let mut connection = mock.connect();
    connection.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n");
    connection.write(&vec![b'x'; 1100 * KIB]);
    connection.read().assert_status(402);
    mock.assert_serves();
}

#[test]
fn expect_100_continue_is_obeyed() {
    let mock = Test::new().start();
    let body = Payment::of(&requirements()).request().to_string();
    for (path, status) in [("/a", 402), ("/settle", 200)] {
        let mut connection = mock.connect();
        let length = body.len().to_string();
        let head = Request::new("POST", path).header("Expect", "100-continue").header("Content-Length", length);
        connection.write(&head.bytes());
        connection.read().assert_status(100);
        connection.write(body.as_bytes());
        connection.read().assert_status(status);
        connection.send(&Request::get("/a")).assert_status(402);
    }
}

#[test]
fn a_chunked_unpaid_body_is_drained() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    let body = format!("{}0\r\nTrailer: x\r\n\r\n", "400\r\n".to_owned() + &"x".repeat(0x400) + "\r\n");
    let request = Request::post("/a", body).header("Transfer-Encoding", "chunked");
    for _ in 0..3 {
        connection.send(&request).assert_status(402);
    }
}

#[test]
fn wrong_framing_is_refused_or_closed() {
    let mock = Test::new().start();
    for head in [
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ] {
        assert_no_harm(&mock, head.as_bytes(), &[400, 402, 413, 501]);
    }
}

/// Whatever these bytes get is one of these answers, or the connection is closed: never a 500, never a hang.
#[track_caller]
pub(crate) fn assert_no_harm(mock: &Mock, bytes: &[u8], allowed: &[u16]) {
    let mut connection = mock.connect();
    connection.write(bytes);
    connection.finish_sending();
    while let Some(answer) = connection.try_read() {
        assert!(allowed.contains(&answer.status), "{:?}: {answer:?}", String::from_utf8_lossy(bytes));
    }
    mock.assert_serves();
}
