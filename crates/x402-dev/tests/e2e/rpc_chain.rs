//! Transactions and calls at the door of an EVM chain that a node would stumble over: deep, dropped, undone, too large.

use serde_json::{Value, json};
use x402_sim::networks::eip155::transaction::Signed;
use x402_sim::{Address, U256, hex};

use crate::admin::Door;
use crate::client::Request;
use crate::fault_hand::{add, admin, advance};
use crate::harness::{Mock, Test};
use crate::payer::{MERCHANT, USDC, account};
use crate::rpc_cells::{answered, call, result, transfer};
use crate::rpc_hand::{
    APPROVE, BALANCE_OF, MULTICALL, TRANSFER, TRANSFER_FROM, address, aggregate, asked, balance, calldata, large,
    number, receipt, send, signed,
};

const SOLANA: &str = "/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
const PERMIT2_PROXY: &str = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";

/// What every facilitator's transaction here brings.
const GAS: u64 = 120_000;

const GET_ETH_BALANCE: [u8; 4] = hex!("4d2301cc");

#[track_caller]
fn purchases(mock: &Mock) -> Vec<Value> {
    let page = admin(mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
    page["purchases"].as_array().unwrap().clone()
}

/// The server's stack holds what a body holds.
#[test]
fn a_call_two_thousand_levels_deep_reverts_and_the_server_goes_on() {
    let mock = Test::new().start();
    let mut data = calldata(BALANCE_OF, &[number(1)]);
    for level in 0..2_000 {
        data = aggregate(&[(address(if level == 0 { USDC } else { MULTICALL }), data)]);
    }
    for method in ["eth_call", "eth_estimateGas"] {
        let params = json!([{"to": MULTICALL, "data": hex::encode_prefixed(&data)}]);
        let answer = answered(&mock, &call(method, &params));
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["message"]),
            (&json!(3), &json!("execution reverted: Multicall3: call failed"))
        );
    }
    mock.assert_serves();
}

#[test]
fn a_history_of_fees_names_few_percentiles_in_their_order() {
    let mock = Test::new().start();
    let ask = |percentiles: Value| answered(&mock, &call("eth_feeHistory", &json!(["0x1", "latest", percentiles])));
    let hundred: Vec<u64> = (0..100).collect();
    assert_eq!(ask(json!(hundred))["result"]["reward"][0].as_array().unwrap().len(), 100);
    assert_eq!(ask(json!([]))["result"]["reward"], json!([[]]));
    let many: Vec<f64> = (0..101).map(|place| f64::from(place) / 2.0).collect();
    for (percentiles, words) in [
        (json!(many), "invalid reward percentile: over the query limit 100"),
        (json!([50, 101]), "invalid reward percentile: 101.000000"),
        (json!([-1]), "invalid reward percentile: -1.000000"),
        (json!([75, 25]), "invalid reward percentile: #0:75.000000 >= #1:25.000000"),
        (json!([25, 25]), "invalid reward percentile: #0:25.000000 >= #1:25.000000"),
    ] {
        let answer = ask(percentiles);
        assert_eq!((&answer["error"]["code"], &answer["error"]["message"]), (&json!(-32000), &json!(words)));
    }
    assert_eq!(ask(json!(["25"]))["error"]["code"], -32602);
    assert_eq!(ask(json!(25))["error"]["code"], -32602);
}

/// Two transactions that do the same at the same time, and differ in their bytes alone.
fn twins() -> [Signed; 2] {
    let input = calldata(TRANSFER, &[address(MERCHANT).into_word().0, number(1)]);
    [signed(0, 0, USDC, input.clone()), signed(0, 0, USDC, [input, vec![0]].concat())]
}

#[test]
fn a_transaction_that_was_dropped_leaves_its_place_to_another() {
    let mock = Test::new().start();
    admin(&mock, "POST", "/clock/freeze", None).assert_status(200);
    let [first, second] = twins();
    add(&mock, &json!({"stage": "settle", "effect": "dropped", "match": {"door": "rpc"}}));
    let dropped = send(&mock, &first);
    assert_eq!(receipt(&mock, &dropped), Value::Null);
    admin(&mock, "DELETE", "/faults", None).assert_status(200);
    let sent = send(&mock, &second);
    let found = receipt(&mock, &sent);
    assert_eq!((&found["status"], &found["transactionHash"]), (&json!("0x1"), &json!(sent)));
    assert_eq!(result(&mock, "eth_getBlockByNumber", &json!(["latest", false]))["transactions"], json!([sent]));
    assert_eq!(receipt(&mock, &dropped), Value::Null);
}

#[test]
fn after_a_snapshot_was_restored_a_place_is_the_next_ones() {
    let mock = Test::new().start();
    let door = Door(&mock);
    admin(&mock, "POST", "/clock/freeze", None).assert_status(200);
    door.say("snapshot save before");
    let [first, second] = twins();
    let gone = send(&mock, &first);
    assert_eq!(receipt(&mock, &gone)["status"], "0x1");
    door.say("snapshot restore before");
    let sent = send(&mock, &second);
    assert_eq!(receipt(&mock, &sent)["transactionHash"], sent);
    assert_eq!(receipt(&mock, &gone), Value::Null);
}

