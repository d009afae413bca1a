//! What the product is compared with: axum routes that do nothing, behind an accept loop like the product's own.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, header};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::failure::Failure;

/// An answer of the size of a verification's.
const ANSWER: &[u8] = br#"{"isValid":true,"payer":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}"#;

/// Serves `GET /` and `POST /` for as long as the runtime lives.
pub(crate) async fn spawn() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::while_at("the bare route"))?;
    let address = listener.local_addr().map_err(Failure::while_at("the bare route"))?;
    let router = Router::new().route("/", get(|| async { answer() })).route("/", post(take));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream, router.clone());
        }
    });
    Ok(address)
}

async fn take(body: Bytes) -> impl axum::response::IntoResponse {
    debug_assert!(!body.is_empty());
    answer()
}

fn answer() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], ANSWER)
}

/// The settings are those of the product's `server.rs`.
fn serve(stream: TcpStream, router: Router) {
    // A socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            Ok::<_, Infallible>(response)
        }
    });
    let connection = x402_dev::server::http().serve_connection(TokioIo::new(stream), service);
    tokio::spawn(async move {
        // A broken connection concerns nobody but its client.
        let _ = connection.await;
    });
}
