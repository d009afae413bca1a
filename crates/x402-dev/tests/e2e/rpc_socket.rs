//! The WebSocket of a chain: calls, subscriptions, frames that make no sense, readers that do not read.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{DEADLINE, Request};
use crate::fault_hand::{add, advance, reset};
use crate::harness::{Mock, Test};
use crate::rpc_cells::{CHAIN, answered, call, transfer};

/// A WebSocket, written by hand: a test sends exactly the bytes it means.
struct Socket(TcpStream);

impl Socket {
    fn open(mock: &Mock) -> Self {
        let mut stream = TcpStream::connect(mock.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!(
            "GET {CHAIN} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            mock.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.starts_with("HTTP/1.1 101"), "{seen}");
        assert!(seen.to_lowercase().contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{seen}");
        Self(stream)
    }

    /// Sends a frame; its mask is zero, so that its bytes are its text.
    fn send(&mut self, opcode: u8, text: &[u8]) {
        let mut frame = Vec::new();
        Self::frame_into(&mut frame, opcode, text);
        self.0.write_all(&frame).unwrap();
    }

    fn frame_into(frame: &mut Vec<u8>, opcode: u8, text: &[u8]) {
        let length = u16::try_from(text.len()).unwrap();
        frame.push(0x80 | opcode);
        if let Ok(short @ ..126) = u8::try_from(length) {
            frame.push(0x80 | short);
        } else {
            frame.push(0x80 | 0x7e);
            frame.extend(length.to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(text);
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let text = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).to_string();
        self.send(1, text.as_bytes());
        self.read()
    }

    /// The next text.
    fn read(&mut self) -> Value {
        let (opcode, text) = self.frame();
        assert_eq!(opcode, 1, "{}", String::from_utf8_lossy(&text));
        serde_json::from_slice(&text).unwrap()
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).unwrap();
        (head[0] & 0x0f, text)
    }

    /// Whether the server ends the connection, after whatever else it says.
    fn ends(mut self) -> bool {
        match self.0.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn a_socket_answers_calls_and_tells_heads_and_logs_until_it_is_told_not_to() {
    let mock = Test::new().start();
    let mut socket = Socket::open(&mock);
    assert_eq!(socket.ask("eth_chainId", &json!([]))["result"], "0x14a34");
    assert_eq!(socket.ask("eth_subscribe", &json!(["newHeads"]))["result"], "0x1");
    assert_eq!(socket.ask("eth_subscribe", &json!(["logs", {"topics": []}]))["result"], "0x2");
    let raw = json!([transfer(0).raw.to_string()]);
    assert_eq!(answered(&mock, &call("eth_sendRawTransaction", &raw))["result"], transfer(0).hash.to_string());
    let head = socket.read();
    assert_eq!((&head["method"], &head["params"]["subscription"]), (&json!("eth_subscription"), &json!("0x1")));
    assert_eq!(head["params"]["result"]["number"], "0x1");
    let log = socket.read();
    assert_eq!(log["params"]["result"]["transactionHash"], transfer(0).hash.to_string());
    assert_eq!(socket.ask("eth_unsubscribe", &json!(["0x1"]))["result"], true);
    assert_eq!(socket.ask("eth_unsubscribe", &json!(["0x1"]))["result"], false);
    assert_eq!(socket.ask("eth_subscribe", &json!(["weather"]))["error"]["code"], -32602);
    // Over HTTP there is nobody to be told.
    assert_eq!(answered(&mock, &call("eth_subscribe", &json!(["newHeads"])))["error"]["code"], -32601);
}

/// As a node tells it after its chain was reorganised.
#[test]
fn a_log_that_is_undone_is_told_once_more_as_removed() {
    let mock = Test::new().start();
    reset(&mock);
    let mut socket = Socket::open(&mock);
    socket.ask("eth_subscribe", &json!(["logs", {}]));
    add(&mock, &json!({"stage": "settle", "effect": "reverted:10s", "match": {"door": "rpc"}, "times": 1}));
    for nonce in 0..2 {
        let raw = json!([transfer(nonce).raw.to_string()]);
        assert!(answered(&mock, &call("eth_sendRawTransaction", &raw))["result"].is_string());
    }
    let [first, second] = [socket.read(), socket.read()];
    assert_eq!(
        (&first["params"]["result"]["removed"], &second["params"]["result"]["removed"]),
        (&json!(false), &json!(false))
    );
    advance(&mock, 10_000);
    let mut removed = first["params"]["result"].clone();
    removed["removed"] = json!(true);
    assert_eq!(socket.read()["params"]["result"], removed);
    // And nothing else was.
    let raw = json!([transfer(2).raw.to_string()]);
    assert!(answered(&mock, &call("eth_sendRawTransaction", &raw))["result"].is_string());
    assert_eq!(socket.read()["params"]["result"]["transactionHash"], transfer(2).hash.to_string());
}

#[test]
fn garbage_is_answered_or_ends_the_socket_and_nobody_else_notices() {
    let mock = Test::new().start();
    let mut socket = Socket::open(&mock);
    for (text, code) in [("{", -32700), ("[]", -32600), ("7", -32600), (r#"{"jsonrpc":"2.0"}"#, -32600)] {
        socket.send(1, text.as_bytes());
        assert_eq!(socket.read()["error"]["code"], code, "{text}");
    }
    socket.send(2, json!({"jsonrpc": "2.0", "id": 1, "method": "net_version"}).to_string().as_bytes());
    assert_eq!(socket.read()["result"], "84532");
    socket.send(9, b"ping");
    assert_eq!(socket.frame(), (10, b"ping".to_vec()));
    for garbage in [&[0xff; 64][..], b"\x81\x01a", b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", b"\xc1\x80\0\0\0\0"] {
        let mut socket = Socket::open(&mock);
        socket.0.write_all(garbage).unwrap();
        assert!(socket.ends(), "{garbage:?}");
    }
    let mut socket = Socket::open(&mock);
    // A text that is no UTF-8.
    socket.send(1, b"\xff\xfe");
    assert!(socket.ends());
    mock.assert_serves();
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up() {
    let mock = Test::new().start();
    let mut idle = Socket::open(&mock);
    assert_eq!(idle.ask("eth_subscribe", &json!(["newHeads"]))["result"], "0x1");
    // More than the buffers of the connection hold.
    let text = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", true]});
    let batch = json!(vec![text; 200]).to_string();
    let mut frames = Vec::new();
    for _ in 0..400 {
        Socket::frame_into(&mut frames, 1, batch.as_bytes());
    }
    idle.0.set_nonblocking(true).unwrap();
    let mut rest = frames.as_slice();
    // Until neither side takes more, or all of it is on its way.
    while let Ok(written @ 1..) = idle.0.write(rest) {
        rest = &rest[written..];
    }
    for nonce in 0..20 {
        let raw = json!([transfer(nonce).raw.to_string()]);
        assert!(answered(&mock, &call("eth_sendRawTransaction", &raw))["result"].is_string());
    }
    mock.send(&Request::get("/health")).assert_status(200);
}

#[test]
fn a_socket_ends_with_the_server() {
    let mut mock = Test::new().start();
    let mut socket = Socket::open(&mock);
    assert_eq!(socket.ask("eth_chainId", &json!([]))["result"], "0x14a34");
    mock.stop(rustix::process::Signal::TERM);
    assert!(socket.ends());
}
