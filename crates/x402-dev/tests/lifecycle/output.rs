//! What processes write: `Text` while they run, `Run` when they have ended.

use std::fmt::Debug;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::site::{DEADLINE, Up};

/// What a process has written so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    shared: Arc<(Mutex<Written>, Condvar)>,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Text {
    pub(crate) fn collect(&self, mut source: impl Read + Send + 'static) {
        let text = self.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                // A terminal whose other side has gone gives an error.
                let length = source.read(&mut chunk).unwrap_or(0);
                let (written, changed) = &*text.shared;
                let mut written = written.lock().unwrap();
                written.bytes.extend_from_slice(&chunk[..length]);
                written.ended = length == 0;
                changed.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
    }

    pub(crate) fn now(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().unwrap().bytes).into_owned()
    }

    /// Waits until it holds a text; gives the first whole line with it.
    #[track_caller]
    pub(crate) fn line(&self, part: &str, other: &Self) -> String {
        let find = |text: &str| {
            let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            whole.lines().find(|line| line.contains(part)).map(str::to_owned)
        };
        let text = self.wait(|text| find(text).is_some());
        find(&text).unwrap_or_else(|| panic!("no line with `{part}` in:\n{text}\nthe other output: {}", other.now()))
    }

    /// Waits for its first line; `None` where it ends without one.
    pub(crate) fn wait_first_line(&self) -> Option<String> {
        let text = self.wait(|text| text.contains('\n'));
        text.lines().next().map(str::to_owned)
    }

    /// Everything, when its last writer has gone: a process that outlives its parent must not keep the pipe.
    #[track_caller]
    pub(crate) fn to_end(&self) -> String {
        let text = self.wait(|_| false);
        let is_pipe = Arc::strong_count(&self.shared) > 1;
        assert!(!is_pipe || self.shared.0.lock().unwrap().ended, "somebody keeps the pipe open; so far: {text}");
        text
    }

    fn wait(&self, holds: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        let (written, changed) = &*self.shared;
        // An output that was never a pipe is empty and never ends: only this one is left.
        if Arc::strong_count(&self.shared) == 1 && !written.lock().unwrap().ended {
            return self.now();
        }
        let mut written = written.lock().unwrap();
        loop {
            let text = String::from_utf8_lossy(&written.bytes).into_owned();
            let left = until.saturating_duration_since(Instant::now());
            if holds(&text) || written.ended || left.is_zero() {
                return text;
            }
            written = changed.wait_timeout(written, left).unwrap().0;
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn assert(&self, code: i32) -> &Self {
        assert_eq!((self.code, self.signal), (Some(code), None), "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// stdout has these parts, in this order.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Self {
        in_order("stdout", &self.out, parts, self);
        self
    }

    /// stderr has these parts, in this order.
    #[track_caller]
    pub(crate) fn complains(&self, parts: &[&str]) -> &Self {
        in_order("stderr", &self.err, parts, self);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "JSON is one line: {self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn up(&self) -> Up {
        Up::of(&self.json())
    }
}

#[track_caller]
fn in_order(name: &str, text: &str, parts: &[&str], whole: &dyn Debug) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` is not in {name}, or too early: {whole:?}")
        };
        rest = after;
    }
}
