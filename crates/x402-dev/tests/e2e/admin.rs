//! Asking the admin door, and running its commands, against a mock of a test.

use serde_json::Value;

use crate::client::{Answer, Connection, Request};
use crate::harness::{Finished, Mock, Test};

/// The admin door of a mock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'a>(pub(crate) &'a Mock);

impl Door<'_> {
    /// Sends a request to the door. No answer of it is for other origins.
    #[track_caller]
    pub(crate) fn send(self, request: Request) -> Answer {
        let answer = self.connection().send(&request.header("Host", self.0.address.to_string()));
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
        assert!(answer.status < 500, "{answer:?}\n{}", answer.text());
        answer
    }

    pub(crate) fn connection(self) -> Connection {
        self.0.connect()
    }

    #[track_caller]
    pub(crate) fn get(self, path: &str) -> Value {
        self.send(Request::get(format!("/_x402/api{path}"))).assert_status(200).json()
    }

    #[track_caller]
    pub(crate) fn post(self, path: &str, body: &Value) -> Answer {
        self.send(Request::post_json(&format!("/_x402/api{path}"), body))
    }

    /// `POST` that must succeed, with a body or without.
    #[track_caller]
    pub(crate) fn tell(self, path: &str, body: &Value) -> Value {
        let request = match body {
            Value::Null => Request::new("POST", format!("/_x402/api{path}")),
            body => Request::post_json(&format!("/_x402/api{path}"), body),
        };
        let answer = self.send(request);
        assert!(matches!(answer.status, 200 | 201), "{answer:?}\n{}", answer.text());
        answer.json()
    }

    /// The token of the instance.
    pub(crate) fn token(self) -> String {
        let state = std::fs::read(self.0.directory().join("home/mock-server.json")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        state["token"].as_str().unwrap().to_owned()
    }

    /// The numbers and sentences of what was changed from outside.
    pub(crate) fn changes(self) -> Vec<String> {
        let page = self.get("/events?kind=changed&limit=1000");
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["data"]["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs a command, in the mock's home.
    #[track_caller]
    pub(crate) fn run(self, line: &str) -> Finished {
        let home = self.0.directory().join("home");
        let words: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
        Test::new().env("X402_DEV_HOME", home.to_str().unwrap()).run(&words)
    }

    /// What a command says, which must succeed.
    #[track_caller]
    pub(crate) fn say(self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{line}: {run:?}");
        run.stdout
    }
}

impl Answer {
    /// A problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}\n{}", self.text());
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:x402-dev:problem:{code}"));
        for field in ["title", "detail"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }
}
