//! `kill -9` of the buyer at the end: when the content is handed over and the journal is not closed, and at every step of
//! `--resume --again`. Never more than one authorization that lives, never more than one settlement.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Instant;

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::client::DEADLINE;
use crate::doubt::{END, NOW, chain};
use crate::fault_hand::{add, admin, advance, events, newest, reset, settlements};
use crate::harness::{Mock, Test};
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

/// More than a pipe takes at once, in bytes.
const LARGE: usize = 200 * 1024;

/// A mock that sells a large text.
fn mock() -> Mock {
    let config = format!("resources: [{{match: /a, response: {{text: {}}}}}]", "x".repeat(LARGE));
    Test::new().config(&config).start()
}

fn pipe(path: PathBuf) -> PathBuf {
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Waits until something is so.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < DEADLINE, "it is not so");
        std::thread::yield_now();
    }
}

/// Sees in the journal that one authorization lives at most, and gives how many there are.
#[track_caller]
fn one_lives(purchase: &Value) -> usize {
    let authorizations = purchase["authorizations"].as_array().unwrap();
    let alive = authorizations.iter().filter(|own| own["dead"].is_null()).count();
    assert_eq!(alive, 1, "{purchase}");
    assert!(authorizations.last().unwrap()["dead"].is_null(), "{purchase}");
    authorizations.len()
}

/// How many settlements the event stream holds.
fn settled(mock: &Mock, since: u64) -> usize {
    events(mock, since).iter().filter(|event| event["kind"] == "settled").count()
}

#[test]
fn content_that_came_is_not_paid_for_again_where_the_book_was_not_closed() {
    let (mock, buyer) = (mock(), Buyer::new());
    let url = format!("{}/a", mock.url);
    let since = newest(&mock);
    let (content, mut taken) = (pipe(buyer.path("content")), vec![0; LARGE]);
    let running = buyer.start(&[&url, "-o", "content", "--as", "alice"]);
    let mut reader = File::open(content).unwrap();
    // When the first byte comes, all answers are written down, and the rest waits for a reader.
    reader.read_exact(&mut taken[..1]).unwrap();
    let before = buyer.purchase();
    assert_eq!(before["authorizations"][0]["answers"], json!(["delivered"]));
    let draft = pipe(buyer.journal().join(before["id"].as_str().unwrap()).join("entry.draft"));
    reader.read_exact(&mut taken[1..]).unwrap();
    running.kill();
    assert!(taken.iter().all(|byte| *byte == b'x'));
    fs::remove_file(draft).unwrap();
    assert!(buyer.purchase()["ending"].is_null() && one_lives(&buyer.purchase()) == 1);
    buyer.pay(&[&url, "--as", "alice"]).assert(4, &["has no known end"]);
    let rpc = format!("{}/_x402/rpc/eip155:84532", mock.url);
    let report = buyer.report(&["--resume", "--retry-delay", "0", "--rpc", &rpc]);
    assert_eq!((report["exit"].as_i64(), one_lives(&buyer.purchase())), (Some(4), 1), "{report}");
    assert!(report["message"].as_str().unwrap().contains("and the content came before"), "{report}");
    assert_eq!((settlements(&mock), settled(&mock, since)), (1, 1), "{report}");
    assert_eq!(report["chain"]["fate"], "used", "{report}");
}

#[test]
fn an_end_that_is_written_stays_the_end() {
    let (mock, buyer) = (mock(), Buyer::new());
    let url = format!("{}/a", mock.url);
    let since = newest(&mock);
    fs::create_dir_all(buyer.journal()).unwrap();
    let history = buyer.journal().join("history.jsonl");
    // Whoever holds the history lets nobody add a line.
    let held = File::create(&history).unwrap();
    held.lock().unwrap();
    let running = buyer.start(&[&url, "-o", "content", "--as", "alice"]);
    until(|| buyer.open().iter().any(|own| own["ending"] == "delivered"));
    running.kill();
    drop(held);
    assert_eq!(fs::read(buyer.path("content")).unwrap().len(), LARGE);
    assert_eq!((fs::read(&history).unwrap().len(), buyer.open().len()), (0, 1));
    buyer.pay(&["--resume"]).assert(0, &["nothing is open"]);
    let ended = buyer.ended();
    assert_eq!((ended.len(), ended[0]["ending"].as_str(), buyer.open().len()), (1, Some("delivered"), 0));
    assert_eq!((one_lives(&ended[0]), settlements(&mock), settled(&mock, since)), (1, 1, 1));
}

