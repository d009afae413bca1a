//! Questions about many blocks: how many one may be about, and that subscriptions tell the same as questions.

use alloy_primitives::{B256, address};
use serde_json::json;
use x402_wire::amount::Decimal;

use super::*;
use crate::accounts::test_accounts;
use crate::event::PaymentId;
use crate::ledger::{AssetId, UnknownAccounts};
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Ecdsa;
use crate::registry;
use crate::world::{Rules, Setup};

const NETWORK: &str = "eip155:84532";
const NOW: u64 = 1_800_000_000_000;

/// A world with so many settlements by the facilitator. Nobody looks at their signatures.
fn world(settlements: u32) -> World {
    let networks = registry::networks().into_iter().filter(|network| network.id == NETWORK).collect();
    let (unknown, balance) = (UnknownAccounts::Funded, Decimal::parse("1000000").unwrap());
    let setup = Setup { networks, unknown, balance, payees: Vec::new(), rules: Rules::default() };
    let mut world = World::new(&setup, 1).unwrap();
    let usdc = world.catalog().token(NETWORK, address!("036CbD53842c5426634e7929541eC2318f3dCF7e")).unwrap().id;
    for sequence in 0..settlements {
        write(&mut world, usdc, sequence);
    }
    world
}

fn write(world: &mut World, asset: AssetId, sequence: u32) {
    let [from, to] = [0, 1].map(|index| test_accounts().nth(index).unwrap().evm());
    let (value, nonce) = (U256::ONE, B256::from(U256::from(sequence)));
    let authorization = Authorization { from, to, value, valid_after: U256::ZERO, valid_before: U256::MAX, nonce };
    let signature = Ecdsa { compact: [1; 64], v: 27 };
    let record = Record::Authorized { authorization, signature, asset, sequence, at: NOW };
    world.write(record, &[], PaymentId::default());
}

fn ask(world: &mut World, method: &str, params: &Value) -> Result<Value, RpcError> {
    call(world, NETWORK, method, params, NOW)
}

#[test]
fn one_question_for_logs_is_about_so_many_blocks_and_no_more() {
    let mut world = world(10_001);
    let nobody = "0x00000000000000000000000000000000000000aa";
    let whole = json!([{"fromBlock": "0x0", "address": nobody}]);
    let refused = ask(&mut world, "eth_getLogs", &whole).unwrap_err();
    assert_eq!(refused.code, -32005);
    assert_eq!(refused.message, "query exceeds max block range 10000: blocks 1 to 10001; ask for fewer blocks");
    let less = json!([{"fromBlock": "0x2", "address": nobody}]);
    assert_eq!(ask(&mut world, "eth_getLogs", &less).unwrap(), json!([]));
    // Each of these has two logs.
    let many = ask(&mut world, "eth_getLogs", &json!([{"fromBlock": "0x2"}])).unwrap_err();
    assert_eq!((many.code, many.message.contains("more than 10000 results")), (-32005, true));
    let last = ask(&mut world, "eth_getLogs", &json!([{"fromBlock": "0x2711", "toBlock": "0xffffffff"}])).unwrap();
    assert_eq!(last.as_array().unwrap().len(), 2);
}

#[test]
fn a_subscription_tells_few_heads_at_once_and_the_same_as_a_question() {
    let mut world = world(0);
    let Asked::Subscribe(mut feed) = subscription(&world, NETWORK, "eth_subscribe", &json!(["newHeads"]), NOW).unwrap()
    else {
        panic!("a subscription")
    };
    let usdc = world.catalog().token(NETWORK, address!("036CbD53842c5426634e7929541eC2318f3dCF7e")).unwrap().id;
    for sequence in 0..120 {
        write(&mut world, usdc, sequence);
    }
    let mut told = Vec::new();
    for expected in [50, 50, 20, 0] {
        assert_eq!(feed.wake_at(&world, NOW), (expected > 0).then_some(NOW));
        let pulled = feed.pull(&world, NOW);
        assert_eq!(pulled.results.len(), expected);
        told.extend(pulled.results);
    }
    for (place, head) in told.into_iter().enumerate() {
        let mut block = ask(&mut world, "eth_getBlockByNumber", &json!([quantity(place + 1), true])).unwrap();
        let transaction = block["transactions"][0].take();
        for added in ["transactions", "uncles"] {
            block.as_object_mut().unwrap().remove(added);
        }
        assert_eq!(block, head);
        let receipt = ask(&mut world, "eth_getTransactionReceipt", &json!([transaction["hash"]])).unwrap();
        assert_eq!((&receipt["gasUsed"], &receipt["logsBloom"]), (&head["gasUsed"], &head["logsBloom"]));
    }
}
