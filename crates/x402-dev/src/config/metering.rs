//! Metered prices: `{upto: $0.10, charge: ...}`, and what is charged in atomic units of every asset.

use x402_sim::merchant::Meter;
use x402_sim::merchant::metering::Rate;
use x402_sim::networks::Asset;
use x402_wire::U256;
use x402_wire::amount::{Decimal, Price};

use super::cursor::Cursor;
use super::keys;
use super::tree::Value;

/// What is charged, as it was written, and where.
#[derive(Clone, Debug)]
pub(super) struct Charge<'a> {
    what: What,
    cursor: Cursor<'a>,
}

#[derive(Clone, Debug)]
enum What {
    Fixed(Decimal),
    PerByte(Decimal),
    Header(String, Decimal),
    Random,
}

impl<'a> Charge<'a> {
    /// Reads a charge: a price, `random`, `{per_byte: PRICE}` or `{header: NAME, each: PRICE}`.
    pub(super) fn read(cursor: &Cursor<'a>) -> Option<Self> {
        let what = match cursor.node.value {
            Value::Mapping(_) => by_measure(cursor)?,
            _ if cursor.text()? == "random" => What::Random,
            _ => What::Fixed(money(cursor)?),
        };
        Some(Self { what, cursor: cursor.clone() })
    }

    /// The charge in atomic units of an asset, where at most `most` may be charged.
    pub(super) fn meter(&self, asset: &Asset, most: U256) -> Option<Meter> {
        let refuse = |message: String| self.cursor.refuse(self.cursor.problem(message));
        let rate = |price: &Decimal| match Rate::new(*price, asset.decimals) {
            Ok(rate) => Some(rate),
            Err(error) => {
                self.cursor.problems.note(self.cursor.problem(format!("{error}: {}", asset.symbol)));
                None
            }
        };
        match &self.what {
            What::Fixed(amount) => match amount.to_atomic(asset.decimals) {
                Ok(atomic) if atomic <= most => Some(Meter::Fixed(atomic)),
                Ok(_) => {
                    let most = Decimal::from_atomic(most, asset.decimals);
                    refuse(format!("{amount} is more than the {most} that payers sign for"))
                }
                Err(error) => refuse(format!("{error}: {}", asset.symbol)),
            },
            What::PerByte(price) => rate(price).map(Meter::PerByte),
            What::Header(name, price) => rate(price).map(|rate| Meter::Header(name.clone(), rate)),
            What::Random => Some(Meter::Random),
        }
    }

    /// Refuses a charge that needs something of the content which the configured answer does not have.
    pub(super) fn suits(&self, response: Option<&super::model::Response>) -> Option<()> {
        let refuse =
            |message: String, hint: &str| self.cursor.refuse(self.cursor.problem(message).hinted(hint.to_owned()));
        match &self.what {
            What::PerByte(_) if response.is_none_or(|response| response.body.is_empty()) => refuse(
                "there is no configured body to count the bytes of".to_owned(),
                "give the resource a `response` with a body",
            ),
            What::Header(name, _) => {
                let value =
                    response.and_then(|response| response.headers.get(name.as_str())).and_then(|it| it.to_str().ok());
                match value.map(Decimal::parse) {
                    Some(Ok(_)) => Some(()),
                    Some(Err(_)) => refuse(
                        format!("the header `{name}` of the response is no number"),
                        "write decimal digits, such as `1200` or `0.5`",
                    ),
                    None => refuse(format!("the response has no header `{name}`"), "add it to `response.headers`"),
                }
            }
            What::Fixed(_) | What::PerByte(_) | What::Random => Some(()),
        }
    }
}

fn by_measure(cursor: &Cursor<'_>) -> Option<What> {
    let fields = cursor.fields(keys::CHARGE)?;
    if let Some(per_byte) = fields.get("per_byte") {
        if let Some(other) = fields.get("header").or_else(|| fields.get("each")) {
            return other.refuse(other.problem("a charge goes by bytes or by a header, not by both"));
        }
        return money(&per_byte).map(What::PerByte);
    }
    let header = fields.require("header").and_then(|name| {
        let text = name.text()?;
        let known = http::HeaderName::from_bytes(text.as_bytes()).ok();
        known.or_else(|| name.refuse(name.problem(format!("`{text}` is not the name of a header"))))
    });
    let each = fields.require("each").and_then(|price| money(&price));
    Some(What::Header(header?.as_str().to_owned(), each?))
}

