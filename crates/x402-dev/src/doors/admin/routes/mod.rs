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

use utoipa_axum::router::OpenApiRouter;

use super::office::Office;
use super::{API, openapi};

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

/// Every route, with its description.
pub fn all() -> OpenApiRouter<Office> {
    let api = OpenApiRouter::new()
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
    OpenApiRouter::with_openapi(openapi::empty()).nest(API, api).merge(stream::routes()).merge(metrics::routes())
}
