//! Why a proof does not redeem an invoice.

/// Why a proof does not redeem an invoice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// Neither a memo nor a signature.
    #[error("the proof is neither the signature of a Solana transaction, in base58, nor a memo of the form req-<uuid>")]
    Malformed,
    /// Not issued here, as far as is known.
    #[error(
        "this server did not issue that memo for this resource at this price, nor for any other that it was asked for lately: \
         it is another server's, or of before this one started anew, or letters of it were changed"
    )]
    NotIssued,
    /// Issued for another resource or price.
    #[error("this server issued that memo for {resource}, and not for this request, {own}")]
    IssuedFor {
        /// What it was issued for: method, path and amount.
        resource: String,
        /// What is asked for now.
        own: String,
    },
    /// Too late.
    #[error("the invoice expired {seconds} s ago")]
    Expired {
        /// How long ago, in seconds.
        seconds: u64,
    },
    /// Used before.
    #[error("the invoice was paid before")]
    Spent,
    /// The memo alone, where a transaction has to pay.
    #[error(
        "nobody has paid this invoice yet: send {amount} USDC to {recipient} on Solana devnet with this memo, and give the \
         transaction's signature as the proof; the memo alone is enough with `verification: accept`, or with the header \
         `X-Simulation-Mode: success`"
    )]
    NotPaid {
        /// The amount in whole units.
        amount: String,
        /// Who is paid.
        recipient: &'static str,
    },
    /// A transaction that is not on the chain.
    #[error("there is no such transaction on the simulated Solana devnet")]
    NoTransaction,
    /// A transaction on another cluster.
    #[error("the transaction was sent to {network}, and the invoice asks for Solana devnet")]
    OtherCluster {
        /// The cluster, in CAIP-2.
        network: String,
    },
    /// A transaction that moved nothing.
    #[error("the transaction failed on the chain: it moved nothing")]
    Failed,
    /// A transaction of a payment by `exact`.
    #[error("a facilitator settled the transaction: it has paid for something already")]
    Settled,
    /// A transaction without a transfer.
    #[error("the transaction moves nothing to the recipient {recipient}")]
    NothingMoved {
        /// Who is to be paid.
        recipient: &'static str,
    },
    /// Another amount.
    #[error("the transaction moves {moved} to the recipient, and the invoice asks for {asked}")]
    OtherAmount {
        /// What it moves, with its symbol.
        moved: String,
        /// What is asked, with its symbol.
        asked: String,
    },
    /// Somebody else's.
    #[error("the transaction moves {moved} to {to}, and the invoice asks for {recipient}")]
    OtherRecipient {
        /// What it moves, with its symbol.
        moved: String,
        /// Who gets it.
        to: String,
        /// Who is to be paid.
        recipient: &'static str,
    },
    /// Something else than what is asked.
    #[error("the transaction moves {moved}, and the invoice asks for {asked}")]
    OtherCurrency {
        /// What it moves, with its symbol.
        moved: String,
        /// What is asked, with its symbol.
        asked: String,
    },
    /// No memo, or more than one.
    #[error("the transaction carries {count} memos, and the invoice asks for exactly one: its own")]
    MemoCount {
        /// How many.
        count: usize,
    },
    /// The invoice's memo within another text, or in other letters.
    #[error("the memo in the transaction is \"{seen}\", and the invoice's is \"{memo}\"")]
    MemoAltered {
        /// The memo in the transaction, shortened.
        seen: String,
        /// The invoice's.
        memo: String,
    },
    /// A memo of something else.
    #[error("the memo in the transaction is \"{seen}\", and an invoice's has the form req-<uuid>")]
    MemoForeign {
        /// The memo in the transaction, shortened.
        seen: String,
    },
    /// No such payer.
    #[error("X-Payment-From names no test account; give an index, a name or an address of one")]
    UnknownPayer,
    /// The asset moves nothing of the payer's.
    #[error("test account {index} is blacklisted: no asset moves its money")]
    PayerBlocked {
        /// The account's index.
        index: usize,
    },
    /// The payer has too little.
    #[error("test account {index} holds too little for {amount} USDC")]
    InsufficientFunds {
        /// The account's index.
        index: usize,
        /// The amount in whole units.
        amount: String,
    },
}

impl InvoiceError {
    /// The reason string.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "invoice_memo_malformed",
            Self::NotIssued | Self::IssuedFor { .. } => "invoice_memo_not_issued",
            Self::Expired { .. } => "invoice_expired",
            Self::Spent => "invoice_already_paid",
            Self::NotPaid { .. } => "invoice_not_paid",
            Self::NoTransaction => "invoice_transaction_not_found",
            Self::OtherCluster { .. } => "invoice_transaction_cluster",
            Self::Failed => "invoice_transaction_failed",
            Self::Settled => "invoice_transaction_settled",
            Self::NothingMoved { .. } => "invoice_transaction_mismatch",
            Self::OtherAmount { .. } => "invoice_transaction_amount",
            Self::OtherRecipient { .. } => "invoice_transaction_recipient",
            Self::OtherCurrency { .. } => "invoice_transaction_currency",
            Self::MemoCount { .. } | Self::MemoAltered { .. } | Self::MemoForeign { .. } => "invoice_transaction_memo",
            Self::UnknownPayer => "invoice_payer_unknown",
            Self::PayerBlocked { .. } => "invoice_payer_blocked",
            Self::InsufficientFunds { .. } => "invoice_insufficient_funds",
        }
    }
}
