//! A server that says what a test wants, and remembers what it heard. One request a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::client::DEADLINE;
use crate::payer::{MERCHANT, USDC};

/// A request as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What the seller does.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It says this.
    Says(Vec<u8>),
    /// It says nothing, and holds the line.
    Hangs,
    /// It says this, and hangs up before the end.
    Breaks(Vec<u8>),
}

type Script = dyn Fn(&Heard, usize) -> Reply + Send + Sync;

/// A server.
#[derive(Clone)]
pub(crate) struct Seller {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    heard: Arc<(Mutex<Vec<Heard>>, Condvar)>,
}

impl Seller {
    /// Starts a server that answers by a script: the request, and how many came before it.
    pub(crate) fn start(script: impl Fn(&Heard, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<(Mutex<Vec<Heard>>, Condvar)> = Arc::default();
        let (script, shared): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&heard));
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
                thread::spawn(move || serve(&mut stream.unwrap(), &*script, &shared));
            }
        });
        Self { address, url: format!("http://{address}"), heard }
    }

    /// Asks for payment until it is paid, then says `paid`.
    pub(crate) fn honest() -> Self {
        Self::start(|heard, _| match heard.payment() {
            Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
            None => Reply::Says(asks(&offer("10000", MERCHANT))),
        })
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.0.lock().unwrap().clone()
    }

    /// Waits until so many requests were heard.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Heard> {
        let (heard, changed) = &*self.heard;
        let (heard, late) =
            changed.wait_timeout_while(heard.lock().unwrap(), DEADLINE, |heard| heard.len() < count).unwrap();
        assert!(!late.timed_out(), "{} of {count} requests came: {heard:?}", heard.len());
        heard.clone()
    }

    /// The payments that were heard, decoded.
    pub(crate) fn payments(&self) -> Vec<Value> {
        self.heard().iter().filter_map(Heard::payment).collect()
    }
}

fn serve(stream: &mut TcpStream, script: &Script, shared: &(Mutex<Vec<Heard>>, Condvar)) {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // A peer that was killed in the middle is no request.
    let Some(request) = read(stream) else { return };
    let before = {
        let mut heard = shared.0.lock().unwrap();
        heard.push(request.clone());
        shared.1.notify_all();
        heard.len() - 1
    };
    match script(&request, before) {
        Reply::Says(bytes) | Reply::Breaks(bytes) => drop(stream.write_all(&bytes)),
        Reply::Hangs => {
            // Until the other side has gone.
            let _ = stream.set_read_timeout(None);
            let _ = stream.read(&mut [0]);
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Heard> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut chunk) {
            Ok(length) if length > 0 => bytes.extend_from_slice(&chunk[..length]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut body = bytes.split_off(end + 4);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).unwrap())
        .collect();
    let find = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let chunked = find("transfer-encoding") == Some("chunked");
    let length: usize = find("content-length").map_or(0, |length| length.parse().unwrap());
    while if chunked { !body.ends_with(b"0\r\n\r\n") } else { body.len() < length } {
        match stream.read(&mut chunk) {
            Ok(length) if length > 0 => body.extend_from_slice(&chunk[..length]),
            _ => return None,
        }
    }
    if chunked {
        body = unchunked(&body);
    }
    Some(Heard { method, target, headers, body })
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The payment of version 2 that it carries.
    pub(crate) fn payment(&self) -> Option<Value> {
        self.header("payment-signature").map(|value| x402_wire::header::decode(value).unwrap())
    }

    /// Everything but the payment.
    pub(crate) fn without_payment(&self) -> Self {
        let headers =
            self.headers.iter().filter(|(name, _)| !["payment-signature", "x-payment"].contains(&name.as_str()));
        Self { headers: headers.cloned().collect(), ..self.clone() }
    }
}

/// One way to pay, in version 2.
pub(crate) fn way(amount: &str, pay_to: &str) -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": amount, "asset": USDC, "payTo": pay_to,
        "maxTimeoutSeconds": 300, "extra": {"name": "USDC", "version": "2"},
    })
}

/// An offer of one way to pay.
pub(crate) fn offer(amount: &str, pay_to: &str) -> Value {
    json!({"x402Version": 2, "error": "Payment required", "resource": {"url": "http://a/b"}, "accepts": [way(amount, pay_to)]})
}

/// The value of a receipt that says success.
pub(crate) fn receipt(transaction: &str) -> String {
    x402_wire::header::encode(&json!({"success": true, "transaction": transaction, "network": "eip155:84532"}))
}

/// An answer.
pub(crate) fn says(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let fields: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let head = format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer 402 with an offer.
pub(crate) fn asks(offer: &Value) -> Vec<u8> {
    says("402 Payment Required", &[("payment-required", &x402_wire::header::encode(offer))], "{}")
}

/// An answer 200.
pub(crate) fn delivered(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    says("200 OK", headers, body)
}
