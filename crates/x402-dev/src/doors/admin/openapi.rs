//! The description of the door, in `OpenAPI` 3.1: made from the handlers and their types, and kept beside them, so that no
//! server has to make it.

use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::problem::{self, Problem};
use super::routes;

/// The name of the security scheme: the instance's token.
const TOKEN: &str = "token";

/// What holds for the whole door.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(
    info(
        title = "x402-dev: the admin door",
        description = "The world of a running mock: accounts, clock, snapshots, events. On a loopback address nobody \
                       needs a token; elsewhere everybody needs the instance's. Every refusal is a problem with a stable \
                       `code`. Amounts are texts as in the configuration; times are milliseconds since 1970 of the \
                       mock's clock."
    ),
    components(schemas(Problem)),
    security((), ("token" = [])),
    modifiers(&Scheme)
)]
struct Description;

#[derive(Debug)]
struct Scheme;

impl Modify for Scheme {
    fn modify(&self, description: &mut OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of the instance's state file."))
            .build();
        description.components.get_or_insert_default().add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    }
}

/// The description before any route is in it.
pub fn empty() -> OpenApi {
    Description::openapi()
}

/// The description as JSON.
pub const TEXT: &str = include_str!("openapi.json");

/// The description as the handlers make it. Every route may be refused with a problem, and says so.
pub fn made() -> String {
    let mut description = routes::described();
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let refusal = ResponseBuilder::new()
        .description("It was refused, and nothing has changed.")
        .content(problem::CONTENT_TYPE, content)
        .build();
    for (name, path) in &mut description.paths.paths {
        if let Some(operation) = path.get.as_mut().filter(|_| name.ends_with("/events")) {
            operation.parameters.get_or_insert_default().extend(super::filter::parameters());
        }
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch];
        for operation in operations.into_iter().flatten() {
            for parameter in operation.parameters.iter_mut().flatten() {
                never_null(parameter);
            }
            operation.responses.responses.entry("4XX".to_owned()).or_insert(RefOr::T(refusal.clone()));
        }
    }
    let mut text = description.to_pretty_json().expect("a description has string keys");
    text.push('\n');
    text
}

/// A parameter that may be left out is described as one that may be null, which no query can say.
fn never_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else { return };
    if let SchemaType::Array(types) = &mut object.schema_type {
        types.retain(|kind| *kind != Type::Null);
        if let [kind] = types.as_slice() {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_that_of_the_handlers() {
        crate::generated::compare("doors/admin/openapi.json", TEXT, &made());
    }
}
