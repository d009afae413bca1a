//! Payments by Permit2 through the front door: `exact` and `upto`, allowances, metered prices, defects.

use serde_json::{Value, json};
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::defect::Verdict;
use x402_sim::networks::eip155::permit2::Scheme;
use x402_sim::registry::Version;

use crate::admin::Door;
use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::account;

const YAML: &str = r#"
networks: [base-sepolia, "eip155:31611"]
accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
resources:
- {match: GET /own, accepts: ["eip155:31611"], price: 0.5}
- {match: GET /whole, price: {upto: $0.10}}
- {match: GET /fixed, price: {upto: $0.10, charge: $0.03}, response: {text: fixed}}
- {match: GET /nothing, price: {upto: $0.10, charge: 0}, response: {text: nothing}}
- {match: GET /bytes, price: {upto: $0.10, charge: {per_byte: $0.0001}}, response: {text: "0123456789"}}
- {match: GET /tokens, price: {upto: $0.10, charge: {header: X-Tokens, each: $0.00001}}, response: {headers: {X-Tokens: 1200}, text: hi}}
- {match: GET /random, price: {upto: $0.10, charge: random}, response: {text: hi}}
- {match: GET /said-atomic, price: {upto: $0.10, charge: $0.03}, response: {headers: {Settlement-Overrides: '{"amount":"4000"}'}, text: hi}}
- {match: GET /said-percent, price: {upto: $0.10}, response: {headers: {settlement-overrides: '{"amount":"33.33%"}'}, text: hi}}
- {match: GET /said-dollars, price: {upto: $0.10}, response: {headers: {Settlement-Overrides: '{"amount":"$0.05"}'}, text: hi}}
- {match: GET /said-too-much, price: {upto: $0.10}, response: {headers: {Settlement-Overrides: '{"amount":"100001"}'}, text: hi}}
- {match: GET /said-badly, price: {upto: $0.10}, response: {headers: {Settlement-Overrides: '{"amount"'}, text: hi}}
- {match: GET /said-number, price: {upto: $0.10}, response: {headers: {Settlement-Overrides: '{"amount":500}'}, text: hi}}
- {match: GET /said-of-exact, price: $0.10, response: {headers: {Settlement-Overrides: '{"amount":"1"}'}, text: hi}}
"#;

