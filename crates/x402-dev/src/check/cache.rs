//! Rules about caches: answers that came out of one, or may go into one.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;

use super::exchange::Exchange;

/// Looks at an answer that asks for a payment, or follows one.
pub fn look(own: &Exchange, name: &str, explanation: &mut Explanation) {
    let is_paid = own.payment().is_some();
    if own.status != 402 && !is_paid {
        return;
    }
    let stored = stored(own);
    if let (Some(sign), true) = (&stored, is_paid) {
        let seen = format!("{name} carries a payment, and its answer {} came out of a cache: {sign}", own.status);
        explanation.find(Finding::new("cached_answer").seen(seen));
        return;
    }
    let control = own.response.get("cache-control").unwrap_or_default().to_ascii_lowercase();
    if stored.is_some() || control.contains("public") || control.contains("s-maxage") {
        let sign = stored.map(|sign| format!(" out of a cache: {sign}")).unwrap_or_default();
        let seen = format!("{name}: {} came with `cache-control: {control}`{sign}", own.status);
        explanation.find(Finding::new("cached_offer").seen(seen));
    }
}

/// By which sign an answer came out of a cache, if it did: what the browser notes, `304`, `Age`, or what caches write
/// into `X-Cache`, `CF-Cache-Status`, `Cache-Status` (RFC 9211) and their like.
pub fn stored(own: &Exchange) -> Option<String> {
    if let Some(place) = &own.cached {
        return Some(format!("the browser's own ({place})"));
    }
    if own.status == 304 {
        return Some("304 says that what the client has is still good".to_owned());
    }
    let says = |name: &str, value: &str| {
        let is_hit = |word: &str| word.ends_with("hit");
        let value = value.to_ascii_lowercase();
        let says_served = name.contains("cache") && !name.contains("lookup");
        let hit = says_served && value.split(|c: char| !c.is_ascii_alphanumeric()).any(is_hit);
        hit || (name == "age" && value.parse::<u64>().is_ok_and(|age| age > 0))
    };
    let sign = own.response.fields.iter().find(|(name, value)| says(name, value));
    sign.map(|(name, value)| format!("`{name}: {value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_out_of_a_cache_says_so() {
        for (name, value, is_stored) in [
            ("age", "12", true),
            ("age", "0", false),
            ("x-cache", "Hit from cloudfront", true),
            ("x-cache", "RefreshHit from cloudfront", true),
            ("x-cache", "TCP_HIT", true),
            ("x-cache", "MISS, HIT", true),
            ("x-cache", "Miss from cloudfront", false),
            ("cf-cache-status", "HIT", true),
            ("cf-cache-status", "DYNAMIC", false),
            ("cache-status", "edge; fwd=miss; stored", false),
            ("cache-status", "edge; hit; ttl=30", true),
            ("x-cache-hits", "0", false),
            ("x-cache-lookup", "HIT from squid:3128", false),
            ("x-cache-name", "white-01", false),
            ("x-mission", "hit", false),
        ] {
            let mut own = Exchange { status: 402, ..Exchange::default() };
            own.response.fields.push((name.to_owned(), value.to_owned()));
            assert_eq!(stored(&own).is_some(), is_stored, "{name}: {value}");
        }
        assert!(stored(&Exchange { status: 304, ..Exchange::default() }).is_some());
        assert!(stored(&Exchange { cached: Some("disk".to_owned()), ..Exchange::default() }).is_some());
    }
}
