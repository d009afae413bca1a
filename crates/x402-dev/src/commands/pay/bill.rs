//! An invoice, as a buyer judges it: which tokens it asks for, for whom, and what speaks against it.

use serde_json::{Value, json};
use x402_sim::U256;
use x402_sim::networks::solana::assets::token_program;
use x402_sim::networks::solana::exact::draft::Transfer;
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::{Asset, Family, Network, Stage};
use x402_sim::registry;
use x402_wire::amount::Decimal;
use x402_wire::invoice::Invoice;

use super::choice::{Money, Taste, same_account};
use super::key::Payer;
use super::objection::Objection;
use super::story::{quoted, safe};

/// The longest memo that fits into a transaction beside a transfer, in bytes.
const MEMO: usize = 900;

/// An invoice, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The invoice as it was written.
    pub invoice: Invoice,
    /// The network, if it is known.
    pub network: Option<Network>,
    /// The asset, if it is known.
    asset: Option<Asset>,
    /// How much, in atomic units, if it is a number of the asset's.
    amount: Option<U256>,
    /// Who would pay.
    payer: String,
    /// What speaks against it.
    pub objection: Option<Objection>,
}

impl Bill {
    /// Judges an invoice.
    pub fn of(invoice: Invoice, taste: &Taste, payer: &Payer) -> Self {
        let network = cluster(&invoice.network);
        let asset = network.as_ref().and_then(|network| network.asset_by_symbol(&invoice.currency)).cloned();
        let decimals = asset.as_ref().map(|asset| asset.decimals);
        let amount = Decimal::parse(&invoice.amount).ok().zip(decimals);
        let amount = amount.and_then(|(amount, decimals)| amount.to_atomic(decimals).ok());
        let payer = payer.address_on(Family::Solana);
        let mut own = Self { invoice, network, asset, amount, payer, objection: None };
        own.objection = own.object(taste).or_else(|| own.transfer().err().map(Objection::NotSignable));
        own
    }

    /// The price in words.
    pub fn price(&self) -> String {
        format!("{} {}", self.invoice.amount, self.invoice.currency)
    }

    /// The price in dollars, where it is asked in an asset that is known: each of them is a dollar's.
    fn dollars(&self) -> Option<Decimal> {
        let asset = self.asset.as_ref()?;
        self.amount.map(|amount| Decimal::from_atomic(amount, asset.decimals))
    }

    fn object(&self, taste: &Taste) -> Option<Objection> {
        let Self { invoice, network, asset, amount, .. } = self;
        let Taste { network: on, asset: of, scheme, pay_to, limit, money, family } = taste;
        let on_it = |wanted: &String| network.as_ref().is_some_and(|network| network.is_called(wanted));
        let in_it = |wanted: &String| {
            let address = asset.as_ref().is_some_and(|asset| asset.address == *wanted);
            address || invoice.currency.eq_ignore_ascii_case(wanted)
        };
        if !on.as_ref().is_none_or(on_it) || !of.as_ref().is_none_or(in_it) || scheme.is_some() {
            return Some(Objection::NotAskedFor);
        }
        if !pay_to.as_deref().is_none_or(|wanted| same_account(&invoice.recipient, wanted)) {
            return Some(Objection::OtherPayee);
        }
        let Some(network) = network else { return Some(Objection::UnknownNetwork) };
        if network.stage == Stage::Main && *money == Money::Play {
            return Some(Objection::MainNetwork);
        }
        if family.is_some_and(|family| family != Family::Solana) {
            return Some(Objection::OtherKey);
        }
        if asset.is_none() {
            return Some(Objection::UnknownAsset);
        }
        let Some(amount) = *amount else { return Some(Objection::NoAmount) };
        Objection::of_limit(limit, amount, asset.as_ref())
    }

    /// The transfer that pays it; or what stands in its way.
    pub fn transfer(&self) -> Result<Transfer, String> {
        let key = |name: &str, text: &str| {
            Key::parse(text).ok_or_else(|| format!("its {name} {} is no address of Solana", quoted(text)))
        };
        let asset = self.asset.as_ref().ok_or("nobody knows its asset")?;
        let amount = self.amount.and_then(|amount| u64::try_from(amount).ok());
        let amount = amount.ok_or_else(|| format!("its amount {} is none", quoted(&self.invoice.amount)))?;
        let (recipient, mint) = (key("recipient", &self.invoice.recipient)?, key("asset", &asset.address)?);
        let payer = key("payer", &self.payer)?;
        if self.invoice.memo.is_empty() || self.invoice.memo.len() > MEMO {
            return Err(format!("its memo has {} bytes; a transaction takes 1 to {MEMO}", self.invoice.memo.len()));
        }
        let program = token_program(&asset.address);
        let account = |owner| Key::token_account(owner, mint, program);
        let (source, destination) = (account(payer), account(recipient));
        Ok(Transfer { program, source, mint, destination, authority: payer, amount, decimals: asset.decimals })
    }

