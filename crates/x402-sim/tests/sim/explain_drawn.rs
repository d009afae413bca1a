//! What raw transactions say, field by field: made by the tools that others make them with, in `fixtures/explain/drawn`.

use std::path::Path;

use serde_json::{Value, json};
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;

#[test]
fn every_field_of_a_raw_transaction_is_drawn_by_its_value() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain/drawn");
    let mut looked_at = 0;
    for entry in std::fs::read_dir(place).unwrap() {
        let case: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let reading = read(case["input"].as_str().unwrap());
        let now = case["at"].as_u64().unwrap();
        let question = Question { reading, requirements: None, now, real: None, record: None, depth: Depth::Decode };
        let told = explain(&question);
        assert_eq!(json!(told.kind), case["kind"], "{}", case["name"]);
        let sections: Vec<Value> = told
            .sections
            .iter()
            .map(|section| {
                let fields: Vec<_> =
                    section.fields.iter().map(|field| json!([field.label, field.value, field.meaning])).collect();
                json!({"title": section.title, "fields": fields})
            })
            .collect();
        assert_eq!(Value::from(sections), case["sections"], "{}", case["name"]);
        looked_at += 1;
    }
    assert!(looked_at >= 5, "{looked_at}");
}
