//! The configured resources: their routes, and what each asks and answers.

use super::accepts::{self, Terms};
use super::cursor::{Cursor, Fields};
use super::keys;
use super::model::Resource;
use super::networks::Enabled;
use super::prices::Asked;
use super::response;
use crate::route::{FacilitatorPaths, Route, RouteTable};
use x402_wire::header::OFFER_LIMIT;

/// What resources share.
pub(super) struct Market<'a> {
    /// The enabled networks.
    pub(super) networks: Vec<Enabled>,
    /// What offers list where a resource says nothing of its own.
    pub(super) terms: Vec<Terms>,
    /// The price where a resource says nothing of its own.
    pub(super) price: Asked<'a>,
    /// Where the facilitator is served.
    pub(super) facilitator: FacilitatorPaths,
}

impl Market<'_> {
    /// The resource at every path without a route.
    pub(super) fn default_resource(&self) -> Option<Resource> {
        self.price.suits(None)?;
        Some(Resource {
            accepts: self.price.put_to(&self.terms)?,
            price: self.price.text(),
            description: String::new(),
            mime_type: response::JSON.to_owned(),
            response: None,
        })
    }
}

/// Reads the list; no resources where nothing is said.
pub(super) fn read(list: Option<&Cursor<'_>>, market: &Market<'_>) -> Option<RouteTable<Resource>> {
    let Some(list) = list else { return Some(RouteTable::default()) };
    let items = list.list()?;
    let mut entries = Vec::new();
    let mut cursors = Vec::new();
    let mut complete = true;
    for item in items {
        match one(&item, market) {
            Some((cursor, route, resource)) => {
                cursors.push(cursor);
                entries.push((route, resource));
            }
            None => complete = false,
        }
    }
    match RouteTable::new(entries) {
        Ok(table) => complete.then_some(table),
        Err(equal) => {
            let (first, second) = (&cursors[equal.first], &cursors[equal.second]);
            let line = |cursor: &Cursor<'_>| cursor.node.place.line_and_column().0;
            let message =
                format!("the routes on line {} and line {} match the same requests", line(first), line(second));
            second.refuse(second.problem(message).and(&first.node.place, "the same as here"))
        }
    }
}

fn one<'a>(item: &Cursor<'a>, market: &Market<'_>) -> Option<(Cursor<'a>, Route, Resource)> {
    let fields = item.fields(keys::RESOURCE)?;
    let pattern = fields.require("match");
    let route = pattern.as_ref().and_then(|pattern| route(pattern, market.facilitator));
    let resource = resource(&fields, market);
    Some((pattern?, route?, resource?))
}

fn route(pattern: &Cursor<'_>, facilitator: FacilitatorPaths) -> Option<Route> {
    let route = match Route::parse(pattern.text()?) {
        Ok(route) => route,
        Err(error) => return pattern.refuse(pattern.problem(error.to_string())),
    };
    let Some(reserved) = route.reserved(facilitator) else { return Some(route) };
    let problem = pattern.problem(format!("`{route}` is reserved: {}", reserved_for(reserved)));
    pattern.refuse(match route.reserved(FacilitatorPaths::Prefixed) {
        None => problem.hinted("`server.facilitator: prefixed` frees the bare paths"),
        Some(_) => problem.hinted("choose another path"),
    })
}

fn reserved_for(reserved: &str) -> String {
    match reserved {
        crate::route::ADMIN_PREFIX => format!("everything under `{reserved}` belongs to the server itself"),
        _ => "the facilitator answers there".to_owned(),
    }
}

fn resource(fields: &Fields<'_>, market: &Market<'_>) -> Option<Resource> {
    let own_price = fields.get("price").map(|price| Asked::read(&price));
    let own_terms = fields.get("accepts").map(|list| accepts::read(&list, &market.networks));
    let description = fields.get("description").map(|text| text.text().map(str::to_owned));
    let mime_type = fields.get("mime_type").map(|mime_type| response::media_type(&mime_type));
    let answer =
        fields.get("response").map(|answer| response::read(&answer, mime_type.as_ref().and_then(Option::as_deref)));
    let terms = match &own_terms {
        Some(terms) => terms.as_ref()?,
        None => &market.terms,
    };
    let price = match &own_price {
        Some(price) => price.as_ref().map(|price| (price.put_to(terms), price.text())),
        None => Some((market.price.put_to(terms), market.price.text())),
    };
    let answer = answer.map_or(Some(None), |answer| answer.map(Some));
    let mime_type = mime_type.map_or(Some(None), |mime_type| mime_type.map(Some));
    let (accepts, price) = price?;
    let (answer, mime_type) = (answer?, mime_type?);
    let asked = own_price.as_ref().and_then(Option::as_ref).unwrap_or(&market.price);
    asked.suits(answer.as_ref())?;
    let answered = answer.as_ref().and_then(response::media_type_of);
    let resource = Resource {
        accepts: accepts?,
        price,
        description: description.map_or(Some(String::new()), |text| text)?,
        mime_type: mime_type.or(answered).unwrap_or_else(|| response::JSON.to_owned()),
        response: answer,
    };
    fits(&resource, fields.get("match").as_ref()?)?;
    Some(resource)
}

