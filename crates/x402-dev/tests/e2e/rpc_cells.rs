//! The cells of the table of faults at the JSON-RPC of a chain, and the requests that meet them.

use serde_json::{Value, json};
use x402_sim::fault::Stage;
use x402_sim::networks::eip155::parse_address;
use x402_sim::networks::eip155::transaction::{Signed, Transaction};
use x402_sim::{U256, hex};

use crate::client::Request;
use crate::fault_hand::{add, admin, advance, watch};
use crate::harness::Mock;
use crate::payer::{MERCHANT, USDC, account};

/// The chain of the default network.
pub(crate) const CHAIN: &str = "/_x402/rpc/eip155:84532";

/// A call of the chain.
pub(crate) fn call(method: &str, params: &Value) -> Request {
    Request::post_json(CHAIN, &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

/// A transfer of one atomic unit from account 0 to the merchant, with a nonce.
pub(crate) fn transfer(nonce: u64) -> Signed {
    let to = parse_address(MERCHANT).unwrap();
    let input = [hex!("a9059cbb").as_slice(), to.into_word().as_slice(), &U256::ONE.to_be_bytes::<32>()].concat();
    let token = parse_address(USDC).unwrap();
    Transaction { chain_id: 84532, nonce, to: token, input: input.into() }.sign(&account(0).key_bytes())
}

/// The request that sends the first one.
pub(crate) fn send() -> Request {
    call("eth_sendRawTransaction", &json!([transfer(0).raw.to_string()]))
}

/// The request that asks where the chain stands.
pub(crate) fn ask() -> Request {
    call("eth_blockNumber", &json!([]))
}

/// What the chain answers.
#[track_caller]
pub(crate) fn answered(mock: &Mock, request: &Request) -> Value {
    watch(mock, request).answer().assert_status(200).json()
}

/// What the chain answers to a method.
#[track_caller]
pub(crate) fn result(mock: &Mock, method: &str, params: &Value) -> Value {
    answered(mock, &call(method, params))["result"].clone()
}

/// Checks a cell whose effect is in force at a stage.
#[track_caller]
pub(crate) fn check(mock: &Mock, name: &str, stage: Stage) {
    let hash = json!([transfer(0).hash.to_string()]);
    match name {
        "nonce_too_low" => {
            let answer = answered(mock, &send());
            assert!(answer["error"]["message"].as_str().unwrap().starts_with("nonce too low"), "{answer}");
            assert_eq!(result(mock, "eth_blockNumber", &json!([])), "0x0");
        }
        "dropped" => {
            assert_eq!(answered(mock, &send())["result"], hash[0]);
            assert_eq!(result(mock, "eth_getTransactionByHash", &hash), Value::Null);
            assert_eq!(result(mock, "eth_blockNumber", &json!([])), "0x0");
        }
        "no_receipt" => {
            assert_eq!(answered(mock, &send())["result"], hash[0]);
            assert_eq!(result(mock, "eth_getTransactionReceipt", &hash), Value::Null);
            assert_eq!(result(mock, "eth_getBlockReceipts", &json!(["latest"])), json!([]));
            assert_eq!(result(mock, "eth_blockNumber", &json!([])), "0x1");
        }
        "stalled" => {
            assert_eq!(answered(mock, &ask())["result"], "0x0");
            assert_eq!(answered(mock, &send())["result"], hash[0]);
            assert_eq!(answered(mock, &ask())["result"], "0x0");
            admin(mock, "DELETE", "/faults", None).assert_status(200);
            assert_eq!(answered(mock, &ask())["result"], "0x1");
        }
        "reverted" => {
            assert_eq!(answered(mock, &send())["result"], hash[0]);
            assert_eq!(result(mock, "eth_getTransactionReceipt", &hash)["status"], "0x1");
            advance(mock, 10_000);
            assert_eq!(result(mock, "eth_getTransactionReceipt", &hash), Value::Null);
        }
        "stale_blockhash" => {
            let answer = answered(mock, &send());
            // At the stage `settle` every transaction names an old one; at `call` every new one is old, of which EVM
            // chains have none.
            let refused = stage == Stage::Settle;
            if refused {
                assert_eq!(
                    answer["error"]["message"], "Transaction simulation failed: Blockhash not found",
                    "{answer}"
                );
            } else {
                assert_eq!(answer["result"], hash[0], "{answer}");
            }
            let solana = json!({"jsonrpc": "2.0", "id": 1, "method": "getLatestBlockhash", "params": []});
            let path = "/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
            let found = answered(mock, &Request::post_json(path, &solana))["result"]["value"]["blockhash"].clone();
            let asked = json!({"jsonrpc": "2.0", "id": 1, "method": "isBlockhashValid", "params": [found]});
            let valid = answered(mock, &Request::post_json(path, &asked))["result"]["value"].clone();
            assert_eq!(valid, refused, "{found}");
        }
        _ => panic!("{name} has no check"),
    }
}

#[test]
fn a_fault_meets_the_method_that_it_names_and_no_other() {
    let mock = crate::harness::Test::new().start();
    let fault = json!({
        "stage": "call", "effect": "refuse:busy,try later", "match": {"door": "rpc", "method": "eth_gasPrice"}
    });
    add(&mock, &fault);
    let refused = answered(&mock, &call("eth_gasPrice", &json!([])));
    assert_eq!((&refused["error"]["code"], &refused["error"]["message"]), (&json!(-32000), &json!("busy: try later")));
    assert_eq!(result(&mock, "eth_chainId", &json!([])), "0x14a34");
    let by_header = call("eth_chainId", &json!([])).header("X-402-Dev-Fault", "call=refuse:no");
    assert_eq!(answered(&mock, &by_header)["error"]["message"], "no");
}