/// An amount in whole units of the asset that the price names.
fn money(cursor: &Cursor<'_>) -> Option<Decimal> {
    match Price::parse(cursor.text()?) {
        Ok(Price::Free) => Decimal::parse("0").ok(),
        Ok(Price::Money { amount, ticker: None }) => Some(amount),
        Ok(Price::Money { ticker: Some(ticker), .. }) => {
            let problem = cursor.problem(format!("a charge is in the asset that is paid with, not in `{ticker}`"));
            cursor.refuse(problem.hinted("write the number alone, such as `$0.03`"))
        }
        Err(error) => cursor.refuse(cursor.problem(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{loaded, problems};

    fn resource(price: &str) -> String {
        format!(
            "resources:\n- match: /a\n  price: {price}\n  response: {{headers: {{x-tokens: 1200, x-words: many}}, text: hello}}\n"
        )
    }

    #[test]
    fn metered_prices_are_read_in_every_form() {
        let read = |price: &str| {
            let config = loaded(&resource(price)).config;
            let (_, resource) = config.resources.find("GET", "/a").unwrap();
            let accept = &resource.accepts[0];
            let offer = resource.offer();
            format!("{} | {} | {:?} | {}", resource.price, accept.amount, accept.plan, offer.v2[0].scheme)
        };
        insta::assert_snapshot!(
            ["{upto: $0.10}", "{upto: 0.1, charge: $0.03}", "{upto: 0.1, charge: 0}", "{upto: 0.1, charge: random}",
             "{upto: 0.1, charge: {per_byte: 0.0000001}}", "{upto: 0.1, charge: {header: X-Tokens, each: 0.00001}}",
             "{upto: 0.1 USDC, charge: 0.1}"].map(read).join("\n"),
            @r#"
            up to $0.1 | 100000 | Upto(Whole) | upto
            up to $0.1 | 100000 | Upto(Fixed(30000)) | upto
            up to $0.1 | 100000 | Upto(Fixed(0)) | upto
            up to $0.1 | 100000 | Upto(Random) | upto
            up to $0.1 | 100000 | Upto(PerByte(Rate(100000000000))) | upto
            up to $0.1 | 100000 | Upto(Header("x-tokens", Rate(10000000000000))) | upto
            up to 0.1 USDC | 100000 | Upto(Fixed(100000)) | upto
            "#
        );
        let config = loaded(&resource("{upto: 0.1}")).config;
        let offer = config.resources.find("GET", "/a").unwrap().1.offer();
        assert!(offer.v1.is_empty() && offer.invoice.is_none());
        insta::assert_snapshot!(serde_json::to_string(&offer.v2[0].extra).unwrap(), @r#"{"assetTransferMethod":"permit2","facilitatorAddress":"0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f","name":"USDC","version":"2"}"#);
    }

    #[test]
    fn metered_prices_that_are_wrong_are_refused() {
        let prices = [
            "{upto: free}",
            "{upto: 0 USDC}",
            "{upto: {asset: USDC, amount: 0}}",
            "{upto: much}",
            "{charge: 1}",
            "{upto: 0.1, charge: 0.2}",
            "{upto: 0.1, charge: some}",
            "{upto: 0.1, charge: 0.05 EURC}",
            "{upto: 0.1, charge: {per_byte: 0.00000000000000000000001}}",
            "{upto: 0.1, charge: {per_byte: 1, header: x-tokens}}",
            "{upto: 0.1, charge: {header: x-tokens}}",
            "{upto: 0.1, charge: {header: x-other, each: 1}}",
            "{upto: 0.1, charge: {header: x-words, each: 1}}",
            "{upto: 0.1, charge: {per_bite: 1}}",
            "{upto: 0.1, chrage: 1}",
            "{upto: {upto: 1}}",
        ];
        insta::assert_snapshot!(prices.map(|price| problems(&resource(price))).join("\n"), @r"
            .x402dev.yaml:3:17: resources[0].price.upto: `upto` is the most that a payer signs for: a price above zero
            .x402dev.yaml:3:17: resources[0].price.upto: `upto` is the most that a payer signs for: a price above zero
            .x402dev.yaml:3:17: resources[0].price.upto: `upto` is the most that a payer signs for: a price above zero
            .x402dev.yaml:3:17: resources[0].price.upto: `much` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:3:10: resources[0].price: the key `upto` is missing here
            .x402dev.yaml:3:30: resources[0].price.charge: 0.2 is more than the 0.1 that payers sign for
            .x402dev.yaml:3:30: resources[0].price.charge: `some` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:3:30: resources[0].price.charge: a charge is in the asset that is paid with, not in `EURC` [write the number alone, such as `$0.03`]
            .x402dev.yaml:3:30: resources[0].price.charge: 0.00000000000000000000001 has more than the 18 decimals that the asset can hold: USDC
            .x402dev.yaml:3:52: resources[0].price.charge.header: a charge goes by bytes or by a header, not by both
            .x402dev.yaml:3:30: resources[0].price.charge: the key `each` is missing here
            .x402dev.yaml:3:30: resources[0].price.charge: the response has no header `x-other` [add it to `response.headers`]
            .x402dev.yaml:3:30: resources[0].price.charge: the header `x-words` of the response is no number [write decimal digits, such as `1200` or `0.5`]
            .x402dev.yaml:3:30: resources[0].price.charge: the key `header` is missing here
            .x402dev.yaml:3:30: resources[0].price.charge: the key `each` is missing here
            .x402dev.yaml:3:31: resources[0].price.charge.per_bite: there is no key `per_bite` here [did you mean `per_byte`?]
            .x402dev.yaml:3:22: resources[0].price.chrage: there is no key `chrage` here [did you mean `charge`?]
            .x402dev.yaml:3:17: resources[0].price.upto: `upto` is the most that a payer signs for: a price above zero
        ");
        insta::assert_snapshot!(
            problems("resources:\n- {match: /a, price: {upto: 1, charge: {per_byte: 1}}}\npricing: {default: {upto: 1, charge: {header: x, each: 1}}}\n"),
            @r"
            .x402dev.yaml:2:40: resources[0].price.charge: there is no configured body to count the bytes of [give the resource a `response` with a body]
            .x402dev.yaml:3:38: pricing.default.charge: the response has no header `x` [add it to `response.headers`]
            "
        );
    }
}