fn sign(args: &[&str]) -> Value {
    let run = Test::new().run(&[&["sign", "--json"], args].concat());
    assert_eq!(run.code, Some(0), "{args:?}: {run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// A signed payment for requirements of a scheme, as the body of a request to the facilitator.
pub(crate) fn payment(scheme: &str, network: &str, asset: &str) -> Value {
    let extra = json!({"assetTransferMethod": "permit2", "facilitatorAddress": account(8).address});
    let asked = json!({
        "scheme": scheme, "network": network, "amount": "10000", "asset": asset, "payTo": account(9).address,
        "maxTimeoutSeconds": 300, "extra": extra,
    });
    let test = Test::new().file("asked.json", asked.to_string());
    let run = test.run(&["sign", "asked.json", "--body"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// What `sign --json` prints for a path.
pub(crate) fn printed(mock: &Mock, path: &str) -> Value {
    sign(&[&format!("{}{path}", mock.url)])
}

fn pay(mock: &Mock, path: &str) -> Answer {
    let printed = sign(&[&format!("{}{path}", mock.url)]);
    mock.send(&Request::get(path).header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap()))
}

pub(crate) fn body(printed: &Value) -> Value {
    json!({"x402Version": 2, "paymentPayload": printed["payload"], "paymentRequirements": printed["requirements"]})
}

#[test]
fn offers_name_permit2_where_the_asset_or_the_configuration_asks_for_it() {
    let mock = Test::new().config(YAML).start();
    let extra = |path: &str| mock.get(path).offer()["accepts"][0]["extra"].clone();
    assert_eq!(extra("/a"), json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2"}));
    assert_eq!(extra("/own"), json!({"name": "Mezo USD", "version": "1", "assetTransferMethod": "permit2"}));
    let facilitator = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f";
    let upto =
        json!({"name": "USDC", "version": "2", "assetTransferMethod": "permit2", "facilitatorAddress": facilitator});
    assert_eq!((extra("/whole"), mock.get("/whole").offer()["accepts"][0]["scheme"].clone()), (upto, json!("upto")));
    // Legacy clients know no Permit2, and invoices no maximum.
    assert_eq!(mock.get("/whole").text(), "{}");
    let supported = mock.get("/supported").json();
    let kinds = supported["kinds"].as_array().unwrap();
    let find = |scheme: &str, network: &str| {
        kinds.iter().filter(|kind| kind["scheme"] == scheme && kind["network"] == network).collect::<Vec<_>>()
    };
    assert_eq!(find("upto", "eip155:84532")[0]["extra"]["facilitatorAddress"], facilitator);
    for network in ["eip155:84532", "eip155:31611"] {
        assert_eq!((find("exact", network).len(), find("upto", network).len()), (1, 1), "{supported}");
    }
}

#[test]
fn exact_is_paid_by_permit2_once() {
    let mock = Test::new().config(YAML).start();
    for path in ["/a?b=c", "/own"] {
        let printed = sign(&[&format!("{}{path}", mock.url)]);
        let request = Request::get(path).header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap());
        let answer = mock.send(&request);
        let receipt = answer.assert_status(200).decoded("payment-response");
        assert_eq!((&receipt["success"], receipt.get("amount")), (&json!(true), None), "{receipt}");
        let again = mock.send(&request);
        assert_eq!(again.assert_status(402).offer()["error"], "permit2_simulation_failed");
        assert_eq!(mock.verify(&body(&printed))["invalidReason"], "permit2_simulation_failed");
        assert_eq!(mock.settle(&body(&printed))["errorReason"], "permit2_invalid_nonce");
    }
    let door = Door(&mock);
    assert_eq!(
        door.say("balance 0"),
        "account 0 holds 999999.99 USDC on eip155:84532\naccount 0 holds 999999.5 mUSD on eip155:31611\n"
    );
}

#[test]
fn without_an_allowance_the_answer_is_412_until_the_payer_approves() {
    let yaml = format!("{YAML}\naccounts: {{permit2: required}}\n");
    let mock = Test::new().config(&yaml).start();
    let door = Door(&mock);
    let url = format!("{}/a", mock.url);
    let printed = sign(&[&url, "--as", "alice"]);
    let request = Request::get("/a").header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap());
    let refused = mock.send(&request);
    assert_eq!(refused.assert_status(412).offer()["error"], "permit2_allowance_required");
    assert_eq!(mock.verify(&body(&printed))["invalidReason"], "permit2_allowance_required");
    assert_eq!(mock.settle(&body(&printed))["errorReason"], "invalid_exact_evm_transaction_failed");
    assert_eq!(door.say("approve alice --amount 0.009999"), "alice lets Permit2 move 0.009999 USDC on eip155:84532\n");
    mock.send(&request).assert_status(412);
    assert_eq!(door.say("approve alice --amount 0.015"), "alice lets Permit2 move 0.015 USDC on eip155:84532\n");
    mock.send(&request).assert_status(200);
    let allowance = door.send(Request::get("/_x402/api/accounts/alice/allowance")).json();
    assert_eq!((&allowance["amount"], &allowance["atomic"]), (&json!("0.005"), &json!("5000")), "it was used up");
    assert_eq!(door.say("approve alice"), "alice lets Permit2 move unlimited USDC on eip155:84532\n");
    pay_as(&mock, "/a", "alice").assert_status(200);
    assert_eq!(door.say("revoke alice"), "alice lets Permit2 move no USDC on eip155:84532\n");
    pay_as(&mock, "/a", "alice").assert_status(412);
    for (body, status, code) in [
        (json!({"amount": "-1"}), 400, "invalid_value"),
        (json!({"amount": "free"}), 400, "invalid_value"),
        (json!({"amount": 5}), 400, "invalid_value"),
        (json!({"amount": "0.0000001"}), 409, "amount_too_precise"),
        (json!({"amount": "1 mUSD", "network": "base-sepolia"}), 404, "unknown_asset"),
        (json!({"network": "eip155:1"}), 404, "unknown_network"),
    ] {
        door.post("/accounts/alice/approve", &body).problem(status, code);
    }
    door.send(Request::get("/_x402/api/accounts/nobody/allowance")).problem(404, "unknown_account");
}

fn pay_as(mock: &Mock, path: &str, who: &str) -> Answer {
    let printed = sign(&[&format!("{}{path}", mock.url), "--as", who]);
    mock.send(&Request::get(path).header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap()))
}

#[test]
fn upto_charges_what_the_meter_shows_or_the_content_says() {
    let mock = Test::new().arg("--seed").arg("7").config(YAML).start();
    for (path, amount) in [
        ("/whole", "100000"),
        ("/fixed", "30000"),
        ("/bytes", "1000"),
        ("/tokens", "12000"),
        ("/said-atomic", "4000"),
        ("/said-percent", "33330"),
        ("/said-dollars", "50000"),
        ("/said-badly", "100000"),
    ] {
        let answer = pay(&mock, path);
        let receipt = answer.assert_status(200).decoded("payment-response");
        assert_eq!((&receipt["success"], &receipt["amount"]), (&json!(true), &json!(amount)), "{path}: {receipt}");
        assert!(receipt["transaction"].as_str().unwrap().len() == 66, "{path}");
        assert_eq!(answer.header("settlement-overrides"), None, "{path}");
    }
    let random = pay(&mock, "/random").assert_status(200).decoded("payment-response");
    let amount: u64 = random["amount"].as_str().unwrap().parse().unwrap();
    assert!((1..=100_000).contains(&amount) && amount != 100_000, "{random}");
    for (path, reason) in [
        ("/said-too-much", "invalid_upto_evm_payload_settlement_exceeds_amount"),
        ("/said-number", "invalid_payload"),
        ("/said-of-exact", "permit2_amount_mismatch"),
    ] {
        let answer = pay(&mock, path);
        let receipt = answer.assert_status(402).decoded("payment-response");
        assert_eq!((&receipt["success"], &receipt["errorReason"]), (&json!(false), &json!(reason)), "{path}");
    }
    let metrics = Door(&mock).send(Request::get("/_x402/metrics")).text();
    let settled = r#"x402_dev_payments_total{scheme="upto",network="eip155:84532",outcome="settled",reason=""} 9"#;
    assert!(metrics.contains(settled), "{metrics}");
}

#[test]
fn nothing_charged_is_a_success_without_a_transaction_that_leaves_the_permit_unused() {
    let mock = Test::new().config(YAML).start();
    let printed = sign(&[&format!("{}/nothing", mock.url)]);
    let request = Request::get("/nothing").header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap());
    for _ in 0..2 {
        let receipt = mock.send(&request).assert_status(200).decoded("payment-response");
        let said = (&receipt["success"], &receipt["transaction"], &receipt["amount"]);
        assert_eq!(said, (&json!(true), &json!(""), &json!("0")));
    }
    assert_eq!(mock.settle(&body(&printed))["amount"], "100000", "the same permit can still pay");
    assert_eq!(mock.settle(&body(&printed))["errorReason"], "permit2_simulation_failed");
}

/// The table of defects is true for Permit2 too.
#[test]
fn every_defect_is_told_as_its_table_says_for_permit2() {
    let mock = Test::new().config(YAML).start();
    for (path, scheme) in [("/a", Scheme::Exact), ("/whole", Scheme::Upto)] {
        let url = format!("{}{path}", mock.url);
        let mut tried = 0;
        for own in Defect::all() {
            let run = Test::new().run(&["sign", &url, "--json", "--defect", own.name]);
            if run.code == Some(1) {
                assert!(run.stderr.contains("changes nothing here"), "{run:?}");
                continue;
            }
            let (printed, defect): (Value, _) = (serde_json::from_str(&run.stdout).unwrap(), own.by_permit2(scheme));
            let context = format!("{} in {scheme:?}", own.name);
            let spelled = |verdict: Verdict| json!(verdict.spell(Version::V2));
            let verdict = mock.verify(&body(&printed));
            let reason = verdict.get("invalidReason").unwrap_or(&Value::Null);
            assert_eq!(reason, &spelled(defect.verify()), "{context}, verify: {verdict}");
            assert_eq!(printed["defect"]["verify"], spelled(defect.verify()), "{context}");
            let outcome = mock.settle(&body(&printed));
            let reason = outcome.get("errorReason").unwrap_or(&Value::Null);
            assert_eq!(reason, &spelled(defect.settle()), "{context}, settle: {outcome}");
            let printed = sign(&[&url, "--defect", own.name]);
            let answer = mock.send(&Request::get(path).header("PAYMENT-SIGNATURE", printed["value"].as_str().unwrap()));
            let said = if answer.status == 200 { Value::Null } else { answer.offer()["error"].clone() };
            assert_eq!(said, spelled(defect.resource(Version::V2)), "{context}, resource");
            tried += 1;
        }
        assert!(tried >= 27, "{scheme:?}: {tried}");
    }
    mock.assert_serves();
}
