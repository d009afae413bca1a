//! Lines of code name what the case does.

use serde_json::json;

use super::*;
use crate::explain::case::{Depth, explain};
use crate::explain::finding::entries;
use crate::explain::read::read;

fn explained(input: &Value, requirements: Option<Value>) -> Explanation {
    let reading = read(&input.to_string());
    explain(&Question { reading, requirements, now: 1_795_000_000, real: None, record: None, depth: Depth::Judge })
}

#[track_caller]
fn line(explanation: &Explanation, id: &str, sdk: &str) -> (Side, String) {
    let found = explanation.findings.iter().find(|finding| finding.id == id);
    let found = found.unwrap_or_else(|| panic!("{id} is not in {:?}", explanation.findings));
    let line = found.code.iter().find(|line| line.sdk == sdk);
    (found.side, line.map(|line| line.line.clone()).unwrap_or_default())
}

#[test]
fn every_name_in_a_template_stands_for_something() {
    let solana = json!({"network": DEVNET, "scheme": "exact"});
    let upto = json!({"network": "base", "scheme": "upto", "maxAmountRequired": "1"});
    for terms in [None, Some(&solana), Some(&upto)] {
        for version in [Version::V1, Version::V2] {
            let case = Case::of(version, terms, None);
            for (template, id) in
                entries().iter().flat_map(|entry| entry.code.values().map(move |line| (line, &entry.id)))
            {
                for name in template.split("{{").skip(1) {
                    let (name, _) = name.split_once("}}").unwrap_or_else(|| panic!("{id}: {template}"));
                    // A token of Solana has no domain.
                    let empty =
                        terms == Some(&solana) && ["name", "version", "own_name", "own_version"].contains(&name);
                    assert!(empty || !case.value(name).is_empty(), "{id}: {name}");
                }
            }
        }
    }
}

#[test]
fn lines_name_the_network_the_asset_and_the_amount_of_the_case() {
    let base = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
    let entry = |change: Value| {
        let mut own = json!({"scheme": "exact", "network": "eip155:8453", "amount": "250000", "asset": base,
            "payTo": "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", "maxTimeoutSeconds": 60,
            "extra": {"name": "USD Coin", "version": "2"}});
        own.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        own
    };
    let offer =
        |entries: Value| json!({"x402Version": 2, "resource": {"url": "http://shop.example/a"}, "accepts": entries});
    let told = explained(&offer(json!([entry(json!({"extra": {}}))])), None);
    assert_eq!(
        line(&told, "domain_missing", "ts-express").1,
        format!("price: {{ amount: \"250000\", asset: \"{base}\", extra: {{ name: \"USD Coin\", version: \"2\" }} }}")
    );
    assert!(line(&told, "http_resource", "ts-express").1.contains("\"https://shop.example/a\""));
    // The second entry is another network's.
    let told = explained(&offer(json!([entry(json!({})), entry(json!({"network": "base"}))])), None);
    assert_eq!(
        line(&told, "v1_network_name_in_v2", "ts-express"),
        (Side::Server, "network: \"eip155:8453\"".to_owned())
    );
    // A number that is none of text is the mistake of whoever wrote it.
    let told = explained(&offer(json!([entry(json!({"amount": 250_000}))])), None);
    assert_eq!(line(&told, "number_not_text", "ts-express").0, Side::Server);
    let old = json!({"x402Version": 1, "error": "", "accepts": [{"scheme": "exact", "network": "base-sepoliaa",
        "maxAmountRequired": "20000", "resource": "https://a.example/", "description": "", "mimeType": "",
        "payTo": "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", "maxTimeoutSeconds": 60,
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "extra": {"name": "USDC", "version": "2"}}]});
    let told = explained(&old, None);
    assert_eq!(line(&told, "network_misspelt", "ts-express").1, "network: \"base-sepolia\"");
}

#[test]
fn a_payer_of_version_1_gets_lines_of_version_1() {
    let case = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let asked = case(
        r#"{"scheme":"exact","network":"base","maxAmountRequired":"10000","asset":
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913","payTo":"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "maxTimeoutSeconds":60,"extra":{"name":"USD Coin","version":"2"}}"#,
    );
    let paid = json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": {
        "signature": format!("0x{}1b", "11".repeat(64)), "authorization": {
            "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "to": "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
            "value": "9000", "validAfter": "0", "validBefore": "1795000060", "nonce": format!("0x{}", "07".repeat(32))}}});
    let told = explained(&paid, Some(asked));
    let (side, ts) = line(&told, "network_mismatch", "ts-fetch");
    assert_eq!(
        (side, ts.as_str()),
        (
            Side::Client,
            "client.registerV1(\"base\", new ExactEvmSchemeV1(signer)); // from \"@x402/evm/exact/v1/client\""
        )
    );
    let (_, amount) = line(&told, "amount_mismatch", "python-client");
    assert_eq!(amount, "value = req.max_amount_required  # \"10000\"");
}
