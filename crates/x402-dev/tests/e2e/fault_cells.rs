//! Every cell of the table effect x stage x door through a real socket: what works does what it says, and what does not
//! is refused when it is added.

use serde_json::{Value, json};
use x402_sim::event::Door;
use x402_sim::fault::cells::{Cell, cell};
use x402_sim::fault::effect::{EFFECTS, Effect};
use x402_sim::fault::model::DOORS;
use x402_sim::fault::{Stage, twist};

use crate::client::{Answer, Request};
use crate::fault_hand::{End, Seen, add, admin, advance, events, paying, reset, settlements, watch, watch_delayed};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, requirements};
use crate::permit2;
use crate::rpc_cells;

/// A reason that the example of `refuse` names.
const REASON: &str = "invalid_exact_evm_insufficient_balance";

/// One effect at one place.
#[derive(Clone, Copy, Debug)]
struct Spot<'a> {
    mock: &'a Mock,
    name: &'static str,
    stage: Stage,
    door: Door,
    /// The newest event before.
    since: u64,
}

#[test]
fn every_cell_of_the_table_is_what_it_says() {
    let accepts = "[{network: base-sepolia, asset_transfer_method: permit2}]";
    let yaml = format!("resources: [{{match: GET /permit2, accepts: {accepts}}}]\n");
    let mock = Test::new().config(&yaml).start();
    let mut walked = 0;
    for row in EFFECTS {
        let effect = Effect::parse(row.example).unwrap();
        for (stage, stage_name, _) in Stage::ALL {
            for (door, door_name) in DOORS {
                let since = reset(&mock);
                let fault = json!({"stage": stage_name, "effect": row.example, "match": {"door": door_name}});
                match cell(&effect, *stage, door) {
                    Cell::Works => {
                        add(&mock, &fault);
                        let spot = Spot { mock: &mock, name: row.name, stage: *stage, door, since };
                        named(&format!("{} at {stage_name} of {door_name}", row.name), || spot.check());
                        assert_played(&mock, since);
                    }
                    Cell::Refused(why) => {
                        let refusal = admin(&mock, "POST", "/faults", Some(&fault));
                        assert_eq!(refusal.status, 400, "{refusal:?}");
                        assert!(refusal.text().contains(why), "{}: {why}: {}", row.name, refusal.text());
                    }
                }
                walked += 1;
            }
        }
    }
    assert_eq!(walked, EFFECTS.len() * 21);
}

/// Does something, and says under which name it failed.
fn named(name: &str, what: impl FnOnce()) {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(what));
    assert!(done.is_ok(), "{name}: see the failure above");
}

/// Every firing is an event.
#[track_caller]
fn assert_played(mock: &Mock, since: u64) {
    assert!(events(mock, since).iter().any(|event| event["kind"] == "faulted"), "no fault was played");
}

