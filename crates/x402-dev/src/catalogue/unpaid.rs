//! What unpaid requests for a resource are answered: rendered once for an address, since most clients ask for the same
//! one again.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use serde::Serialize;

use crate::template::{Encoded, Template};

/// The offers of a resource, with gaps where the address belongs, and the newest without.
#[derive(Debug)]
pub(super) struct Unpaid {
    v2: Encoded,
    /// `None` where legacy clients can read no way to pay.
    v1: Option<Template>,
    newest: Mutex<Option<Arc<Rendered>>>,
}

/// The offers for an address.
#[derive(Debug)]
pub struct Rendered {
    url: String,
    /// The value of `PAYMENT-REQUIRED`.
    pub v2: HeaderValue,
    /// The body of version 1; `None` where legacy clients can read no way to pay.
    pub v1: Option<String>,
}

impl Unpaid {
    /// The offers of both versions; their address is the gap.
    pub(super) fn new<V2: Serialize, V1: Serialize>(v2: &V2, v1: Option<&V1>) -> Self {
        Self { v2: Encoded::render(v2), v1: v1.map(Template::render), newest: Mutex::default() }
    }

    /// The offers for an address, whose first `without_query` bytes are its address without the query.
    pub(super) fn at(&self, url: &str, without_query: &str) -> Arc<Rendered> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = newest.as_ref().filter(|own| own.url == url) {
            return Arc::clone(own);
        }
        let v2 = HeaderValue::try_from(self.v2.fill(url)).expect("base64 is ASCII without line ends");
        let v1 = self.v1.as_ref().map(|legacy| legacy.fill(without_query));
        let rendered = Arc::new(Rendered { url: url.to_owned(), v2, v1 });
        *newest = Some(Arc::clone(&rendered));
        rendered
    }
}

impl Clone for Unpaid {
    fn clone(&self) -> Self {
        Self { v2: self.v2.clone(), v1: self.v1.clone(), newest: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use x402_wire::header::encode_text;

    use super::*;
    use crate::template::GAP;

    #[test]
    fn every_address_has_its_own_offers_whatever_was_asked_before() {
        let unpaid = Unpaid::new(&json!([GAP, "v2"]), Some(&json!([GAP, "v1"])));
        for (url, bare) in [("/a?b", "/a"), ("/a?b", "/a"), ("/a", "/a"), ("/a?c", "/a"), ("/a?b", "/a")] {
            let rendered = unpaid.at(url, bare);
            assert_eq!(rendered.v2, encode_text(&json!([url, "v2"]).to_string()));
            assert_eq!(rendered.v1, Some(json!([bare, "v1"]).to_string()));
        }
        assert!(Arc::ptr_eq(&unpaid.at("/a", "/a"), &unpaid.at("/a", "/a")));
        assert_eq!(Unpaid::new(&json!([GAP, "v2"]), None::<&()>).at("/a", "/a").v1, None);
    }
}
