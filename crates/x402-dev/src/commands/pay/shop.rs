//! Going shopping: requests with their redirects, looked at by everybody who keeps a record.

use std::time::Duration;

use http::{Method, StatusCode, Uri, header};
use x402_sim::networks::Family;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_FROM, X_PAYMENT_PROOF};

use super::address;
use super::chain::Chain;
use super::choice::Candidate;
use super::dial::{Machines, Trust};
use super::endpoint;
use super::error::PayError;
use super::exchange::{Answer, Call, Caller, Exchange, Silence};
use super::finding::Finding;
use super::har::{Trace, Whom};
use super::order::{Manners, Redirects};
use super::story::{Story, Voice, quoted};
use crate::clock;
use crate::context::Context;
use crate::instance::Home;
use crate::journal::Journal;

/// How many redirects are followed.
const HOPS: usize = 10;

/// What goes to nobody but the one whom it was meant for.
const PRIVATE: [&str; 7] =
    ["authorization", "cookie", "proxy-authorization", PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF, X_PAYMENT_FROM];

/// Whoever goes shopping.
#[derive(Debug)]
pub struct Shop {
    /// Sends requests.
    pub caller: Caller,
    /// How requests are made.
    pub manners: Manners,
    /// Tells what happens.
    pub story: Story,
    /// Writes down every request.
    pub trace: Trace,
    /// Where instances of this user and the journal lie.
    pub home: Home,
    /// What was signed.
    pub journal: Journal,
    /// How far the time is ahead of this computer's, in milliseconds.
    ahead: i64,
}

/// Whom something is bought from.
#[derive(Clone, Copy, Debug)]
pub struct Seller<'a> {
    /// The request that is paid.
    pub call: &'a Call,
    /// Who has answered it.
    pub machines: &'a Machines,
}

/// A request that has come to an answer, or to silence.
#[derive(Debug)]
pub struct Visit {
    /// The last request, and what came of it.
    pub exchange: Exchange,
    /// Whom it was sent to; `None` where they were not found.
    pub machines: Option<Machines>,
    /// How many redirects were followed.
    pub hops: usize,
    /// What redirects have made another request of. It was said already.
    pub changed: Vec<Finding>,
}

/// A payment that was presented, along redirects.
#[derive(Debug)]
pub struct Walk {
    /// The redirects that were followed.
    pub way: Vec<Exchange>,
    /// The last request with the payment, and what came of it.
    pub last: Exchange,
}

impl Shop {
    /// Somebody with these manners.
    pub fn new(context: &Context, home: &Home, manners: Manners, voice: Voice, trace: Trace) -> Result<Self, PayError> {
        let journal = Journal::new(home.root());
        let file = manners.cacert.as_ref().map(|file| context.working_dir.join(file));
        let unreadable = |source| PayError::Certificates { file: file.clone().unwrap_or_default(), source };
        let trust = Trust::with(file.as_deref()).map_err(unreadable)?;
        let caller = Caller { trust, max_time: manners.max_time, shelf: home.root().join("purchases") };
        let signed = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let ahead = manners.now.map_or(0, |now| signed(now).saturating_sub(signed(clock::now())));
        Ok(Self { caller, manners, story: Story { voice }, trace, home: home.clone(), journal, ahead })
    }

