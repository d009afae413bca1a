//! `/_x402/api/export` and `/_x402/api/snapshots/{name}/export` and `/import`: snapshots as files, streamed line by line.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State as Extract};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use x402_sim::world::export::Export;
use x402_sim::world::import::{Import, ImportError};

use super::snapshots::{Snapshot, refuse};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// JSON Lines.
pub const LINES: &str = "application/jsonl";

/// How large a piece of a file is that is sent at once.
const PIECE: usize = 64 * 1024;

/// How many pieces wait for a slow connection.
const QUEUE: usize = 4;

/// The longest line, in bytes: none that we write comes near it.
const LONGEST: usize = 1024 * 1024;

/// The largest file, in bytes: ten million settlements.
const LARGEST: u64 = 8 * 1024 * 1024 * 1024;

serves!(export_now, export, import);

/// The state of now as a file (JSON Lines, described in docs/world.md).
#[utoipa::path(get, path = "/export", tag = "snapshots", responses((status = 200, description = "The file.", body = String, content_type = "application/jsonl")))]
async fn export_now(Extract(office): Extract<Office>) -> Result<Response, Problem> {
    send(&office, None)
}

/// A snapshot as a file (JSON Lines, described in docs/world.md).
#[utoipa::path(get, path = "/snapshots/{name}/export", tag = "snapshots", params(("name" = String, Path, description = "Its name.")), responses((status = 200, description = "The file.", body = String, content_type = "application/jsonl")))]
async fn export(Extract(office): Extract<Office>, Path(name): Path<String>) -> Result<Response, Problem> {
    send(&office, Some(&name))
}

/// Keeps a state that was exported, in place of an earlier snapshot of that name. A file that is damaged, of another
/// version, or about assets that are not enabled is refused, and nothing changes.
#[utoipa::path(post, path = "/snapshots/{name}/import", tag = "snapshots", params(("name" = String, Path, description = "Letters, digits, `-`, `_` and `.`.", pattern = "^[A-Za-z0-9_.-]{1,64}$")), request_body(content = String, content_type = "application/jsonl"), responses((status = 200, body = Snapshot)))]
async fn import(
    Extract(office): Extract<Office>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Snapshot>, Problem> {
    if !request.headers().contains_key(header::CONTENT_TYPE) {
        return Err(Code::NotJson.because("the request does not say what its body is").hint(format!("say `{LINES}`")));
    }
    let import = office.state().act(|world, _| world.import());
    let (pieces, received) = mpsc::channel(QUEUE);
    // Parsing a large file must not hold up a worker that answers requests.
    let reading = tokio::task::spawn_blocking(move || read(import, received));
    receive(request.into_body(), pieces).await?;
    let import = reading.await.map_err(|_| Code::Bug.because("the import failed; see the log"))??;
    office.change(|world, _| {
        let kept = world.keep(&name, import).map_err(|error| damaged(&error))?;
        let sentence = format!("snapshot {name} was imported");
        Ok((Json(kept.into()), sentence))
    })
}

fn send(office: &Office, name: Option<&str>) -> Result<Response, Problem> {
    let export = office.state().act(|world, now| world.export(name, now)).map_err(|error| refuse(&error))?;
    let (pieces, sent) = mpsc::channel(QUEUE);
    tokio::task::spawn_blocking(move || write(&export, &pieces));
    let body = stream::unfold(sent, |mut sent| async move { Some((sent.recv().await?, sent)) });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(body)).into_response())
}

/// Writes a state in pieces, until it is written or nobody takes it any more.
fn write(export: &Export, pieces: &mpsc::Sender<std::io::Result<Bytes>>) {
    let mut piece = Vec::with_capacity(PIECE + 1024);
    let written = export.write(&mut |line| {
        piece.extend_from_slice(line.as_bytes());
        if piece.len() < PIECE {
            return Ok(());
        }
        pieces.blocking_send(Ok(std::mem::take(&mut piece).into()))
    });
    if written.is_ok() {
        // Whoever has gone misses nothing.
        let _ = pieces.blocking_send(Ok(piece.into()));
    }
}

/// Hands a body over to the reader, piece by piece. A reader that has given up has said why.
async fn receive(mut body: Body, pieces: mpsc::Sender<Bytes>) -> Result<(), Problem> {
    let mut size: u64 = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Code::BodyIncomplete.because("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        size += u64::try_from(data.len()).unwrap_or(u64::MAX);
        if size > LARGEST {
            return Err(Code::BodyTooLarge.because(format!("a snapshot may have {LARGEST} bytes")));
        }
        if pieces.send(data).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Reads lines from pieces.
fn read(mut import: Import, mut received: mpsc::Receiver<Bytes>) -> Result<Import, Problem> {
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = received.blocking_recv() {
        let mut piece = piece.as_ref();
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            rest.extend_from_slice(&piece[..end]);
            piece = &piece[end + 1..];
            take(&mut import, &rest)?;
            rest.clear();
        }
        rest.extend_from_slice(piece);
        if rest.len() > LONGEST {
            let text = format!("a line of the file is longer than {LONGEST} bytes");
            return Err(Code::DamagedSnapshot.because(text).hint("no line that x402-dev writes is so long"));
        }
    }
    if !rest.is_empty() {
        take(&mut import, &rest)?;
    }
    Ok(import)
}

fn take(import: &mut Import, line: &[u8]) -> Result<(), Problem> {
    let line = std::str::from_utf8(line).map_err(|_| Code::DamagedSnapshot.because("the file is no text"))?;
    import.line(line).map_err(|error| damaged(&error))
}

fn damaged(error: &ImportError) -> Problem {
    let (code, hint) = match error {
        ImportError::Snapshot(error) => return refuse(error),
        ImportError::Version { .. } => (Code::ForeignSnapshot, "export it anew with this version of x402-dev"),
        ImportError::Asset { .. } => (Code::ForeignSnapshot, "enable its network, and import it again"),
        ImportError::NoSnapshot => (Code::DamagedSnapshot, "`x402-dev snapshot export NAME FILE` writes one"),
        ImportError::Line { .. }
        | ImportError::Truncated { .. }
        | ImportError::Checksum { .. }
        | ImportError::Unsound { .. } => (Code::DamagedSnapshot, "export it anew: nothing of it was taken over"),
    };
    code.because(error.to_string()).hint(hint)
}