/// Refuses an offer that does not fit into a header.
pub(super) fn fits(resource: &Resource, place: &Cursor<'_>) -> Option<()> {
    let bytes = resource.offer().header_size(&resource.description, &resource.mime_type);
    if bytes <= OFFER_LIMIT {
        return Some(());
    }
    let text = format!("the offer makes a PAYMENT-REQUIRED header of {bytes} bytes; proxies cut off at {OFFER_LIMIT}");
    place.refuse(place.problem(text).hinted("list fewer ways to pay, or shorten description and extra"))
}

#[cfg(test)]
mod tests {
    use super::super::Paint;
    use super::super::tests::{Project, loaded, problems};

    #[test]
    fn resources_inherit_what_they_do_not_say() {
        let yaml = "
networks: [base-sepolia, eip155:421614]
pricing: {default: $0.02}
resources:
  - match: GET /weather/[city]
    description: The weather
    mime_type: text/csv
  - {match: /free, price: free}
  - match: POST /both
    price: 1
    accepts: [base-sepolia, 'eip155:421614']
";
        let config = loaded(yaml).config;
        let (route, weather) = config.resources.find("GET", "/weather/rome").unwrap();
        assert_eq!(route.to_string(), "GET /weather/[city]");
        assert_eq!((weather.price.as_str(), weather.accepts[0].amount.to_string()), ("$0.02", "20000".to_owned()));
        assert_eq!((weather.description.as_str(), weather.mime_type.as_str()), ("The weather", "text/csv"));
        assert!(config.resources.find("PUT", "/free").unwrap().1.is_free());
        assert_eq!(config.resources.find("POST", "/both").unwrap().1.accepts.len(), 2);
        assert!(config.resources.find("GET", "/both").is_none());
    }

    #[test]
    fn resources_that_are_wrong_are_refused() {
        let files = [
            "resources:\n  - price: 1\n",
            "resources:\n  - match: [/a]\n",
            "resources:\n  - match: weather\n",
            "resources:\n  - match: /a/\n",
            "resources:\n  - match: GET /verify\n",
            "resources:\n  - match: /facilitator/settle\n",
            "resources:\n  - match: /_x402/api\n",
            "resources:\n  - match: /a\n    accepts: []\n  - match: /b\n    price: much\n    mime_type: nothing\n",
        ];
        insta::assert_snapshot!(files.map(problems).join("\n"), @r"
            .x402dev.yaml:2:5: resources[0]: the key `match` is missing here
            .x402dev.yaml:2:12: resources[0].match: expected a text, found a list
            .x402dev.yaml:2:12: resources[0].match: the path `weather` must start with `/`
            .x402dev.yaml:2:12: resources[0].match: `/a/` is not in the form in which requests are compared; write `/a`
            .x402dev.yaml:2:12: resources[0].match: `GET /verify` is reserved: the facilitator answers there [`server.facilitator: prefixed` frees the bare paths]
            .x402dev.yaml:2:12: resources[0].match: `/facilitator/settle` is reserved: the facilitator answers there [choose another path]
            .x402dev.yaml:2:12: resources[0].match: `/_x402/api` is reserved: everything under `/_x402` belongs to the server itself [choose another path]
            .x402dev.yaml:3:14: resources[0].accepts: the list is empty; an offer lists at least one way to pay; write `price: free` to charge nothing
            .x402dev.yaml:5:12: resources[1].price: `much` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:6:16: resources[1].mime_type: `nothing` is not a media type [write a type and a subtype, such as `application/json`]
        ");
        assert!(loaded("server: {facilitator: prefixed}\nresources: [{match: /verify}]\n").config.resources.len() == 1);
    }

    #[test]
    fn equal_routes_are_refused_by_both_lines() {
        let yaml =
            "resources:\n  - match: GET /users/[id]\n    price: 1\n  - match: /other\n  - match: get /Users/:name\n";
        insta::assert_snapshot!(problems(yaml), @".x402dev.yaml:5:12: resources[2].match: the routes on line 2 and line 5 match the same requests");
        insta::assert_snapshot!(Project::new().yaml(yaml).load().unwrap_err().draw(Paint::Plain), @r"
            error: resources[2].match: the routes on line 2 and line 5 match the same requests
             --> .x402dev.yaml:5:12
              |
            2 |   - match: GET /users/[id]
              |            --------------- the same as here
            ...
            5 |   - match: get /Users/:name
              |            ^^^^^^^^^^^^^^^^
        ");
    }
}
