//! The table of effects.

/// An effect's name, how its argument is written, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name.
    pub name: &'static str,
    /// The argument with its colon; empty where there is none.
    pub argument: &'static str,
    /// What it does.
    pub what: &'static str,
    /// Written out, for tests and documents.
    pub example: &'static str,
}

const fn row(name: &'static str, argument: &'static str, example: &'static str, what: &'static str) -> Row {
    Row { name, argument, what, example }
}

/// Every effect.
pub const EFFECTS: &[Row] = &[
    row(
        "refuse",
        ":REASON[,MESSAGE]",
        "refuse:invalid_exact_evm_insufficient_balance",
        "the payment is refused with this reason of the protocol, or any text",
    ),
    row("delay", ":DURATION", "delay:10s", "the right answer, so much later by the world's clock"),
    row("hang", "", "hang", "no answer; the connection stays open"),
    row("timeout", "[:DURATION]", "timeout:0ms", "a gateway gives up: 504, after `timeout_delay` or the duration"),
    row("status", ":CODE[,BODY]", "status:503", "this HTTP status, with the body or without one"),
    row("rate_limited", "[:SECONDS]", "rate_limited:7", "429 with `Retry-After`"),
    row("redirect", "[:ADDRESS]", "redirect", "308 to the same address, or to this one"),
    row("html", "[:CODE]", "html", "502, or this status, with a page of a proxy"),
    row("truncated", "", "truncated", "half of the body, then the end of the connection"),
    row("wrong_length", "", "wrong_length", "`Content-Length` announces 32 bytes more than come"),
    row("malformed_json", "", "malformed_json", "the body lacks its last byte"),
    row("wrong_type", "", "wrong_type", "the body is called `text/html`"),
    row("reset_before", "", "reset_before", "the connection is reset instead of an answer"),
    row("reset_within", "", "reset_within", "the connection is reset in the middle of the body"),
    row("reset_after", "", "reset_after", "the connection is reset after the last byte"),
    row(
        "pending",
        ":ENDING[,WAIT]",
        "pending:succeeds,1ask",
        "`settlement_pending`; it `succeeds`, `fails` or `never` ends, after `10s`, `3blocks` or `1ask`",
    ),
    row("noop", "", "noop", "success, and nothing moves"),
    row(
        "success_twice",
        "",
        "success_twice",
        "a payment that was settled before is said to succeed again (not of `upto`, whose settlement is simulated first)",
    ),
    row("reverted", ":WAIT", "reverted:10s", "success, and the transaction is undone after `10s` or `3blocks`"),
    row("double_settlement", "", "double_settlement", "the amount moves twice; `breaks-ledger`"),
    row("wrong_payer", "", "wrong_payer", "the answer names another payer"),
    row("wrong_amount", "", "wrong_amount", "the answer names another amount"),
    row("wrong_network", "", "wrong_network", "the answer names another network"),
    row("wrong_transaction", "", "wrong_transaction", "the answer names another transaction"),
    row("missing_transaction", "", "missing_transaction", "the answer names no transaction"),
    row("lost_receipt", "", "lost_receipt", "the answer comes without its receipt header"),
    row("drain", "", "drain", "the payer's balance is gone between verify and settle"),
    row("cancel_nonce", "", "cancel_nonce", "the authorization is cancelled between verify and settle"),
    row(
        "revoke_allowance",
        "",
        "revoke_allowance",
        "the payer's allowance to Permit2 is revoked between verify and settle; other payments do not need one",
    ),
    row("jump_clock", ":DURATION", "jump_clock:10m", "the clock jumps ahead between verify and settle"),
    row("price_raised", "[:FACTOR]", "price_raised:3", "who comes back to pay finds so many times the price"),
    row("payee_swapped", "", "payee_swapped", "the offer names another payee"),
    row("other_asset", "", "other_asset", "the offer asks for a token that only looks like the asset"),
    row("other_network", "", "other_network", "the offer asks for money on a main network"),
    row("accepts_reordered", "", "accepts_reordered", "a way a hundred times as dear stands first in `accepts`"),
    row("hostile_text", "", "hostile_text", "the description talks to language models"),
    row("timeout_expired", "", "timeout_expired", "`maxTimeoutSeconds` is 1: expired when it arrives"),
    row("timeout_giant", "", "timeout_giant", "`maxTimeoutSeconds` is ten years"),
    row("extra_missing", "", "extra_missing", "the offer has no `extra`, so that nobody can sign"),
    row("header_absent", "", "header_absent", "the offer comes without `PAYMENT-REQUIRED`"),
    row("header_oversized", "", "header_oversized", "`PAYMENT-REQUIRED` has more than 32 KiB"),
    row("empty", "", "empty", "paid, and the content is empty"),
    row("wrong_content", "", "wrong_content", "paid, and the content is another one"),
    row("cacheable", "", "cacheable", "paid content that shared caches may keep: `public`"),
    row("cors_missing", "", "cors_missing", "no `Access-Control-*` headers"),
    row("nonce_too_low", "", "nonce_too_low", "the chain refuses a transaction: its nonce was used meanwhile"),
    row("dropped", "", "dropped", "the chain takes a transaction, and it is never seen again"),
    row("no_receipt", "", "no_receipt", "the chain executes a transaction, and its receipt never comes"),
    row("stale_blockhash", "", "stale_blockhash", "the newest blockhash is an old one; a transaction's is too old"),
    row("stalled", "", "stalled", "the chain stands still: its newest block or slot stays the same"),
];