/// Approves Multicall3 for account 0's money, and sends, by account 1, one transaction that pays two others with it.
fn pay_two(mock: &Mock) -> [Address; 2] {
    let multicall = address(MULTICALL);
    send(mock, &signed(0, 0, USDC, calldata(APPROVE, &[multicall.into_word().0, number(100)])));
    let payees = [account(5).evm(), account(6).evm()];
    let pay = |to: Address, value| {
        let words = [account(0).evm().into_word().0, to.into_word().0, number(value)];
        (address(USDC), calldata(TRANSFER_FROM, &words))
    };
    let batch = aggregate(&[pay(payees[0], 5), pay(payees[1], 7)]);
    assert_eq!(receipt(mock, &send(mock, &large(1, 0, MULTICALL, &batch)))["status"], "0x1");
    payees
}

#[test]
fn one_transaction_that_pays_two_is_two_purchases_and_undoing_it_returns_both() {
    let mock = Test::new().start();
    add(&mock, &json!({"stage": "settle", "effect": "reverted:10s", "match": {"door": "rpc"}, "nth": 2}));
    let before = [account(0), account(5), account(6)].map(|account| balance(&mock, account.evm()));
    let payees = pay_two(&mock);
    assert_eq!(balance(&mock, account(0).evm()), before[0] - U256::from(12));
    let paid = purchases(&mock);
    assert_eq!(paid.len(), 2, "{paid:#?}");
    for purchase in &paid {
        assert_eq!((&purchase["settlements"], &purchase["undone"]), (&json!(1), &json!(0)), "{purchase:#}");
    }
    advance(&mock, 10_000);
    assert_eq!([account(0).evm(), payees[0], payees[1]].map(|account| balance(&mock, account)), before);
    for purchase in purchases(&mock) {
        assert_eq!((&purchase["settlements"], &purchase["undone"]), (&json!(0), &json!(1)), "{purchase:#}");
        assert_eq!(purchase["moved"][0]["atomic"], "0", "{purchase:#}");
    }
    let undone = admin(&mock, "GET", "/events?kind=undone", None).assert_status(200).json();
    let amounts: Vec<_> = undone["events"].as_array().unwrap().iter().map(|event| &event["data"]["amount"]).collect();
    assert_eq!(amounts, ["0.000005 USDC", "0.000007 USDC"]);
}

#[test]
fn a_balance_ends_at_its_cap_whichever_way_money_comes() {
    let mock = Test::new().start();
    let cap = U256::MAX >> 1;
    let units = "57896044618658097711785492504343953926634992332820282019728792003956564.819967";
    Door(&mock).tell("/accounts/6/fund", &json!({"amount": units, "set": true}));
    let rich = account(6).evm();
    assert_eq!(balance(&mock, rich), cap);
    let full = "execution reverted: FiatTokenV2_2: Balance exceeds (2^255 - 1)";
    let input = calldata(TRANSFER, &[rich.into_word().0, number(1)]);
    let params = json!([{"from": account(0).address, "to": USDC, "data": hex::encode_prefixed(&input)}]);
    assert_eq!(answered(&mock, &call("eth_call", &params))["error"]["message"], full);
    let sent = receipt(&mock, &send(&mock, &signed(0, 0, USDC, input)));
    assert_eq!((&sent["status"], &sent["logs"]), (&json!("0x0"), &json!([])));
    let multicall = address(MULTICALL);
    send(&mock, &signed(0, 1, USDC, calldata(APPROVE, &[multicall.into_word().0, number(1)])));
    let from = calldata(TRANSFER_FROM, &[account(0).evm().into_word().0, rich.into_word().0, number(1)]);
    let batch = large(0, 2, MULTICALL, &aggregate(&[(address(USDC), from)]));
    assert_eq!(receipt(&mock, &send(&mock, &batch))["status"], "0x0");
    // To oneself nothing comes.
    let own = calldata(TRANSFER, &[rich.into_word().0, number(1)]);
    assert_eq!(receipt(&mock, &send(&mock, &signed(6, 0, USDC, own)))["status"], "0x1");
    assert_eq!(balance(&mock, rich), cap);
}

#[test]
fn what_reverts_never_uses_more_gas_than_it_brings() {
    let mock = Test::new().start();
    let look = (address(USDC), calldata(BALANCE_OF, &[number(1)]));
    let fail = (address(USDC), calldata(TRANSFER, &[number(0), number(1)]));
    let costly = aggregate(&[vec![look; 60], vec![fail.clone()]].concat());
    let sent = receipt(&mock, &send(&mock, &signed(0, 0, MULTICALL, costly)));
    assert_eq!((&sent["status"], &sent["gasUsed"]), (&json!("0x0"), &json!(format!("{GAS:#x}"))));
    let cheap = receipt(&mock, &send(&mock, &signed(0, 1, MULTICALL, aggregate(&[fail]))));
    let used = u64::from_str_radix(&cheap["gasUsed"].as_str().unwrap()[2..], 16).unwrap();
    assert!(cheap["status"] == "0x0" && (21_000..GAS).contains(&used), "{cheap}");
    let failed = admin(&mock, "GET", "/events?kind=settle_failed", None).assert_status(200).json();
    let texts: Vec<_> = failed["events"].as_array().unwrap().iter().map(|event| &event["data"]["message"]).collect();
    assert!(texts[0].as_str().unwrap().starts_with("out of gas: "), "{texts:?}");
    assert_eq!(texts[1], "execution reverted: Multicall3: call failed");
}