    /// The time in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        clock::now().saturating_add_signed(self.ahead)
    }

    /// Sends a request, and follows where it is led, if it may.
    pub async fn visit(&mut self, call: Call) -> Visit {
        let (mut call, mut hops, mut changed) = (call, 0, Vec::new());
        loop {
            let (exchange, machines) = self.once(&call).await;
            let next = if hops < HOPS { self.led(&call, &exchange) } else { None };
            let Some(next) = next else { return Visit { exchange, machines, hops, changed } };
            self.story.step(&format!("redirected to {}", address::shown(&next.url)));
            // Before anything is paid: it is paid for what is asked now.
            if let Some(finding) = change(&call, &next) {
                self.story.warn(&finding.text);
                changed.push(finding);
            }
            (call, hops) = (next, hops + 1);
        }
    }

    /// Where an answer leads that was not followed, and why it was not.
    pub fn not_followed(&self, call: &Call, answer: &Answer, hops: usize) -> Option<String> {
        let to = leads(call, answer)?;
        match self.manners.redirects {
            Redirects::Shown => Some(format!("a redirect to {to}, which is followed with -L")),
            Redirects::Followed if hops == HOPS => Some(format!(
                "{HOPS} redirects were followed, and the last one leads on to {to}: that is where it stops"
            )),
            // What leads nowhere was said.
            Redirects::Followed => None,
        }
    }

    /// Presents a payment to the machines that made the offer. It is carried along redirects to the same origin, and to
    /// no other. Every answer on the way counts: any of them may come from somebody who has taken the payment.
    pub async fn present(&mut self, call: &Call, machines: &Machines) -> Walk {
        let (mut call, mut way) = (call.clone(), Vec::new());
        loop {
            let exchange = self.send(&call, machines).await;
            match self.led(&call, &exchange) {
                Some(next) if way.len() < HOPS && address::same_origin(&next.url, &call.url) => {
                    way.push(exchange);
                    call = next;
                }
                Some(next) => {
                    self.story.warn(&format!("the payment is not carried to {}", address::shown(&next.url)));
                    return Walk { way, last: exchange };
                }
                None => return Walk { way, last: exchange },
            }
        }
    }

    /// A recent blockhash, where requirements need one and do not say it.
    pub async fn blockhash(&self, seller: &Uri, way: &Candidate) -> Result<Option<[u8; 32]>, PayError> {
        let said = way.entry.get("extra").and_then(|extra| extra.get("recentBlockhash"));
        if way.family() != Family::Solana || said.is_some() {
            return Ok(None);
        }
        let own = || endpoint::own(&self.home, seller, way.said("network"));
        let Some(url) = self.manners.rpc.clone().or_else(own) else { return Ok(None) };
        let asked = Chain::new(&self.caller, &url).blockhash().await;
        asked.map(|(blockhash, _)| Some(blockhash)).map_err(|why| PayError::NoBlockhash { why })
    }

    /// Waits.
    pub async fn rest(&self, time: Duration) {
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// Looks the machines up, and sends one request.
    async fn once(&mut self, call: &Call) -> (Exchange, Option<Machines>) {
        match Machines::of(&call.url).await {
            Ok(machines) => (self.send(call, &machines).await, Some(machines)),
            Err(cause) => {
                let now = clock::now();
                let outcome = Err(Silence::Unsent(cause));
                (Exchange { call: call.clone(), outcome, began: now, ended: now }, None)
            }
        }
    }

    /// Sends one request to machines that were looked up, and follows no redirect.
    pub async fn send(&mut self, call: &Call, machines: &Machines) -> Exchange {
        let body = call.body.as_ref().map_or_else(String::new, |body| format!(" with {} bytes", body.len()));
        self.story.step(&format!("> {} {}{body}", call.method, address::shown(&call.url)));
        let exchange = self.caller.send(call, machines).await;
        match &exchange.outcome {
            Ok(answer) => self.story.step(&told(answer, exchange.time())),
            Err(silence) => self.story.step(&format!("< nothing: {}", silence.cause())),
        }
        self.trace.add(&exchange, Whom::Seller);
        exchange
    }

    /// Where an answer leads, if redirects are followed.
    fn led(&self, call: &Call, exchange: &Exchange) -> Option<Call> {
        if self.manners.redirects == Redirects::Shown {
            return None;
        }
        let answer = exchange.outcome.as_ref().ok()?;
        let (method, location) = redirect(call, answer)?;
        let url: Uri = address::join(&call.url, location).or_else(|| {
            self.story.warn(&format!("the redirect to {} leads nowhere", quoted(location)));
            None
        })?;
        let mut next = Call { method, url, ..call.clone() };
        if next.method != call.method {
            next.body = None;
            for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
                next.headers.remove(name);
            }
        }
        if !address::same_origin(&next.url, &call.url) {
            for name in PRIVATE {
                next.headers.remove(name);
            }
            next.headers.remove(header::HOST);
        }
        Some(next)
    }
}

/// The method and the place that an answer redirects to.
fn redirect<'a>(call: &Call, answer: &'a Answer) -> Option<(Method, &'a str)> {
    let location = answer.headers.get(header::LOCATION)?.to_str().ok()?;
    Some((follows(answer.status, &call.method)?, location))
}

/// Where an answer leads, in words.
pub fn leads(call: &Call, answer: &Answer) -> Option<String> {
    let (_, location) = redirect(call, answer)?;
    Some(address::join(&call.url, location).map_or_else(|| quoted(location), |url| address::shown(&url)))
}

/// What a redirect changes of what is asked for.
fn change(call: &Call, next: &Call) -> Option<Finding> {
    if next.method == call.method {
        return None;
    }
    let body = call.body.as_ref().map_or_else(String::new, |body| format!(" with {} bytes", body.len()));
    let text = format!(
        "the redirect makes {} without a body of {}{body}: that is what is asked, and paid for, at {}",
        next.method,
        call.method,
        address::shown(&next.url)
    );
    Some(Finding::new("request_changed", text))
}

/// By which method a redirect is followed. Source: the fetch standard, "HTTP-redirect fetch".
fn follows(status: StatusCode, method: &Method) -> Option<Method> {
    match status {
        StatusCode::SEE_OTHER if *method != Method::HEAD => Some(Method::GET),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => Some(Method::GET),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => Some(method.clone()),
        _ => None,
    }
}

fn told(answer: &Answer, time: u64) -> String {
    let broken = answer.broken.as_ref().map(|cause| format!(", broken off: {cause}")).unwrap_or_default();
    format!("< {} with {} bytes in {time} ms{broken}", answer.status, answer.body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_method_and_body_where_it_says_so() {
        for (status, method, follows_as) in [
            (308, Method::POST, Some(Method::POST)),
            (307, Method::PUT, Some(Method::PUT)),
            (303, Method::POST, Some(Method::GET)),
            (303, Method::HEAD, Some(Method::HEAD)),
            (302, Method::POST, Some(Method::GET)),
            (301, Method::PUT, Some(Method::PUT)),
            (304, Method::GET, None),
            (300, Method::GET, None),
            (200, Method::GET, None),
        ] {
            assert_eq!(follows(StatusCode::from_u16(status).unwrap(), &method), follows_as, "{status} {method}");
        }
    }
}
