//! Where a payer writes how much moves, to whom and until when: in a message on EVM networks, which is an authorization of
//! EIP-3009 or a permit of Permit2, in an instruction on Solana.

use super::Case;
use crate::networks::Family;

/// What a payer signs.
#[derive(Clone, Copy)]
enum Signs {
    Authorization,
    Permit,
    Transaction,
}

impl Case<'_> {
    /// The line of a language.
    pub(super) fn transfer(&self, name: &str) -> String {
        let (subject, language) = name.split_once('_').unwrap_or((name, ""));
        match subject {
            "move" => self.amount_line(language),
            "to" => self.payee_line(language),
            "until" => self.end_line(language),
            _ => self.witness_line(language).to_owned(),
        }
    }

    fn signs(&self) -> Signs {
        let method = self.terms.and_then(|terms| terms.pointer("/extra/assetTransferMethod")?.as_str());
        // What other families sign goes to the chain as it is: a new one has no line of its own to be missed here.
        if self.network.family != Family::Eip155 {
            return Signs::Transaction;
        }
        if self.is_upto() || method == Some("permit2") { Signs::Permit } else { Signs::Authorization }
    }

    fn amount_line(&self, language: &str) -> String {
        let (accepted, member) = (self.value("accepted"), self.value("amountKey"));
        let (member_py, member_go) = (self.value("amount_key"), self.value("AmountKey"));
        match (language, self.signs()) {
            ("ts", Signs::Authorization) => format!("value: {accepted}.{member}"),
            ("ts", Signs::Permit) => {
                format!("permitted: {{ token: {accepted}.asset, amount: {accepted}.{member} }}")
            }
            ("ts", Signs::Transaction) => {
                format!(
                    "getTransferCheckedInstruction({{ ...accounts, decimals, amount: BigInt({accepted}.{member}) }})"
                )
            }
            ("py", Signs::Authorization) => format!("value = req.{member_py}"),
            ("py", Signs::Permit) => {
                format!("permitted = {{\"token\": req.asset, \"amount\": req.{member_py}}}")
            }
            ("py", Signs::Transaction) => format!("amount = int(req.{member_py})"),
            (_, Signs::Authorization) => format!("value := requirements.{member_go}"),
            (_, Signs::Permit) => format!("permitted.Amount = requirements.{member_go}"),
            (_, Signs::Transaction) => format!("amount, err := strconv.ParseUint(requirements.{member_go}, 10, 64)"),
        }
    }

    fn payee_line(&self, language: &str) -> String {
        let accepted = self.value("accepted");
        let owner = "findAssociatedTokenPda({ mint, tokenProgram, owner:";
        match (language, self.signs()) {
            ("ts", Signs::Authorization) => format!("to: {accepted}.payTo"),
            ("ts", Signs::Permit) => format!("witness: {{ ...witness, to: {accepted}.payTo }}"),
            ("ts", Signs::Transaction) => format!("const [destination] = await {owner} {accepted}.payTo }});"),
            ("py", Signs::Authorization) => "to = req.pay_to".to_owned(),
            ("py", Signs::Permit) => "witness[\"to\"] = req.pay_to".to_owned(),
            ("py", Signs::Transaction) => {
                "destination = get_associated_token_address(Pubkey.from_string(req.pay_to), mint, token_program)"
                    .to_owned()
            }
            ("go", Signs::Authorization) => "to := requirements.PayTo".to_owned(),
            ("go", Signs::Permit) => "witness.To = requirements.PayTo".to_owned(),
            ("go", Signs::Transaction) => {
                "destination, _, err := solana.FindAssociatedTokenAddress(payTo, mint)".to_owned()
            }
            (_, Signs::Authorization | Signs::Permit) => "to: accepted.pay_to,".to_owned(),
            (_, Signs::Transaction) => {
                "let destination = get_associated_token_address_with_program_id(&pay_to, &mint, &token_program);"
                    .to_owned()
            }
        }
    }

    /// A transaction has no end of its own: that of an authorization stands there.
    fn end_line(&self, language: &str) -> String {
        let is_permit = matches!(self.signs(), Signs::Permit);
        let either = |permit: &str, authorization: &str| {
            if is_permit { permit.to_owned() } else { authorization.to_owned() }
        };
        let end = match language {
            "ts" => {
                let seconds = format!("Math.floor(Date.now() / 1000) + {}.maxTimeoutSeconds", self.value("accepted"));
                let (permit, authorization) =
                    (format!("deadline: BigInt({seconds})"), format!("validBefore: BigInt({seconds})"));
                return either(&permit, &authorization);
            }
            "py" => either("deadline = ", "valid_before = "),
            "go" => either("deadline := ", "validBefore := "),
            _ => either("let deadline = ", "let valid_before = "),
        };
        end + match language {
            "py" => "int(time.time()) + req.max_timeout_seconds",
            "go" => "time.Now().Unix() + int64(req.MaxTimeoutSeconds)",
            _ => "SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + max_timeout_seconds;",
        }
    }

    /// The witness that a permit of the scheme is signed with.
    fn witness_line(&self, language: &str) -> &'static str {
        match (language, self.is_upto()) {
            ("ts", false) => "permit2WitnessTypes",
            ("ts", true) => "uptoPermit2WitnessTypes",
            ("py", false) => {
                "[{\"name\": \"to\", \"type\": \"address\"}, {\"name\": \"validAfter\", \"type\": \"uint256\"}]"
            }
            ("py", true) => {
                "[{\"name\": \"to\", \"type\": \"address\"}, {\"name\": \"facilitator\", \"type\": \"address\"}, {\"name\": \"validAfter\", \"type\": \"uint256\"}]"
            }
            (_, false) => "struct Witness { address to; uint256 validAfter; }",
            (_, true) => "struct Witness { address to; address facilitator; uint256 validAfter; }",
        }
    }
}
