//! Many purchases at once, measured: how many a second, how long each takes, and whether every receipt is one of its own.
//!
//! Every purchase has its own name (`X-Purchase-Id`), one authorization, and one attempt. Nothing is written into the
//! journal: this is for servers that its user owns.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures_util::future::join_all;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::address;
use super::address::{host, is_private};
use super::asked::Asked;
use super::buy::may_sign;
use super::chain::Chain;
use super::deal::weigh;
use super::dial::Machines;
use super::error::PayError;
use super::exchange::{Answer, Call, Exchange, Line};
use super::key::Payer;
use super::order::Order;
use super::shop::{Seller, Shop};
use super::tally::{Book, Went};
use super::transfer::{deliver, endpoint_of};
use super::verdict::Heard;
use crate::commands::mock::Form;
use crate::context::Context;
use crate::exit::Exit;
use crate::journal::{self, Authorized};
use crate::terminal;

/// The most purchases.
pub const MOST: u32 = 100_000;

/// The most at once.
pub const AT_ONCE: u32 = 256;

/// A load.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is bought each time.
    pub order: Order,
    /// How often.
    pub repeat: u32,
    /// How many at once.
    pub concurrency: u32,
    /// Whose machine it is.
    pub host: Host,
}

/// Whose machine is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Nobody has said; only machines that no stranger owns are loaded.
    Unsaid,
    /// The user's own.
    Own,
}

/// What every purchase shares.
struct Round<'a> {
    shop: &'a Shop,
    order: &'a Order,
    call: &'a Call,
    machines: &'a Machines,
    payer: &'a Payer,
    book: RefCell<Book>,
}

/// Loads a server, and tells how it went.
pub async fn load(shop: &Shop, job: &Load, context: &Context) -> Result<Exit, PayError> {
    let call = job.order.errand.call(context)?;
    let unreachable = |source| PayError::Unreachable { url: address::shown(&call.url), source };
    let machines = Machines::of(&call.url).await.map_err(unreachable)?;
    if job.host == Host::Unsaid && !machines.all(is_private) {
        return Err(PayError::Stranger { host: host(&call.url).to_owned() });
    }
    let (payer, warning) = job.order.paying.key.read(context)?;
    shop.story.warn_of(warning.as_deref());
    may_sign(&payer, &call.url, &machines)?;
    let book = RefCell::default();
    let round = Round { shop, order: &job.order, call: &call, machines: &machines, payer: &payer, book };
    let (left, began) = (Cell::new(job.repeat), Instant::now());
    let worker = || async {
        let mut line = None;
        while left.get() > 0 {
            left.set(left.get() - 1);
            round.buy(&mut line).await?;
        }
        Ok::<(), PayError>(())
    };
    let workers = (0..job.concurrency.min(job.repeat)).map(|_| worker());
    join_all(workers).await.into_iter().collect::<Result<(), _>>()?;
    let tally = round.book.into_inner().close(job.repeat, began.elapsed().as_secs_f64());
    match job.order.output.form {
        Form::Json => terminal::result(&json!(tally).to_string()),
        Form::Text => terminal::result(&tally.to_text(job.concurrency)),
    }
    Ok(tally.outcome())
}

impl Round<'_> {
    /// Buys once.
    async fn buy(&self, line: &mut Option<Line>) -> Result<(), PayError> {
        let random = |source| PayError::System { what: "no randomness from the system", source };
        let id = journal::random_id().map_err(random)?;
        let mut call = self.call.clone();
        call.headers.insert("x-purchase-id", HeaderValue::from_str(&id).expect("an id is letters and digits"));
        let began = Instant::now();
        let exchange = self.shop.caller.send_over(&call, self.machines, line).await;
        let offered = began.elapsed();
        let went = match exchange.outcome {
            Err(silence) => Went::Unsigned(silence.into_cause().to_string()),
            Ok(answer) => self.pay(&id, &call, &answer, line).await?,
        };
        self.book.borrow_mut().note(went, offered, began.elapsed());
        Ok(())
    }

    async fn pay(&self, id: &str, call: &Call, answer: &Answer, line: &mut Option<Line>) -> Result<Went, PayError> {
        if answer.status.is_success() {
            return Ok(Went::Free);
        }
        if answer.status != StatusCode::PAYMENT_REQUIRED {
            return Ok(Went::Unsigned(answer.status.to_string()));
        }
        let Ok((asked, _)) = Asked::read(answer, self.order.paying.dialect) else {
            return Ok(Went::NotAcceptable("a 402 that nobody can read".to_owned()));
        };
        let paid = match self.sign(id, asked).await {
            Ok(Ok(paid)) => paid,
            Ok(Err(why)) => return Ok(Went::NotAcceptable(why)),
            // Others have been paid, and are to be told of.
            Err(error) => return Ok(Went::Unsigned(error.to_string())),
        };
        if let Some(transfer) = &paid.transfer {
            let Some(url) = endpoint_of(self.shop, transfer) else { return Ok(Went::Unsigned("no chain".to_owned())) };
            let chain = Chain::new(&self.shop.caller, &url);
            if let Err(verdict) = deliver(self.shop, &chain, transfer).await {
                return Ok(Went::Paid(Box::new((paid, Heard::only(verdict)))));
            }
        }
        let exchange: Exchange = self.shop.caller.send_over(&call.paying(&paid.carriers()), self.machines, line).await;
        let heard = Heard::of(&[], &exchange, &paid);
        Ok(Went::Paid(Box::new((paid, heard))))
    }

    /// Signs, or says why nothing is acceptable.
    async fn sign(&self, id: &str, asked: Asked) -> Result<Result<Authorized, String>, PayError> {
        match weigh(self.shop, &self.order.paying, self.payer, asked, &address::shown(&self.call.url)) {
            Ok(deal) => {
                let seller = Seller { call: self.call, machines: self.machines };
                deal.sign(self.shop, seller, self.payer, id).await.map(Ok)
            }
            Err(looked) => Ok(Err(looked.objections())),
        }
    }
}