    /// The parts of the transaction that pays it, for people. Nothing is signed for that.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let Ok(transfer) = self.transfer() else { return Vec::new() };
        let network = self.network.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            ("network", network),
            ("fee payer", self.payer.clone()),
            ("transferChecked", format!("{} ({} atomic units of {})", self.price(), transfer.amount, transfer.mint)),
            ("from", format!("{}, token account {}", self.payer, transfer.source)),
            ("to", format!("{}, token account {}", self.invoice.recipient, transfer.destination)),
            ("memo", self.invoice.memo.clone()),
        ]
    }

    /// The invoice, and the transaction that would pay it. Each part on a line of its own, whatever the seller writes.
    pub fn shown(&self) -> String {
        let Invoice { recipient, network, memo, .. } = &self.invoice;
        let dollars = self.dollars().map(|dollars| format!(" (${dollars})")).unwrap_or_default();
        let price = self.price();
        let mut lines = vec![safe(&format!("an invoice: {price}{dollars} to {recipient} on {network}, memo {memo}"))];
        if let Some(objection) = &self.objection {
            lines.push(safe(&format!("    {}", objection.with_remedy())));
        } else {
            lines.push("would be paid by a transaction:".to_owned());
            lines.extend(self.parts().iter().map(|(name, value)| safe(&format!("    {name:15}  {value}"))));
        }
        lines.join("\n")
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let parts = self.transfer().ok().map(|transfer| {
            json!({
                "cluster": self.network.as_ref().map(|network| &network.id), "feePayer": self.payer,
                "source": transfer.source.to_string(), "mint": transfer.mint.to_string(),
                "destination": transfer.destination.to_string(), "amount": transfer.amount.to_string(),
                "memo": self.invoice.memo,
            })
        });
        json!({
            "invoice": self.invoice, "transaction": parts,
            "objection": self.objection.as_ref().map(ToString::to_string),
        })
    }
}

/// The network of an invoice, which names a Solana cluster.
fn cluster(name: &str) -> Option<Network> {
    let v1 = match name {
        "devnet" | "testnet" => format!("solana-{name}"),
        "mainnet" | "mainnet-beta" => "solana".to_owned(),
        other => other.to_owned(),
    };
    let is_it = |network: &Network| network.is_called(&v1) && network.family == Family::Solana;
    registry::networks().into_iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use x402_sim::accounts;

    use super::*;
    use crate::commands::pay::limit::Limit;

    fn invoice() -> Invoice {
        Invoice {
            recipient: accounts::merchant().solana_address.into(),
            amount: "0.01".to_owned(),
            currency: "USDC".into(),
            memo: "req-1".to_owned(),
            network: "devnet".into(),
            timestamp: 1,
            expires_at: 2,
            resource_path: "/".to_owned(),
        }
    }

    fn judged(invoice: Invoice, taste: &Taste) -> Option<Objection> {
        Bill::of(invoice, taste, &Payer::Test(accounts::find("alice").unwrap())).objection
    }

    #[test]
    fn an_invoice_is_judged_as_an_offer_is() {
        let some = |text: &str| Some(text.to_owned());
        let plain = Taste::default;
        assert_eq!(judged(invoice(), &plain()), None);
        let main = || Invoice { network: "mainnet-beta".into(), ..invoice() };
        for (invoice, taste, objection) in [
            (main(), plain(), Some(Objection::MainNetwork)),
            (main(), Taste { money: Money::Real, ..plain() }, None),
            (Invoice { network: "base-sepolia".into(), ..invoice() }, plain(), Some(Objection::UnknownNetwork)),
            (Invoice { currency: "DOGE".into(), ..invoice() }, plain(), Some(Objection::UnknownAsset)),
            (Invoice { amount: "ten".into(), ..invoice() }, plain(), Some(Objection::NoAmount)),
            (Invoice { amount: "0.0000001".into(), ..invoice() }, plain(), Some(Objection::NoAmount)),
            (Invoice { amount: "1.01".into(), ..invoice() }, plain(), Some(Objection::OverLimit(Limit::default()))),
            (invoice(), Taste { network: some("solana-devnet"), asset: some("usdc"), ..plain() }, None),
            (invoice(), Taste { network: some("base-sepolia"), ..plain() }, Some(Objection::NotAskedFor)),
            (invoice(), Taste { scheme: some("exact"), ..plain() }, Some(Objection::NotAskedFor)),
            (invoice(), Taste { pay_to: some("somebody"), ..plain() }, Some(Objection::OtherPayee)),
            (invoice(), Taste { family: Some(Family::Eip155), ..plain() }, Some(Objection::OtherKey)),
        ] {
            assert_eq!(judged(invoice.clone(), &taste), objection, "{invoice:?} {taste:?}");
        }
        for invoice in [
            Invoice { recipient: "0xa0Ee".into(), ..invoice() },
            Invoice { memo: "x".repeat(MEMO + 1), ..invoice() },
            Invoice { memo: String::new(), ..invoice() },
        ] {
            assert!(matches!(judged(invoice, &plain()), Some(Objection::NotSignable(_))));
        }
    }
}
