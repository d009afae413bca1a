//! The routes of the door, one file a subject: what is said, by both sides, and how it is answered.
//!
//! | room | what it answers |
//! |---|---|
//! | [`instance`] | how the server is; its configuration read again |
//! | [`accounts`], [`money`], [`allowances`] | who there is, what they hold, and what Permit2 may move of it |
//! | [`clock`] | the world's time |
//! | [`faults`] | what is made to go wrong on purpose |
//! | [`snapshots`], [`files`] | states that are kept and brought back; as files |
//! | [`purchases`] | what was bought, and how often it was paid |
//! | [`refusals`] | the newest refused payments, whole |
//! | [`metrics`] | counts, for Prometheus |
//! | [`events`], [`stream`] | what happened: page by page, waited for, or as it happens |

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::Path;
use utoipa::openapi::OpenApi;
use utoipa_axum::PathItemExt;
use utoipa_axum::router::OpenApiRouter;

use super::office::Office;
use super::{API, openapi};

/// What a subject answers: its handlers' routes, and apart from them their description, which only its reader pays for.
macro_rules! serves {
    ($($handler:ident),+) => {
        utoipa_axum::paste! {
            pub(super) fn routes() -> axum::Router<Office> {
                let router = axum::Router::new();
                $(let router = $crate::doors::admin::routes::serve::<[<__path_ $handler>], _, _>(router, &$handler);)+
                router
            }
        }

        pub(super) fn described() -> utoipa_axum::router::OpenApiRouter<Office> {
            utoipa_axum::router::OpenApiRouter::new()$(.routes(utoipa_axum::routes!($handler)))+
        }
    };
}

pub mod accounts;
pub mod allowances;
pub mod clock;
pub mod events;
pub mod faults;
pub mod files;
pub mod instance;
pub mod metrics;
pub mod money;
pub mod purchases;
pub mod refusals;
pub mod snapshots;
pub mod stream;

/// One part of every subject, its routes or its descriptions, put together: those under [`API`], and those beside it.
macro_rules! every_subject {
    ($part:ident, $api:expr, $door:expr) => {{
        let api = $api
            .merge(instance::$part())
            .merge(accounts::$part())
            .merge(money::$part())
            .merge(allowances::$part())
            .merge(clock::$part())
            .merge(faults::$part())
            .merge(snapshots::$part())
            .merge(files::$part())
            .merge(events::$part())
            .merge(purchases::$part())
            .merge(refusals::$part());
        $door.nest(API, api).merge(stream::$part()).merge(metrics::$part())
    }};
}

/// Every route.
pub fn all() -> Router<Office> {
    every_subject!(routes, Router::new(), Router::new())
}

/// The description of every route.
pub fn described() -> OpenApi {
    every_subject!(described, OpenApiRouter::new(), OpenApiRouter::with_openapi(openapi::empty())).into_openapi()
}

/// A handler at the path and for the methods that its description says.
fn serve<P: Path, H: Handler<T, Office>, T: 'static>(router: Router<Office>, handler: &H) -> Router<Office> {
    let methods = P::methods().into_iter().map(|method| method.to_method_filter());
    router.route(&P::path(), methods.fold(MethodRouter::new(), |here, method| here.on(method, handler.clone())))
}