#[test]
fn native_coins_show_the_same_to_every_question() {
    for (unknown, stranger) in [("funded", true), ("empty", false)] {
        let mock = Test::new().config(&format!("accounts: {{unknown: {unknown}}}\n")).start();
        let made: Value =
            serde_json::from_str(&Door(&mock).say("accounts new carol --json")).expect("an account is printed");
        let made = made["address"].as_str().unwrap().to_owned();
        for (who, rich) in [
            (account(0).address, true),
            (made.as_str(), true),
            ("0x00000000000000000000000000000000000000aa", stranger),
            (USDC, false),
            (MULTICALL, false),
        ] {
            let told: U256 =
                result(&mock, "eth_getBalance", &json!([who, "latest"])).as_str().unwrap().parse().unwrap();
            let input = calldata(GET_ETH_BALANCE, &[address(who).into_word().0]);
            let seen: U256 = asked(&mock, MULTICALL, &input)["result"].as_str().unwrap().parse().unwrap();
            assert_eq!((told, told > U256::ZERO), (seen, rich), "{who}, unknown: {unknown}");
        }
    }
}

#[test]
fn a_settlement_of_our_own_by_permit2_tells_what_the_proxy_emits() {
    let mock = Test::new().start();
    let settled = mock.settle(&crate::permit2::payment("exact", "eip155:84532", USDC));
    let hash = settled["transaction"].as_str().unwrap();
    let logs = receipt(&mock, hash)["logs"].clone();
    let told = |log: &Value| (log["address"].as_str().unwrap().to_owned(), log["logIndex"].clone());
    let told: Vec<_> = logs.as_array().unwrap().iter().map(told).collect();
    assert_eq!(told, [(USDC.to_lowercase(), json!("0x0")), (PERMIT2_PROXY.to_lowercase(), json!("0x1"))]);
    assert_eq!(logs[1]["topics"], json!(["0x97088ec3606cfe8cc112180570d03fcde05f9b8e1bfef8e27784eaf5dd5691b6"]));
    let filter = json!([{"address": PERMIT2_PROXY, "fromBlock": "0x0"}]);
    assert_eq!(result(&mock, "eth_getLogs", &filter), json!([logs[1]]));
}

#[test]
fn the_receipt_that_never_comes_is_in_no_answer() {
    let mock = Test::new().start();
    add(&mock, &json!({"stage": "settle", "effect": "no_receipt", "match": {"door": "rpc"}}));
    let hash = send(&mock, &transfer(0));
    assert_eq!(receipt(&mock, &hash), Value::Null);
    assert_eq!(result(&mock, "eth_getBlockReceipts", &json!(["latest"])), json!([]));
    admin(&mock, "DELETE", "/faults", None).assert_status(200);
    let hash = send(&mock, &transfer(1));
    assert_eq!(result(&mock, "eth_getBlockReceipts", &json!(["latest"]))[0]["transactionHash"], hash);
}

#[test]
fn a_chain_that_stands_still_answers_as_it_stood_however_it_is_asked() {
    let mock = Test::new().start();
    let hash = send(&mock, &transfer(0));
    add(&mock, &json!({"stage": "call", "effect": "stalled", "match": {"door": "rpc"}}));
    assert_eq!(result(&mock, "eth_blockNumber", &json!([])), "0x1");
    let slot = || {
        let asked = json!({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []});
        answered(&mock, &Request::post_json(SOLANA, &asked))["result"].as_u64().unwrap()
    };
    let stood = slot();
    send(&mock, &transfer(1));
    advance(&mock, 10_000);
    assert_eq!(slot(), stood);
    // A question that was not asked before, and texts of a client that are of no use.
    for params in [json!(["latest", false]), json!(["pending", false, "x".repeat(100_000)]), json!(["0x1", false])] {
        let block = result(&mock, "eth_getBlockByNumber", &params);
        let pending = params[0] == "pending";
        assert_eq!(block["number"], if pending { "0x2" } else { "0x1" }, "{block}");
        assert_eq!(block["transactions"], if pending { json!([]) } else { json!([hash]) });
    }
    assert_eq!(result(&mock, "eth_getBlockByNumber", &json!(["0x2", false])), Value::Null);
    assert_eq!(result(&mock, "eth_blockNumber", &json!(["y".repeat(100_000)])), "0x1");
    admin(&mock, "DELETE", "/faults", None).assert_status(200);
    assert_eq!(result(&mock, "eth_blockNumber", &json!([])), "0x2");
    assert!(slot() >= stood + 25);
}
