//! Commands of this program in a fix, with what they need in the case at hand: the account, the amount, the network.

use x402_wire::amount::{Decimal, parse_atomic};

use super::explanation::Explanation;
use super::judge::Attempt;
use super::repair;
use crate::networks::{eip155, solana};
use crate::registry;

/// The commands as the table of findings writes them.
const FUND: &str = "`x402-dev fund <ACCOUNT> <AMOUNT> --network <NETWORK>`";
const APPROVE: &str = "`x402-dev approve <ACCOUNT> --network <NETWORK>`";

/// The least amount that a command names, in whole units: enough for some payments of a test.
const LEAST: &str = "5";

/// Writes the commands of all fixes out.
pub(super) fn complete(attempt: &Attempt, explanation: &mut Explanation) {
    let is_open = |fix: &str| fix.contains(FUND) || fix.contains(APPROVE);
    if !explanation.findings.iter().any(|finding| is_open(&finding.fix)) {
        return;
    }
    let Some(place) = place(attempt) else { return };
    for finding in explanation.findings.iter_mut().filter(|finding| is_open(&finding.fix)) {
        // The account that lacks something is the payee's, where the finding says so.
        let of_payee = finding.evidence.iter().any(|seen| seen.contains(repair::OF_PAYEE));
        let payee = || attempt.asked("/payTo").map(str::to_owned);
        let account = if of_payee { payee() } else { repair::payer(attempt) };
        let Some(account) = account.filter(|account| is_address(account)) else { continue };
        let fund = format!("`x402-dev fund {account} {} {place}`", amount(attempt));
        finding.fix =
            finding.fix.replace(FUND, &fund).replace(APPROVE, &format!("`x402-dev approve {account} {place}`"));
    }
}

fn is_address(text: &str) -> bool {
    eip155::parse_address(text).is_some() || solana::parse_address(text).is_some()
}

/// The network and the asset, as flags. What stands in a payment is written into a command only where it is known to be
/// nothing else.
fn place(attempt: &Attempt) -> Option<String> {
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte));
    let network = attempt.asked("/network").filter(|name| is_word(name) && !name.starts_with('-'))?;
    let asset = attempt.asked("/asset").filter(|asset| is_address(asset));
    let networks = registry::networks();
    let own = networks.iter().find(|own| own.is_called(network));
    let is_first = |asset: &str| {
        let named = own.and_then(|own| own.asset_by_address(asset));
        named.is_some() && named == own.and_then(|own| own.assets.first())
    };
    let asset = asset.filter(|asset| !is_first(asset)).map(|asset| format!(" --asset {asset}")).unwrap_or_default();
    Some(format!("--network {network}{asset}"))
}

/// More than the payment moves, in whole units.
fn amount(attempt: &Attempt) -> String {
    let asked = |key: &str| attempt.asked(key).map(str::to_owned);
    let network = asked("/network").unwrap_or_default();
    let networks = registry::networks();
    let own = networks.iter().find(|own| own.is_called(&network));
    let asset = own.and_then(|own| own.asset_by_address(&asked("/asset")?));
    let units = attempt.asked(attempt.amount_key()).and_then(parse_atomic);
    let whole = units.zip(asset).map(|(units, asset)| Decimal::from_atomic(units, asset.decimals).to_string());
    match whole {
        Some(whole) if whole.split('.').next().is_some_and(|digits| digits.len() > 1 || digits >= LEAST) => whole,
        _ => LEAST.to_owned(),
    }
}
