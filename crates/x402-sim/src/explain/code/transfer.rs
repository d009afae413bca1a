//! Where a payer writes how much moves and to whom: in a message on EVM networks, in an instruction on Solana.

use super::Case;
use crate::networks::Family;

impl Case<'_> {
    /// The line of a language.
    pub(super) fn transfer(&self, name: &str) -> String {
        let (accepted, member) = (self.value("accepted"), self.value("amountKey"));
        let (member_py, member_go) = (self.value("amount_key"), self.value("AmountKey"));
        let owner = "findAssociatedTokenPda({ mint, tokenProgram, owner:";
        match (name, self.network.family) {
            ("move_ts", Family::Eip155) => format!("value: {accepted}.{member}"),
            ("move_ts", Family::Solana) => {
                format!(
                    "getTransferCheckedInstruction({{ ...accounts, decimals, amount: BigInt({accepted}.{member}) }})"
                )
            }
            ("move_py", Family::Eip155) => format!("value = req.{member_py}"),
            ("move_py", Family::Solana) => format!("amount = int(req.{member_py})"),
            ("move_go", Family::Eip155) => format!("value := requirements.{member_go}"),
            ("move_go", Family::Solana) => {
                format!("amount, err := strconv.ParseUint(requirements.{member_go}, 10, 64)")
            }
            ("to_ts", Family::Eip155) => format!("to: {accepted}.payTo"),
            ("to_ts", Family::Solana) => format!("const [destination] = await {owner} {accepted}.payTo }});"),
            ("to_py", Family::Eip155) => "to = req.pay_to".to_owned(),
            ("to_py", Family::Solana) => {
                "destination = get_associated_token_address(Pubkey.from_string(req.pay_to), mint, token_program)"
                    .to_owned()
            }
            ("to_go", Family::Eip155) => "to := requirements.PayTo".to_owned(),
            ("to_go", Family::Solana) => {
                "destination, _, err := solana.FindAssociatedTokenAddress(payTo, mint)".to_owned()
            }
            (_, Family::Eip155) => "to: accepted.pay_to,".to_owned(),
            (_, Family::Solana) => {
                "let destination = get_associated_token_address_with_program_id(&pay_to, &mint, &token_program);"
                    .to_owned()
            }
        }
    }
}
