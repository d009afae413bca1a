//! A door before a mock's Solana cluster: it hears every call, and can hold one back, before the chain hears it or after.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use x402_sim::networks::solana::DEVNET;

use crate::client::{Connection, Request};
use crate::harness::Mock;
use crate::seller::{Heard, Reply, Seller, says};

/// When a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The chain does not hear it.
    Before,
    /// The chain has heard it, and the answer is held.
    After,
}

/// The door.
pub(crate) struct Gate {
    pub(crate) url: String,
    seller: Seller,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    open: Arc<AtomicBool>,
}

impl Gate {
    /// A door that holds the `nth` call of a method, counted from 1, and every later one, until it is opened.
    pub(crate) fn hold(mock: &Mock, method: &'static str, nth: usize, held: Held) -> Self {
        let calls: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let open = Arc::new(AtomicBool::new(false));
        let (heard_calls, is_open, address) = (Arc::clone(&calls), Arc::clone(&open), mock.address);
        let seller = Seller::start(move |heard, _| {
            let call: Value = serde_json::from_slice(&heard.body).unwrap();
            let name = call["method"].as_str().unwrap().to_owned();
            let count = {
                let mut calls = heard_calls.lock().unwrap();
                calls.push((name.clone(), call["params"].clone()));
                calls.iter().filter(|(own, _)| *own == method).count()
            };
            let is_held = name == method && count >= nth && !is_open.load(Ordering::SeqCst);
            if is_held && held == Held::Before {
                return Reply::Hangs;
            }
            let answer = forward(address, &heard.body);
            if is_held { Reply::Hangs } else { Reply::Says(says("200 OK", &[], answer)) }
        });
        Self { url: seller.url.clone(), seller, calls, open }
    }

    /// A door that holds nothing.
    pub(crate) fn open(mock: &Mock) -> Self {
        Self::hold(mock, "nothing", 1, Held::Before)
    }

    /// Holds nothing any more.
    pub(crate) fn release(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    /// Waits until the `nth` call of a method was heard.
    pub(crate) fn wait_for(&self, method: &str, nth: usize) {
        let quoted = format!("\"method\":\"{method}\"");
        let is_it = |heard: &&Heard| String::from_utf8_lossy(&heard.body).contains(&quoted);
        let mut count = 1;
        loop {
            let heard = self.seller.wait_for(count);
            if heard.iter().filter(is_it).count() >= nth {
                return;
            }
            count = heard.len() + 1;
        }
    }

    /// The transactions that were sent, each as often as it was.
    pub(crate) fn sent(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let sent = calls.iter().filter(|(method, _)| method == "sendTransaction");
        sent.map(|(_, params)| params[0].as_str().unwrap().to_owned()).collect()
    }
}

fn forward(address: SocketAddr, body: &[u8]) -> Vec<u8> {
    let request = Request::post(format!("/_x402/rpc/{DEVNET}"), body).header("Content-Type", "application/json");
    Connection::open(address).send(&request.header("Host", address.to_string())).body
}

/// A call of the mock's own door.
pub(crate) fn rpc(mock: &Mock, method: &str, params: &Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let answer: Value = serde_json::from_slice(&forward(mock.address, body.as_bytes())).unwrap();
    answer["result"].clone()
}
