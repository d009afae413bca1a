//! What the product is compared with: axum routes that do nothing, or nothing but one recovery or one signing, behind an
//! accept loop like the product's own.

use std::convert::Infallible;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use ed25519_dalek::{Signature as Signed, VerifyingKey};
use http::{Request, header};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;
use x402_sim::networks::solana::ed25519;
use x402_sim::networks::solana::key::Key;

use crate::failure::Failure;
use crate::signatures::{Signature, digests};

/// An answer of the size of a verification's.
const ANSWER: &[u8] = br#"{"isValid":true,"payer":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"}"#;

/// How many signatures take turns.
const SIGNATURES: u32 = 1000;

/// Serves `GET /`, `POST /`, `POST /recover`, `POST /verify-ed25519` and `POST /sign` for as long as the runtime lives.
pub(crate) async fn spawn() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::while_at("the bare route"))?;
    let address = listener.local_addr().map_err(Failure::while_at("the bare route"))?;
    let router = Router::new().route("/", get(|| async { answer() })).route("/", post(take));
    let router =
        router.route("/recover", in_turn(Signature::some(SIGNATURES), |signature| _ = black_box(signature.recover())));
    let router = router.route(
        "/verify-ed25519",
        in_turn(signed_on_solana(), |(key, message, signature)| {
            _ = black_box(verify(*key, message, signature));
        }),
    );
    let router = router.route("/sign", in_turn(digests(SIGNATURES), |digest| _ = black_box(Signature::over(*digest))));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream, router.clone());
        }
    });
    Ok(address)
}

/// Messages of the size of a payment's on Solana, and one key's signatures.
pub(crate) fn signed_on_solana() -> Vec<(Key, Vec<u8>, ed25519::Bytes)> {
    let seed = [7; 32];
    let messages = (0..SIGNATURES).map(|number| [number.to_be_bytes().as_slice(), &[1; 400]].concat());
    messages.map(|message| (ed25519::key_of(&seed), message.clone(), ed25519::sign(&seed, &message))).collect()
}

/// One verification, as the library does it that nodes use: it takes key and signature out of their bytes each time.
fn verify(key: Key, message: &[u8], signature: &ed25519::Bytes) -> bool {
    let signature = Signed::from_bytes(signature);
    VerifyingKey::from_bytes(&key.0).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// The bare `POST`, with some work on one of these things, which take turns.
fn in_turn<T: Send + Sync + 'static>(things: Vec<T>, work: fn(&T)) -> MethodRouter {
    let things = Arc::new((things, AtomicUsize::new(0)));
    post(move |body: Bytes| async move {
        let (things, next) = &*things;
        work(&things[next.fetch_add(1, Ordering::Relaxed) % things.len()]);
        take(body).await
    })
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