#[test]
fn going_on_with_another_authorization_can_be_killed_at_every_step() {
    let mock = Test::new().start();
    // Where the buyer is killed, how many authorizations the journal holds then, and what settles them in the end.
    for (stage, timing, signed) in [
        // While the old one is presented; while the offer is asked for; before the new one is settled, and after.
        ("verify", "before", 1),
        ("offer", "before", 1),
        ("settle", "before", 2),
        ("settle", "after", 2),
        ("response", "before", 2),
    ] {
        let (buyer, name) = (Buyer::new(), format!("{stage} {timing}"));
        reset(&mock);
        admin(&mock, "POST", "/clock/resume", None);
        let since = newest(&mock);
        let rpc = format!("{}/_x402/rpc/eip155:84532", mock.url);
        let fault = |stage: &str, timing: &str| {
            let match_ = json!({"door": "resources"});
            add(&mock, &json!({"stage": stage, "timing": timing, "effect": "delay:1h", "match": match_}));
        };
        let wait = |since: u64| {
            let wait = json!({"filter": {"kind": "faulted"}, "since": since, "count": 1, "timeout_ms": 15_000});
            admin(&mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
        };
        // The first one is signed, and nobody settles it.
        fault("verify", "before");
        let running = buyer.start(&[&format!("{}/a", mock.url), "--as", "alice"]);
        wait(since);
        running.kill();
        admin(&mock, "DELETE", "/faults", None);
        let old = buyer.purchase();
        assert_eq!(one_lives(&old), 1, "{name}");
        // Its end is long past, for the chain as well.
        advance(&mock, 400_000);
        let clock = admin(&mock, "GET", "/clock", None).assert_status(200).json();
        let now = (clock["time_ms"].as_u64().unwrap() / 1000).to_string();
        let again = ["--resume", "--again", "--now", &now, "--rpc", &rpc, "--retry", "0"];
        fault(stage, timing);
        let seen = newest(&mock);
        let running = buyer.start(&again);
        wait(seen);
        running.kill();
        admin(&mock, "DELETE", "/faults", None);
        let between = buyer.purchase();
        assert_eq!(one_lives(&between), signed, "{name}");
        let report = buyer.report(if signed == 1 { &again } else { &["--resume", "--retry-delay", "0"] });
        assert!([0, 4].contains(&report["exit"].as_i64().unwrap()), "{name}: {report}");
        let after = buyer.purchase();
        assert_eq!(one_lives(&after), 2, "{name}: {report}");
        assert_eq!(after["authorizations"][0]["nonce"], old["authorizations"][0]["nonce"], "{name}");
        if signed == 2 {
            assert_eq!(after["authorizations"][1]["nonce"], between["authorizations"][1]["nonce"], "{name}");
        }
        assert_eq!((settlements(&mock), settled(&mock, since)), (1, 1), "{name}: {report}");
    }
}

#[test]
fn what_was_signed_anew_and_cannot_be_written_down_is_not_sent() {
    let (first, gate) = (OnceLock::new(), Arc::new(Barrier::new(2)));
    let held = Arc::clone(&gate);
    let seller = Seller::start(move |heard, before| match heard.payment() {
        Some(payment) if *first.get_or_init(|| payment.clone()) == payment => {
            Reply::Says(says("504 Gateway Timeout", &[], ""))
        }
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x02"))], "content")),
        None => {
            // The offer that comes after the old authorization was presented again waits for the test.
            if before == 3 {
                held.wait();
                held.wait();
            }
            Reply::Says(asks(&offer("10000", MERCHANT)))
        }
    });
    let buyer = Buyer::new();
    let now = NOW.to_string();
    assert_eq!(buyer.report(&[&seller.url, "--now", &now, "--retry", "0"])["exit"], 4);
    let (unused, later) = (chain(false, &[], END + 60), (END + 60).to_string());
    let again = ["--resume", "--again", "--now", &later, "--retry", "0", "--rpc", &unused.url];
    let place = buyer.journal().join(buyer.purchase()["id"].as_str().unwrap());
    let running = buyer.start(&again);
    gate.wait();
    let draft = pipe(place.join("entry.draft"));
    gate.wait();
    // What comes through the pipe is no entry on the disk, and cannot become one.
    let mut written = String::new();
    File::open(&draft).unwrap().read_to_string(&mut written).unwrap();
    let run = running.wait();
    assert_eq!(run.code, Some(73), "{run:?}");
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap()["authorizations"].as_array().unwrap().len(), 2);
    assert_eq!((one_lives(&buyer.purchase()), seller.payments().len()), (1, 2));
    assert!(seller.payments().iter().all(|own| *own == seller.payments()[0]), "no other was sent");
    fs::remove_file(draft).unwrap();
    buyer.pay(&again).assert(0, &["delivered for 0.01 USDC"]);
    assert_eq!(one_lives(&buyer.purchase()), 2);
}
