//! What Prometheus reads.

use crate::admin::Door;
use crate::client::Request;
use crate::harness::Test;
use crate::payer::{Payment, requirements};

#[test]
fn every_door_is_counted_and_nothing_of_a_client_is_a_label() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let read = || {
        let answer = door.send(Request::get("/_x402/metrics"));
        answer.assert_status(200);
        assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
        answer.text()
    };
    let count = |text: &str, series: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or("none").to_owned()
    };
    let settled = r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="settled",reason=""}"#;
    let amount = r#"x402_dev_settled_amount_total{network="eip155:84532",asset="USDC"}"#;
    let before = read();
    assert_eq!((count(&before, settled), count(&before, amount)), ("none".to_owned(), "none".to_owned()));

    let request = Payment::of(&requirements()).request();
    assert_eq!(mock.settle(&request)["success"], true);
    assert_eq!(mock.settle(&request)["success"], false);
    mock.send(&Request::get("/a")).assert_status(402);
    mock.send(&Request::get("/a").header("X-402-Dev-Fault", "offer=delay:1ms")).assert_status(402);
    let mut hostile = request;
    hostile["paymentRequirements"]["network"] = "<script>".into();
    assert_eq!(mock.settle(&hostile)["success"], false);

    let after = read();
    assert_eq!(count(&after, settled), "1", "{after}");
    assert_eq!(count(&after, amount), "0.01", "{after}");
    let failed = r#"outcome="settle_failed",reason="invalid_exact_evm_nonce_already_used"} 1"#;
    assert!(after.contains(failed), "{after}");
    assert_eq!(count(&after, r#"x402_dev_requests_total{door="resources",status="402"}"#), "2", "{after}");
    assert_eq!(count(&after, r#"x402_dev_requests_total{door="facilitator",status="200"}"#), "3", "{after}");
    assert_eq!(count(&after, r#"x402_dev_facilitator_duration_seconds_count{operation="settle"}"#), "3", "{after}");
    assert_eq!(count(&after, "x402_dev_ledger_transactions"), "1", "{after}");
    assert_eq!(count(&after, "x402_dev_faults_total"), "1", "{after}");
    assert!(after.ends_with("# EOF\n") && !after.contains("script"), "{after}");
}

#[test]
fn a_page_that_was_rebound_reads_no_counts() {
    let mock = Test::new().start();
    let answer = mock.connect().send(&Request::get("/_x402/metrics").header("Host", "evil.test"));
    assert!(answer.assert_status(403).text().contains(r#""code":"host_not_allowed""#));
}
