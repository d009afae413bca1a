//! How much is charged for content where the payer has signed for at most an amount, or where the content's own handler
//! says it.

use axum::body::HttpBody;
use axum::response::Response;
use serde_json::Value;
use x402_sim::U256;
use x402_sim::merchant::metering::overridden;
use x402_sim::merchant::{Meter, Plan, Way};
use x402_wire::amount::Decimal;

use super::content::Overrides;
use super::sale::Sale;

/// The amount that the facilitator is asked to settle, if it is another than the one that was verified. What a handler
/// says counts more than the resource's own meter.
pub fn amount(sale: &Sale<'_>, requirements: &Value, made: Option<&Response>) -> Option<Value> {
    // Version 1 knows nothing of this.
    requirements.get("amount")?;
    let way = way_of(sale, requirements);
    let text = |key: &str| requirements.get(key).and_then(Value::as_str).unwrap_or_default();
    let bytes = made.and_then(|made| made.body().size_hint().exact()).unwrap_or_default();
    let said = made.and_then(|made| made.extensions().get::<Overrides>()).and_then(|said| said.0.to_str().ok());
    let said = said.and_then(|said| overridden(said, text("amount"), way.map(|way| way.asset.decimals)));
    said.or_else(|| {
        let Plan::Upto(meter) = &way?.plan else { return None };
        let most = text("amount").parse().ok()?;
        Some(Value::from(measured(sale, meter, most, bytes)?.to_string()))
    })
}

/// The requirements with the amount that is charged.
pub fn charged(requirements: &Value, amount: Value) -> Value {
    let mut charged = requirements.clone();
    if let Some(members) = charged.as_object_mut() {
        members.insert("amount".to_owned(), amount);
    }
    charged
}

/// What the meter shows; `None` where all of it is charged.
fn measured(sale: &Sale<'_>, meter: &Meter, most: U256, bytes: u64) -> Option<U256> {
    match meter {
        Meter::Whole => None,
        Meter::Fixed(amount) => Some((*amount).min(most)),
        Meter::PerByte(rate) => Some(rate.times(Decimal::from_atomic(U256::from(bytes), 0), most)),
        Meter::Header(name, rate) => {
            // The configuration was refused if the header is no number.
            let value = sale.item.response.as_ref()?.headers.get(name)?.to_str().ok()?;
            Some(rate.times(Decimal::parse(value).ok()?, most))
        }
        Meter::Random => Some(sale.state.act(|world, _| world.draw(most))),
    }
}

/// The way to pay that requirements of version 2 come from. Faults may have changed the rest of them.
fn way_of<'a>(sale: &'a Sale<'_>, requirements: &Value) -> Option<&'a Way> {
    let is = |key: &str, own: &str| requirements.get(key).and_then(Value::as_str) == Some(own);
    sale.item.ways().iter().find(|way| is("network", &way.network.id) && is("asset", &way.asset.address))
}
