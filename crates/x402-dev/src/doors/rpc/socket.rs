//! JSON-RPC over a WebSocket: calls as by POST, and subscriptions.
//!
//! One task a socket reads, answers and tells what is new. Nothing waits in a queue: a feed keeps its own place in the
//! world's history, so that a client that reads slowly is told later, and one that does not read at all is let go.

use std::collections::BTreeMap;
use std::time::Duration;

use ::http::{StatusCode, header};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State as Extract};
use axum::response::Response;
use serde_json::{Value, json};
use x402_sim::rpc::{self, Asked, Feed, Pulled, RpcError};

use super::fault::{self, Outcome};
use super::frame::{self, Answers, Call, Request, Sent};
use crate::doors::admin::office::Office;
use crate::doors::answer::refuse;
use crate::doors::body::LIMIT;
use crate::state::State;

/// How long a client may take to read a message.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many subscriptions a socket may have.
const SUBSCRIPTIONS: usize = 1_000;

/// The server goes.
const GOING_AWAY: u16 = 1001;

/// Opens a WebSocket.
pub(super) async fn open(
    Extract(office): Extract<Office>,
    Path(network): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(LIMIT).max_frame_size(LIMIT),
        Err(rejection) => {
            let text = format!("this path takes JSON-RPC by POST, or a WebSocket: {rejection}");
            let mut response = refuse(StatusCode::UPGRADE_REQUIRED, &text);
            response.headers_mut().insert(header::UPGRADE, ::http::HeaderValue::from_static("websocket"));
            return response;
        }
    };
    if let Err(unknown) = office.state().act(|world, _| rpc::family(world, &network)) {
        return refuse(StatusCode::NOT_FOUND, &unknown.message);
    }
    upgrade.on_upgrade(move |socket| async move {
        let socket = Socket { line: socket, network, feeds: BTreeMap::new(), issued: 0 };
        // Whoever goes without a farewell has gone.
        let _: Option<()> = socket.serve(office).await;
    })
}

/// A socket, and what it has subscribed to.
struct Socket {
    line: WebSocket,
    network: String,
    feeds: BTreeMap<u64, Box<dyn Feed>>,
    issued: u64,
}

impl Socket {
    /// Serves a socket until either side ends it; `None` where the client is gone.
    async fn serve(mut self, mut office: Office) -> Option<()> {
        let mut news = office.state().news();
        loop {
            let state = office.state();
            let wake = self.wake(&state);
            tokio::select! {
                received = self.line.recv() => match received?.ok()? {
                    Message::Text(text) => self.receive(&state, text.as_bytes()).await?,
                    Message::Binary(bytes) => self.receive(&state, &bytes).await?,
                    // A ping was answered already.
                    Message::Ping(_) | Message::Pong(_) => {}
                    Message::Close(_) => return Some(()),
                },
                changed = news.changed(), if !self.feeds.is_empty() => {
                    changed.ok()?;
                    self.tell(&state, None).await?;
                }
                () = wait(&state, wake) => self.tell(&state, None).await?,
                _ = office.ending.changed() => {
                    let reason = Utf8Bytes::from_static("the server ends");
                    return self.send(Message::Close(Some(CloseFrame { code: GOING_AWAY, reason }))).await;
                }
            }
        }
    }

    /// When a feed wants to be asked again though nothing happened, in milliseconds of the world's clock.
    fn wake(&self, state: &State) -> Option<u64> {
        if self.feeds.is_empty() {
            return None;
        }
        state.act(|world, now| self.feeds.values().filter_map(|feed| feed.wake_at(world, now)).min())
    }

    async fn receive(&mut self, state: &State, bytes: &[u8]) -> Option<()> {
        let mut fresh = Vec::new();
        let answer = match frame::read(bytes) {
            Err(answer) => answer,
            Ok(Sent::One(request)) => self.answer(state, request, &mut fresh).await?,
            Ok(Sent::Batch(requests)) => {
                let mut answers = Answers::default();
                for request in requests {
                    if answers.is_full() {
                        answers.refuse(&request.id);
                    } else {
                        answers.push(self.answer(state, request, &mut fresh).await?);
                    }
                }
                answers.finish()
            }
        };
        self.send(Message::text(answer)).await?;
        for number in fresh {
            self.tell(state, Some(number)).await?;
        }
        Some(())
    }

    /// Answers a request. `None` where a fault ends the socket: an answer over it cannot go wrong otherwise.
    async fn answer(&mut self, state: &State, request: Request, fresh: &mut Vec<u64>) -> Option<String> {
        let outcome = match request.call {
            Err(error) => Err(error),
            Ok(call) => {
                if let Some(outcome) = self.subscribe(state, &call, fresh) {
                    outcome
                } else {
                    let Outcome { said, spoilt, .. } = fault::call(state, &self.network, &call, &[]).await;
                    if spoilt.is_some() {
                        return None;
                    }
                    said
                }
            }
        };
        Some(frame::answer(&request.id, outcome))
    }

    /// Begins or ends a subscription; `None` where the call is about something else.
    fn subscribe(&mut self, state: &State, call: &Call, fresh: &mut Vec<u64>) -> Option<Result<Value, RpcError>> {
        let Call { method, params } = call;
        let network = &self.network;
        let asked = match state.act(|world, now| rpc::subscription(world, network, method, params, now)) {
            Ok(asked) => asked,
            Err(error) => return Some(Err(error)),
        };
        match asked {
            Asked::Call => None,
            Asked::Unsubscribe(number) => Some(Ok(json!(self.feeds.remove(&number).is_some()))),
            Asked::Subscribe(_) if self.feeds.len() >= SUBSCRIPTIONS => {
                Some(Err(RpcError::refused(format!("this socket has {SUBSCRIPTIONS} subscriptions already"))))
            }
            Asked::Subscribe(feed) => {
                self.issued += 1;
                self.feeds.insert(self.issued, feed);
                fresh.push(self.issued);
                Some(Ok(rpc::subscription_id(network, self.issued)))
            }
        }
    }

    /// Tells what is new in all subscriptions, or in one.
    async fn tell(&mut self, state: &State, only: Option<u64>) -> Option<()> {
        let numbers: Vec<u64> = self.feeds.keys().copied().filter(|own| only.is_none_or(|one| one == *own)).collect();
        for number in numbers {
            let Some(feed) = self.feeds.get_mut(&number) else { continue };
            let method = feed.notification();
            let Pulled { results, ended } = state.act(|world, now| feed.pull(world, now));
            if ended {
                self.feeds.remove(&number);
            }
            let id = rpc::subscription_id(&self.network, number);
            for result in results {
                self.send(Message::text(frame::notification(method, &id, &result))).await?;
            }
        }
        Some(())
    }

    /// Sends a message; `None` where the client is gone, or has not read for too long.
    async fn send(&mut self, message: Message) -> Option<()> {
        tokio::time::timeout(PATIENCE, self.line.send(message)).await.ok()?.ok()
    }
}

/// Waits for a time of the world's clock; without one, for ever.
async fn wait(state: &State, wake: Option<u64>) {
    match wake {
        Some(time) => state.wait_until(time).await,
        None => std::future::pending().await,
    }
}
