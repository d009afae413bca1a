//! `GET /_x402/metrics`: counts, for Prometheus.

use axum::extract::State as Extract;
use axum::response::IntoResponse;
use http::header;

use crate::doors::admin::office::Office;
use crate::metrics::CONTENT_TYPE;

serves!(metrics);

/// Counts of requests, payments, amounts, faults and events, as Prometheus reads them.
#[utoipa::path(get, path = "/_x402/metrics", tag = "metrics", responses(
    (status = 200, description = "The counts.", body = String, content_type = "application/openmetrics-text"),
))]
async fn metrics(Extract(office): Extract<Office>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], office.state().render_metrics())
}
