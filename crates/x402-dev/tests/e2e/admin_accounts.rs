//! Accounts and money, by the door and by commands.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::admin::Door;
use crate::client::Request;
use crate::harness::{Mock, Test};
use crate::payer::{Payment, requirements};

/// A mock with one network, the same in every run.
fn start() -> Mock {
    Test::new().arg("--seed").arg("1").arg("--network").arg("eip155:84532").start()
}

#[test]
fn accounts_are_listed_with_what_they_hold() {
    let mock = start();
    let door = Door(&mock);
    let accounts = door.get("/accounts");
    let accounts = accounts["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 20);
    for (index, account) in accounts.iter().enumerate() {
        assert_eq!(account["index"], index);
        for way in [&account["index"].to_string(), account["address"].as_str().unwrap()] {
            assert_eq!(&door.get(&format!("/accounts/{way}")), account);
        }
    }
    let persona = |name: &str| accounts.iter().find(|account| account["name"] == name).unwrap();
    let amount = |account: &Value| account["balances"][0]["amount"].clone();
    assert_eq!((amount(persona("broke")), amount(persona("dust"))), (json!("0"), json!("0.000001")));
    assert_eq!((&persona("blocked")["blocked"], &persona("alice")["blocked"]), (&json!(true), &json!(false)));
    assert_eq!(door.say("accounts --json").trim(), door.send(Request::get("/_x402/api/accounts")).text());
    assert_snapshot!("accounts", door.say("accounts"));
    let nobody = door.send(Request::get("/_x402/api/accounts/nobody")).problem(404, "unknown_account");
    assert!(nobody["hint"].as_str().unwrap().contains("x402-dev accounts"));
}

#[test]
fn money_comes_out_of_nothing_and_a_balance_never_goes_below_zero() {
    let mock = start();
    let door = Door(&mock);
    assert_eq!(door.say("fund alice 5"), "alice holds 1000005 USDC on eip155:84532\n");
    assert_eq!(door.say("fund alice $0.5"), "alice holds 1000005.5 USDC on eip155:84532\n");
    assert_eq!(door.say("fund alice -2"), "alice holds 1000003.5 USDC on eip155:84532\n");
    assert_eq!(door.say("fund alice 7 --set"), "alice holds 7 USDC on eip155:84532\n");
    assert_eq!(door.say("balance alice"), "alice holds 7 USDC on eip155:84532\n");
    assert_snapshot!(door.say("balance alice --network base-sepolia --asset usdc --json"), @r#"{"account":"alice","balances":[{"network":"eip155:84532","symbol":"USDC","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","amount":"7","atomic":"7000000"}]}"#);
    for (account, body, status, code) in [
        ("alice", json!({"amount": "-7.000001"}), 409, "balance_too_low"),
        ("alice", json!({"amount": "-1", "set": true}), 409, "balance_too_low"),
        ("alice", json!({"amount": "0.0000001"}), 409, "amount_too_precise"),
        ("alice", json!({"amount": "9".repeat(78)}), 409, "amount_too_large"),
        ("alice", json!({"amount": format!("{}", x402_sim::U256::MAX)}), 409, "amount_too_large"),
        ("alice", json!({"amount": "1", "network": "eip155:1"}), 404, "unknown_network"),
        ("alice", json!({"amount": "1", "asset": "DOGE"}), 404, "unknown_asset"),
        ("alice", json!({"amount": "1 DOGE"}), 404, "unknown_asset"),
        ("alice", json!({"amount": "1 USDT", "asset": "USDC"}), 404, "unknown_asset"),
        ("nobody", json!({"amount": "1"}), 404, "unknown_account"),
    ] {
        door.post(&format!("/accounts/{account}/fund"), &body).problem(status, code);
    }
    assert_eq!(door.say("balance alice"), "alice holds 7 USDC on eip155:84532\n", "nothing of it had an effect");
    assert_eq!(door.changes().last().unwrap(), "alice now holds 7 USDC on eip155:84532");
    // Funded money can be spent, and not more of it.
    assert_eq!(door.say("fund broke 0.01"), "broke holds 0.01 USDC on eip155:84532\n");
    let by_broke = || Payment::of(&requirements()).by_account(x402_sim::accounts::find("broke").unwrap()).request();
    assert_eq!(mock.settle(&by_broke())["success"], true);
    assert_eq!(mock.settle(&by_broke())["success"], false);
}

#[test]
fn an_account_is_made_with_a_key_of_its_own() {
    let mock = start();
    let door = Door(&mock);
    assert_snapshot!(door.say("accounts new carol"), @r"
    account  carol
    index    20
    address  0xA2A2BCfc9696D1ab341EFf5031Fb058cb241E179
    key      0x54743dc5e24d2a413b159584c1226df6eccfc4caa8cd7b63c7cb56ff66cd60b5
    balance  1000000 USDC
    ");
    let made: Value = serde_json::from_str(&door.say("accounts new --json")).unwrap();
    assert_eq!((&made["index"], &made["role"]), (&json!(21), &json!("made")));
    for name in ["carol", "alice"] {
        door.post("/accounts", &json!({"name": name})).problem(409, "name_taken");
    }
    assert_eq!(door.get("/accounts/carol")["index"], 20);
    assert_eq!(door.changes(), ["carol was made", "account 21 was made"]);
}

#[test]
fn a_blacklisted_account_cannot_pay_until_it_is_taken_off_the_list() {
    let mock = start();
    let door = Door(&mock);
    let pay = || mock.settle(&Payment::of(&requirements()).by(3).request())["success"].clone();
    assert_eq!(pay(), true);
    assert_eq!(door.say("accounts block 3"), "account 3 is blacklisted: its transfers revert\n");
    assert_eq!(pay(), false);
    assert!(door.say("accounts").lines().nth(4).unwrap().ends_with("BLACKLISTED"));
    assert_eq!(door.say("accounts unblock 3"), "account 3 is not blacklisted\n");
    assert_eq!(pay(), true);
    door.send(Request::new("POST", "/_x402/api/accounts/nobody/block")).problem(404, "unknown_account");
}

#[test]
fn a_command_says_how_it_went_by_its_exit_code() {
    let mock = start();
    let door = Door(&mock);
    for (line, code) in [
        ("balance nobody", 1),
        ("fund broke -1", 1),
        ("fund alice lots", 64),
        ("fund alice", 64),
        ("accounts new Carol", 64),
        ("clock rate fast", 64),
        ("clock advance soon", 64),
        ("snapshot export", 64),
        ("events --filter settled", 64),
        ("accounts --name nobody", 2),
        ("accounts --name a --url http://localhost:1", 64),
        ("accounts --url https://localhost", 64),
        ("accounts --url http://127.0.0.1:1", 69),
    ] {
        let run = door.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{line}: {run:?}");
        assert!(run.stderr.starts_with("error: "), "{line}: {run:?}");
        let run = door.run(&format!("{line} --json"));
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        if code != 64 {
            let said: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(said["exit"], code, "{said}");
            assert!(said["error"].is_string(), "{said}");
        }
    }
    let said: Value = serde_json::from_str(&door.run("balance nobody --json").stdout).unwrap();
    assert_eq!(said["code"], "unknown_account");
}

#[test]
fn a_solana_key_is_printed_as_key_files_and_wallets_take_it() {
    use x402_sim::accounts::find;
    use x402_sim::networks::solana::{parse_address, parse_signature};
    for (who, address) in [("0", find("0").unwrap().solana_address), ("alice", find("alice").unwrap().solana_address)] {
        let run = |words: &[&str]| {
            let run = Test::new().run(&[&["accounts", "keypair", who], words].concat());
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
            run.stdout
        };
        let file: Vec<u8> = serde_json::from_str(&run(&[])).unwrap();
        assert_eq!(Some(&file[32..]), parse_address(address).as_ref().map(<[u8; 32]>::as_slice), "{who}");
        // Sixty-four bytes in base58, as a signature is.
        assert_eq!(parse_signature(run(&["--base58"]).trim()).map(Vec::from), Some(file), "{who}");
    }
    let run = Test::new().run(&["accounts", "keypair", "mallory"]);
    assert_eq!(run.code, Some(64));
    assert!(run.stderr.contains("no test account is called so") && run.stdout.is_empty(), "{run:?}");
}
