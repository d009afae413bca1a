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

/// Every route.
pub fn all() -> Router<Office> {
    let api = Router::new()
        .merge(instance::routes())
        .merge(accounts::routes())
        .merge(money::routes())
        .merge(allowances::routes())
        .merge(clock::routes())
        .merge(faults::routes())
        .merge(snapshots::routes())
        .merge(files::routes())
        .merge(events::routes())
        .merge(purchases::routes())
        .merge(refusals::routes());
    Router::new().nest(API, api).merge(stream::routes()).merge(metrics::routes())
}

/// The description of every route.
pub fn described() -> OpenApi {
    let api = OpenApiRouter::new()
        .merge(instance::described())
        .merge(accounts::described())
        .merge(money::described())
        .merge(allowances::described())
        .merge(clock::described())
        .merge(faults::described())
        .merge(snapshots::described())
        .merge(files::described())
        .merge(events::described())
        .merge(purchases::described())
        .merge(refusals::described());
    let door = OpenApiRouter::with_openapi(openapi::empty()).nest(API, api);
    door.merge(stream::described()).merge(metrics::described()).into_openapi()
}

/// A handler at the path and for the methods that its description says.
fn serve<P: Path, H: Handler<T, Office>, T: 'static>(router: Router<Office>, handler: &H) -> Router<Office> {
    let methods = P::methods().into_iter().map(|method| method.to_method_filter());
    router.route(&P::path(), methods.fold(MethodRouter::new(), |here, method| here.on(method, handler.clone())))
}