impl Spot<'_> {
    #[track_caller]
    fn check(&self) {
        match self.name {
            "refuse" => self.refuse(),
            "delay" => {
                let seen = watch_delayed(self.mock, &self.request(), 10_000);
                assert!([200, 402].contains(&seen.answer().status), "{seen:?}");
            }
            "hang" | "timeout" | "status" | "rate_limited" | "redirect" | "html" | "truncated" | "wrong_length"
            | "malformed_json" | "wrong_type" | "reset_before" | "reset_within" | "reset_after" => self.wire(),
            "reverted" | "nonce_too_low" | "dropped" | "no_receipt" | "stale_blockhash" | "stalled"
                if self.door == Door::Rpc =>
            {
                rpc_cells::check(self.mock, self.name, self.stage);
            }
            "pending" | "noop" | "success_twice" | "reverted" | "double_settlement" => self.ledger(),
            "wrong_payer" | "wrong_amount" | "wrong_network" | "wrong_transaction" | "missing_transaction" => {
                self.forge();
            }
            "lost_receipt" => {
                let answer = watch(self.mock, &self.request()).answer();
                assert_eq!((answer.status, answer.header("payment-response")), (200, None));
                assert_eq!(settlements(self.mock), 1);
            }
            "drain" => self.meanwhile("invalid_exact_evm_insufficient_balance"),
            "cancel_nonce" => self.meanwhile("invalid_exact_evm_nonce_already_used"),
            "revoke_allowance" => self.revoked(),
            "jump_clock" => self.meanwhile("invalid_exact_evm_payload_authorization_valid_before"),
            "empty" | "wrong_content" | "cacheable" => self.content(),
            "cors_missing" => {
                let answer = watch(self.mock, &self.request()).answer();
                assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
                assert_eq!(answer.header("access-control-expose-headers"), None);
            }
            _ => self.twist(),
        }
    }

    /// A payment by Permit2 is verified and cannot be settled; at the facilitator's own verify it can no longer be used.
    #[track_caller]
    fn revoked(&self) {
        let printed = permit2::printed(self.mock, "/permit2");
        if self.door == Door::Facilitator {
            if self.stage == Stage::Verify {
                assert_eq!(self.mock.verify(&permit2::body(&printed))["isValid"], true);
            }
            let settled = self.mock.settle(&permit2::body(&printed));
            assert_eq!(settled["errorReason"], "invalid_exact_evm_transaction_failed");
        } else {
            let paid = Request::get("/permit2").header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap());
            let receipt = self.mock.send(&paid).assert_status(402).decoded("payment-response");
            assert_eq!(receipt["errorReason"], "invalid_exact_evm_transaction_failed");
        }
        assert_eq!(settlements(self.mock), 0);
    }

    /// The request that meets the fault.
    fn request(&self) -> Request {
        let payment = Payment::of(&requirements());
        match (self.door, self.stage) {
            (Door::Facilitator, Stage::Verify) => Request::post_json("/verify", &payment.request()),
            (Door::Facilitator, Stage::Settle) => Request::post_json("/settle", &payment.request()),
            (Door::Facilitator, _) => Request::get("/supported"),
            (Door::Rpc, Stage::Settle) => rpc_cells::send(),
            (Door::Rpc, _) => rpc_cells::ask(),
            (_, Stage::Offer) => Request::get("/a"),
            _ => paying("/a", &payment),
        }
    }

    /// Whether the fault is in the resource server's own call of its facilitator.
    fn is_call(&self) -> bool {
        self.door == Door::Resources && matches!(self.stage, Stage::Verify | Stage::Settle)
    }

    #[track_caller]
    fn refuse(&self) {
        let answer = watch(self.mock, &self.request()).answer();
        match (self.door, self.stage) {
            (Door::Rpc, _) => assert_eq!(answer.json()["error"]["message"], REASON),
            (Door::Facilitator, Stage::Verify) => {
                assert_eq!(
                    (&answer.json()["isValid"], &answer.json()["invalidReason"]),
                    (&json!(false), &json!(REASON))
                );
            }
            (Door::Facilitator, _) => {
                assert_eq!((&answer.json()["success"], &answer.json()["errorReason"]), (&json!(false), &json!(REASON)));
            }
            (_, Stage::Settle) => {
                assert_eq!(
                    (answer.status, answer.decoded("payment-response")["errorReason"].as_str()),
                    (402, Some(REASON))
                );
            }
            _ => assert_eq!((answer.status, answer.offer()["error"].as_str()), (402, Some(REASON))),
        }
        assert_eq!(settlements(self.mock), u64::from(self.stage == Stage::Response));
    }

    #[track_caller]
    fn wire(&self) {
        if self.is_call() {
            self.heard();
        } else if self.name == "hang" {
            self.hang();
        } else {
            self.spoilt(&watch(self.mock, &self.request()));
        }
        let settled = self.stage == Stage::Response;
        assert_eq!(settlements(self.mock), u64::from(settled), "{}", self.name);
    }

    /// Nothing comes, and the server still ends and serves others.
    #[track_caller]
    fn hang(&self) {
        let mut connection = self.mock.connect();
        crate::fault_hand::hold(self.mock, &mut connection, &self.request());
        self.mock.assert_serves();
    }

    #[track_caller]
    fn spoilt(&self, seen: &Seen) {
        if self.name == "reset_before" {
            assert_eq!((seen.end, seen.bytes.len()), (End::Reset, 0), "{seen:?}");
            return;
        }
        let answer = seen.answer();
        let (status, body) = (answer.status, &answer.body);
        let is_json = serde_json::from_slice::<Value>(body).is_ok();
        match self.name {
            "timeout" => assert_eq!(status, 504),
            "status" => assert_eq!((status, body.len()), (503, 0)),
            "rate_limited" => assert_eq!((status, answer.header("retry-after")), (429, Some("7"))),
            "redirect" => {
                let own = match self.stage {
                    _ if self.door == Door::Rpc => rpc_cells::CHAIN,
                    Stage::Verify => "/verify",
                    Stage::Settle => "/settle",
                    Stage::Supported => "/supported",
                    _ => "/a",
                };
                assert_eq!((status, answer.header("location")), (308, Some(own)));
            }
            "html" => {
                assert_eq!(status, 502);
                assert!(answer.header("content-type").unwrap().starts_with("text/html"));
            }
            "truncated" => {
                assert!(seen.end == End::Closed && seen.announced() == body.len() * 2 + seen.announced() % 2);
            }
            "wrong_length" => assert!(seen.end == End::Closed && seen.announced() == body.len() + 32 && is_json),
            "malformed_json" => assert!(seen.end == End::Open && seen.announced() == body.len() && !is_json),
            "wrong_type" => assert!(answer.header("content-type").unwrap().starts_with("text/html") && is_json),
            "reset_within" => {
                assert!(seen.end == End::Reset && !body.is_empty() && seen.announced() > body.len(), "{seen:?}");
            }
            _ => assert!(seen.end == End::Reset && seen.announced() == body.len() && is_json, "{seen:?}"),
        }
    }

    /// What the official resource server says of such an answer of its facilitator.
    #[track_caller]
    fn heard(&self) {
        let call = self.stage.name();
        let request = self.request();
        let answer = match self.name {
            "hang" => watch_delayed(self.mock, &request, 90_000).answer(),
            _ => watch(self.mock, &request).answer(),
        };
        let expected = match self.name {
            "hang" => format!("Facilitator {call} request timed out after 90000ms"),
            "timeout" => format!("Facilitator {call} failed (504): 504 Gateway Timeout"),
            "status" => format!("Facilitator {call} failed (503): <empty response>"),
            "rate_limited" => format!("Facilitator {call} failed (429): {{\"error\":\"rate limited\"}}"),
            "redirect" | "reset_before" => "fetch failed".to_owned(),
            "html" => format!("Facilitator {call} failed (502): <html> <head>"),
            "malformed_json" => format!("Facilitator {call} returned invalid JSON: {{"),
            _ => "terminated".to_owned(),
        };
        let (status, said) = match (answer.status, self.stage) {
            (502, _) => (502, answer.json()["error"].clone()),
            (status, Stage::Verify) => (status, answer.offer()["error"].clone()),
            (status, _) => (status, answer.decoded("payment-response")["errorReason"].clone()),
        };
        assert!(said.as_str().unwrap().starts_with(&expected), "{said} is not {expected}");
        let garbage = ["hang", "malformed_json"].contains(&self.name);
        assert_eq!(status, if garbage { 502 } else { 402 });
    }

    /// Settles, by the door; gives the success and the transaction that it names.
    #[track_caller]
    fn settle(&self, payment: &Payment) -> (bool, Value) {
        if self.door == Door::Facilitator {
            let answer = watch(self.mock, &Request::post_json("/settle", &payment.request())).answer().json();
            return (answer["success"] == true, answer);
        }
        let answer = watch(self.mock, &paying("/a", payment)).answer();
        (answer.status == 200, answer.decoded("payment-response"))
    }

    #[track_caller]
    fn ledger(&self) {
        let payment = Payment::of(&requirements());
        let (success, receipt) = self.settle(&payment);
        match self.name {
            "pending" if self.door == Door::Facilitator => {
                assert_eq!((success, receipt["errorReason"].as_str()), (false, Some("settlement_pending")));
                let (success, again) = self.settle(&payment);
                assert!(success && again["transaction"] == receipt["transaction"], "{receipt} {again}");
            }
            "success_twice" => {
                let (again, second) = self.settle(&payment);
                assert!(success && again && second["transaction"] == receipt["transaction"], "{receipt} {second}");
            }
            "reverted" => {
                assert!(success);
                advance(self.mock, 9_999);
                assert!(!self.happened("undone"));
                advance(self.mock, 1);
                assert!(self.happened("undone"));
            }
            _ => assert!(success, "{receipt}"),
        }
        let expected = match self.name {
            "noop" => 0,
            "double_settlement" => 2,
            _ => 1,
        };
        assert_eq!(settlements(self.mock), expected);
    }

    fn happened(&self, kind: &str) -> bool {
        events(self.mock, self.since).iter().any(|event| event["kind"] == kind)
    }

    #[track_caller]
    fn forge(&self) {
        let answer = watch(self.mock, &self.request()).answer();
        if self.is_call() && self.name == "missing_transaction" {
            assert_eq!(answer.status, 502);
            assert!(answer.text().contains("Facilitator settle returned invalid data"), "{}", answer.text());
            return;
        }
        let said = if self.door == Door::Facilitator { answer.json() } else { answer.decoded("payment-response") };
        let payer = Payment::of(&requirements()).payload()["payload"]["authorization"]["from"].clone();
        match self.name {
            "wrong_payer" => assert!(said["payer"].is_string() && said["payer"] != payer),
            "wrong_amount" => assert_eq!(said["amount"], "1"),
            "wrong_network" => assert_eq!(said["network"], "eip155:1"),
            "wrong_transaction" => assert!(said["transaction"].as_str().unwrap().ends_with("dead")),
            _ => assert!(said.get("transaction").is_none() && said["success"] == true, "{said}"),
        }
        assert_eq!(settlements(self.mock), u64::from(self.stage != Stage::Verify));
    }

    #[track_caller]
    fn meanwhile(&self, reason: &str) {
        let payment = Payment::of(&requirements());
        if (self.door, self.stage) == (Door::Facilitator, Stage::Verify) {
            let verdict = watch(self.mock, &Request::post_json("/verify", &payment.request())).answer().json();
            assert_eq!(verdict["isValid"], true, "{verdict}");
        }
        let (success, receipt) = self.settle(&payment);
        assert_eq!((success, receipt["errorReason"].as_str()), (false, Some(reason)));
        assert_eq!(settlements(self.mock), 0);
    }

    #[track_caller]
    fn content(&self) {
        let answer = watch(self.mock, &self.request()).answer();
        assert_eq!((answer.status, answer.decoded("payment-response")["success"].as_bool()), (200, Some(true)));
        match self.name {
            "empty" => assert_eq!(answer.body, b""),
            "wrong_content" => assert!(answer.text().contains("not what was paid for")),
            _ => assert_eq!(answer.header("cache-control"), Some("public, max-age=3600")),
        }
        assert_eq!(settlements(self.mock), 1);
    }

    #[track_caller]
    fn twist(&self) {
        let answer = watch(self.mock, &Request::get("/a")).answer();
        assert_eq!(answer.status, 402);
        if self.name == "header_absent" {
            assert_eq!(answer.header("payment-required"), None);
            return;
        }
        let offer = answer.offer();
        let way = &offer["accepts"][0];
        let own = requirements();
        match self.name {
            "price_raised" => {
                assert_eq!(way["amount"], "10000");
                let again = watch(self.mock, &paying("/a", &Payment::of(way))).answer();
                assert_eq!((again.status, again.offer()["accepts"][0]["amount"].as_str()), (402, Some("30000")));
                assert_eq!(self.pays(&again), 200);
            }
            "payee_swapped" => assert!(way["payTo"] != own["payTo"] && self.pays(&answer) == 200),
            "other_asset" => assert!(way["asset"] != own["asset"] && self.pays(&answer) == 402),
            "other_network" => assert!(way["network"] == "eip155:8453" && self.pays(&answer) == 402),
            "accepts_reordered" => {
                assert_eq!((way["amount"].as_str(), offer["accepts"].as_array().unwrap().len()), (Some("1000000"), 3));
                assert_eq!(self.pays(&answer), 200);
            }
            "hostile_text" => assert!(offer["resource"]["description"] == twist::HOSTILE && self.pays(&answer) == 200),
            "timeout_expired" => assert!(way["maxTimeoutSeconds"] == 1 && self.pays(&answer) == 402),
            "timeout_giant" => assert!(way["maxTimeoutSeconds"] == 315_360_000 && self.pays(&answer) == 200),
            "extra_missing" => assert!(way.get("extra").is_none()),
            _ => assert!(answer.header("payment-required").unwrap().len() > 32 * 1024),
        }
    }

    /// Pays the first way of an offer that these payments are for; gives the status.
    #[track_caller]
    fn pays(&self, offer: &Answer) -> u16 {
        let offer = offer.offer();
        let is_evm = |way: &&Value| way["network"].as_str().is_some_and(|network| network.starts_with("eip155:"));
        let way = offer["accepts"].as_array().unwrap().iter().find(is_evm).unwrap();
        watch(self.mock, &paying("/a", &Payment::of(way))).answer().status
    }
}
