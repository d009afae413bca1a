//! Requests of the other kinds of payment, and of the chains' own doors.

use alloy_primitives::{hex, keccak256};
use serde_json::{Value, json};
use x402_dev::clock;
use x402_sim::accounts::{self, TestAccount};
use x402_sim::networks::eip155::checksum;
use x402_sim::networks::eip155::eip3009::draft::{self, Surroundings};
use x402_sim::networks::eip155::signature::Ecdsa;
use x402_sim::networks::eip155::transaction::{Transaction, transfer_calldata};
use x402_sim::networks::solana::exact::draft as solana;
use x402_sim::networks::solana::{DEVNET, blockhash, key_of};
use x402_sim::registry::Version;
use x402_wire::document::Document;

use crate::payments::{MERCHANT, NETWORK, Signer, TOKEN, Till};

/// The mint of USDC on Solana devnet.
const MINT: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";

/// A payment by Permit2 that was never seen before: 10,000 atomic units by `exact`, or as much at most by `upto`.
pub(crate) fn permit2(scheme: &str, number: u64) -> String {
    let extra = json!({
        "name": TOKEN.name, "version": TOKEN.version, "assetTransferMethod": "permit2",
        "facilitatorAddress": accounts::facilitator().address,
    });
    let asked = json!({
        "scheme": scheme, "network": NETWORK, "amount": "10000", "asset": checksum(TOKEN.contract),
        "payTo": checksum(MERCHANT), "maxTimeoutSeconds": 300, "extra": extra,
    });
    let terms = draft::Terms::read(Version::V2, &document(&asked)).expect("the requirements are whole");
    let now = clock::now() / 1000;
    let nonce = keccak256(format!("{scheme} {number} of {}", std::process::id()));
    let occasion = draft::Occasion { now, lifetime: Some(3600), nonce };
    let drafted = terms.draft(payer(number).into(), &occasion);
    let signed = drafted.sign(Surroundings::default(), None).expect("no defect is asked for");
    body(&signed.payload, &asked)
}

/// A payment on Solana that was never seen before.
pub(crate) fn on_solana(number: u64) -> String {
    let asked = json!({
        "scheme": "exact", "network": DEVNET, "amount": "10000", "asset": MINT,
        "payTo": accounts::merchant().solana_address, "maxTimeoutSeconds": 300,
        "extra": {"feePayer": accounts::facilitator().solana_address},
    });
    let terms = solana::Terms::read(Version::V2, &document(&asked)).expect("the requirements are whole");
    let payer = payer(number);
    let blockhash = blockhash::make(DEVNET, blockhash::slot(clock::now()), number);
    let occasion = solana::Occasion::of(terms.mint, blockhash, format!("{number} of {}", std::process::id()));
    let transaction = terms.draft(key_of(&payer), &occasion).sign_by(&payer).to_base64();
    body(&solana::payload(&terms, &transaction, None, None), &asked)
}

/// A question for the balance of a token's holder.
pub(crate) fn balance(number: u64) -> String {
    let owner = payer(number).evm().into_word();
    let data = hex::encode_prefixed([[0x70, 0xa0, 0x82, 0x31].as_slice(), owner.as_slice()].concat());
    call("eth_call", &json!([{"to": checksum(TOKEN.contract), "data": data}, "latest"]))
}

/// A settlement that somebody else sends: the first transaction of a new account, which settles an authorization.
pub(crate) fn sent(till: &mut Till) -> String {
    let (authorization, compact, parity) = till.signed(Signer::Payer);
    let signature = Ecdsa::from_bytes(&whole(&compact, parity));
    let input = transfer_calldata(&authorization, &signature);
    let settlement = Transaction { chain_id: TOKEN.chain_id, nonce: 0, to: TOKEN.contract, input };
    let raw = settlement.sign(&keccak256(authorization.nonce)).raw;
    call("eth_sendRawTransaction", &json!([raw.to_string()]))
}

/// A signature in 65 bytes.
pub(crate) fn whole(compact: &[u8; 64], parity: u8) -> [u8; 65] {
    let mut whole = [27 + parity; 65];
    whole[..64].copy_from_slice(compact);
    whole
}

fn call(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// Seven of the test accounts take turns.
fn payer(number: u64) -> TestAccount {
    let index = usize::try_from(number % 7).expect("it is small");
    accounts::test_accounts().nth(index).expect("there are ten")
}

fn document(value: &Value) -> Document {
    Document::parse(value.to_string().as_bytes()).expect("it was JSON")
}

fn body(payload: &Document, asked: &Value) -> String {
    format!(r#"{{"x402Version":2,"paymentPayload":{},"paymentRequirements":{asked}}}"#, payload.to_json())
}
