//! Purchases: what is counted for which, and what is never said.

use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use serde_json::{Value, json};
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::facilitator::said_payer;
use x402_sim::facilitator::{self, facts_of};
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::order::Depth;
use x402_sim::purchase::buyer::{BodyHash, Step};
use x402_sim::purchase::{Buyer, Delivery, Grouping, Listed, Name, Seen, Verdict, Wanted};
use x402_sim::world::record::Shipment;
use x402_sim::world::{Commitment, Ending, Rules, Standing, Wait};
use x402_sim::{Setup, World, registry};
use x402_wire::amount::Decimal;
use x402_wire::facilitator::FacilitatorRequest;

use crate::payment::{NOW, Template};

/// A world, and doors that tell it what real doors tell.
struct Shop {
    world: World,
    now: u64,
}

/// A request with a payment.
#[derive(Clone, Debug)]
struct Paid {
    payer: usize,
    nonce: u8,
    /// The `payment-identifier`.
    id: Option<String>,
    /// `X-Purchase-Id`.
    header: Option<String>,
    target: &'static str,
    /// What becomes of a settlement.
    commitment: Commitment,
    ending: Answer,
}

/// What becomes of the answer at the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Whole,
    Lost,
    /// Whole, and a fault was played.
    Faulted,
    /// A fault lets it be lost.
    FaultedAndLost,
}

fn paid(nonce: u8) -> Paid {
    let (commitment, ending) = (Commitment::Kept, Answer::Whole);
    Paid { payer: 0, nonce, id: None, header: None, target: "/a", commitment, ending }
}

impl Paid {
    fn header(mut self, name: &str) -> Self {
        self.header = Some(name.to_owned());
        self
    }

    fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    fn body(&self) -> String {
        let network = registry::networks().into_iter().find(|network| network.id == "eip155:84532").unwrap();
        let template = Template { payer: self.payer, nonce: B256::repeat_byte(self.nonce), ..Template::new(&network) };
        let mut body = template.body();
        body["paymentPayload"]["resource"] = json!({ "url": format!("http://shop.test{}", self.target) });
        if let Some(id) = &self.id {
            body["paymentPayload"]["extensions"] = json!({ "payment-identifier": { "info": { "id": id } } });
        }
        body.to_string()
    }
}

impl Shop {
    fn new() -> Self {
        let networks = registry::networks().into_iter().filter(|network| network.id == "eip155:84532").collect();
        let setup = Setup {
            networks,
            unknown: UnknownAccounts::Funded,
            balance: Decimal::parse("1000").unwrap(),
            payees: Vec::new(),
            rules: Rules::default(),
        };
        Self { world: World::new(&setup, 7).unwrap(), now: NOW * 1000 }
    }

    fn record(&mut self, kind: Kind, door: Door, payment: PaymentId, facts: Facts) {
        self.world.record(self.now, kind, door, Some(payment), facts);
    }

    /// A paid request to the resource.
    fn buy(&mut self, paid: &Paid) {
        let body = paid.body();
        let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
        let payment = PaymentId::of(&request.payload);
        let buyer = Buyer {
            name: Name::of(&request.payload, paid.header.as_deref()),
            payer: said_payer(&request.payload),
            wanted: Wanted::Request { method: "GET", target: paid.target, body: BodyHash::default() },
        };
        self.world.meet(payment, &buyer);
        if self.verify_now(&request, payment, Door::Resources)
            && self.settle_now(&request, payment, paid, Door::Resources)
        {
            if matches!(paid.ending, Answer::Faulted | Answer::FaultedAndLost) {
                self.record(Kind::Faulted, Door::Resources, payment, Facts::default());
            }
            let arrived = matches!(paid.ending, Answer::Whole | Answer::Faulted);
            let kind = if arrived { Kind::Delivered } else { Kind::NotDelivered };
            let purchase = self.world.ship(payment);
            let shipment = Shipment { kind, payment: Some(payment), purchase };
            self.world.record_delivery(self.now, shipment, Facts::default());
        }
    }

    fn verify(&mut self, paid: &Paid) -> bool {
        let body = paid.body();
        let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
        let payment = PaymentId::of(&request.payload);
        self.world.meet(payment, &Buyer::of_request(&request, Step::Verify));
        self.verify_now(&request, payment, Door::Facilitator)
    }

    fn settle(&mut self, paid: &Paid) -> bool {
        let body = paid.body();
        let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
        let payment = PaymentId::of(&request.payload);
        self.world.meet(payment, &Buyer::of_request(&request, Step::Settle));
        let settled = self.settle_now(&request, payment, paid, Door::Facilitator);
        if settled && matches!(paid.ending, Answer::Faulted | Answer::FaultedAndLost) {
            self.record(Kind::Faulted, Door::Facilitator, payment, Facts::default());
        }
        settled
    }

    fn verify_now(&mut self, request: &FacilitatorRequest<'_>, payment: PaymentId, door: Door) -> bool {
        let judged = facilitator::judge(request, &self.world.chain(), self.now / 1000, Depth::Verify, Mode::Strict);
        let kind = if judged.is_ok() { Kind::Verified } else { Kind::Refused };
        self.record(kind, door, payment, facts_of(&judged));
        judged.is_ok()
    }

    fn settle_now(&mut self, request: &FacilitatorRequest<'_>, payment: PaymentId, paid: &Paid, door: Door) -> bool {
        if let Some(asked) = self.world.ask_again(payment, self.now) {
            return asked.is_ok_and(|settled| settled.standing == Standing::Confirmed);
        }
        let judged = facilitator::judge(request, &self.world.chain(), self.now / 1000, Depth::Settle, Mode::Strict);
        let facts = facts_of(&judged);
        let Ok(approved) = judged else {
            self.record(Kind::SettleFailed, door, payment, facts);
            return false;
        };
        match self.world.settle_as(&approved.charge, payment, paid.commitment, self.now) {
            Ok(_) if matches!(paid.commitment, Commitment::Pending(..)) => {
                self.record(Kind::Pending, door, payment, facts);
                false
            }
            Ok(_) => {
                self.record(Kind::Settled, door, payment, facts);
                true
            }
            Err(_) => {
                self.record(Kind::SettleFailed, door, payment, facts);
                false
            }
        }
    }

    fn all(&self) -> Vec<Listed> {
        self.world.purchases().iter().map(|purchase| self.world.list(purchase)).collect()
    }

    #[track_caller]
    fn only(&self) -> Listed {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    }
}

#[track_caller]
fn assert_says(purchase: &Listed, expected: &Value) {
    let said = serde_json::to_value(purchase).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&said[key], value, "{key} of {said:#}");
    }
}

#[test]
fn a_hundred_honest_repeats_are_a_hundred_clean_purchases() {
    let mut shop = Shop::new();
    for nonce in 1..=100 {
        shop.buy(&paid(nonce));
    }
    let all = shop.all();
    assert_eq!(all.len(), 100);
    for purchase in &all {
        assert_says(purchase, &json!({"grouping": "guess", "settlements": 1, "verdict": "clean", "closed": true}));
    }
}

#[test]
fn two_authorizations_of_one_name_are_paid_twice_and_each_name_is_one_purchase() {
    for pay in [|nonce| paid(nonce).header("order-1"), |nonce| paid(nonce).id("pay_0123456789abcdef")] {
        let mut shop = Shop::new();
        shop.buy(&pay(1));
        assert_says(&shop.only(), &json!({"settlements": 1, "verdict": "clean", "delivery": "delivered"}));
        shop.buy(&pay(2));
        let expected = json!({"attempts": 2, "authorizations": 2, "settlements": 2, "verdict": "paid twice"});
        assert_says(&shop.only(), &expected);
        assert_eq!(shop.only().moved[0].amount, "0.02 USDC");
        shop.buy(&paid(3).header("order-2"));
        shop.buy(&Paid { payer: 1, ..pay(4) });
        let verdicts: Vec<Verdict> = shop.all().iter().map(|purchase| purchase.verdict).collect();
        assert_eq!(verdicts, [Verdict::PaidTwice, Verdict::Clean, Verdict::Clean]);
    }
}

#[test]
fn one_header_at_two_resources_is_two_purchases() {
    let mut shop = Shop::new();
    shop.buy(&paid(1).header("1"));
    shop.buy(&Paid { target: "/b", ..paid(2).header("1") });
    assert!(shop.all().iter().all(|purchase| purchase.verdict == Verdict::Clean), "{:#?}", shop.all());
    assert_eq!(shop.all().len(), 2);
}

#[test]
fn a_replayed_payment_settles_once_and_stays_in_its_purchase() {
    let mut shop = Shop::new();
    for _ in 0..10 {
        shop.buy(&paid(1));
    }
    let expected = json!({
        "attempts": 10, "authorizations": 1, "verifies": 10, "settlements": 1, "refused": 9, "verdict": "clean",
    });
    assert_says(&shop.only(), &expected);
    // The same payment at another resource is another purchase, which is refused.
    shop.buy(&Paid { target: "/b", ..paid(1) });
    shop.buy(&paid(1));
    let all = shop.all();
    assert_says(&all[0], &json!({"attempts": 11, "refused": 10, "verdict": "clean"}));
    assert_says(&all[1], &json!({"attempts": 1, "authorizations": 1, "refused": 1, "verdict": "refused"}));
}

#[test]
fn after_a_lost_answer_a_second_payment_is_possibly_the_same_purchase() {
    for ending in [Answer::Lost, Answer::Faulted, Answer::FaultedAndLost] {
        let mut shop = Shop::new();
        shop.buy(&Paid { ending, ..paid(1) });
        let lost = ending != Answer::Faulted;
        assert_says(
            &shop.only(),
            &json!({"verdict": if lost { "paid, not delivered" } else { "clean" }, "closed": false}),
        );
        shop.buy(&paid(2));
        assert_says(&shop.only(), &json!({"settlements": 2, "verdict": "possibly paid twice", "closed": true}));
        shop.buy(&paid(3));
        assert_eq!(shop.all()[1].verdict, Verdict::Clean);
    }
}

#[test]
fn a_retry_that_succeeds_is_clean_and_closes() {
    let mut shop = Shop::new();
    // Refused by a fault before the ledger commits, then the same payment again.
    let body = paid(1).body();
    let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
    let payment = PaymentId::of(&request.payload);
    let wanted = Wanted::Request { method: "GET", target: "/a", body: BodyHash::default() };
    shop.world.meet(payment, &Buyer { name: None, payer: said_payer(&request.payload), wanted });
    shop.record(Kind::Faulted, Door::Resources, payment, Facts::default());
    shop.record(Kind::SettleFailed, Door::Resources, payment, Facts::default());
    assert_says(&shop.only(), &json!({"verdict": "refused", "faults": 1}));
    shop.buy(&paid(1));
    assert_says(&shop.only(), &json!({"attempts": 2, "settlements": 1, "verdict": "clean", "closed": true}));
    assert_eq!(shop.world.events_of(shop.world.purchases().last().unwrap()).len(), 5);
}

#[test]
fn the_facilitator_alone_does_not_see_the_delivery() {
    let mut shop = Shop::new();
    for nonce in 1..=20 {
        assert!(shop.verify(&paid(nonce)) && shop.settle(&paid(nonce)));
    }
    assert_eq!(shop.all().len(), 20);
    for purchase in shop.all() {
        let expected = json!({
            "grouping": "guess", "seen": "facilitator", "attempts": 1, "verifies": 1, "settlements": 1,
            "delivery": "unknown", "verdict": "settled, delivery not seen", "resource": "http://shop.test/a",
        });
        assert_says(&purchase, &expected);
    }
}

#[test]
fn at_the_facilitator_a_fault_keeps_the_guess_open_and_an_id_makes_it_a_fact() {
    let mut shop = Shop::new();
    shop.settle(&Paid { ending: Answer::Faulted, ..paid(1) });
    shop.settle(&paid(2));
    assert_says(&shop.only(), &json!({"attempts": 2, "settlements": 2, "verdict": "possibly paid twice"}));
    let mut shop = Shop::new();
    for nonce in 1..3 {
        shop.settle(&paid(nonce).id("pay_0123456789abcdef"));
    }
    assert_says(&shop.only(), &json!({"grouping": "id", "settlements": 2, "verdict": "paid twice"}));
}

#[test]
fn one_payment_at_both_doors_is_one_purchase() {
    let mut shop = Shop::new();
    shop.verify(&paid(1));
    assert_says(&shop.only(), &json!({"seen": "facilitator", "verdict": "pending"}));
    shop.buy(&paid(1).header("order-1"));
    let expected = json!({
        "grouping": "header", "name": "order-1", "seen": "both", "method": "GET", "resource": "/a",
        "attempts": 2, "authorizations": 1, "verifies": 2, "settlements": 1, "verdict": "clean",
    });
    assert_says(&shop.only(), &expected);
    // Paid past the resource: it refuses what is used.
    let mut shop = Shop::new();
    shop.settle(&paid(1));
    shop.buy(&paid(1));
    assert_says(&shop.only(), &json!({"seen": "both", "settlements": 1, "verdict": "paid, not delivered"}));
}

#[test]
fn what_the_chain_does_later_counts_for_the_purchase() {
    let after = Wait::Milliseconds(10_000);
    for (ending, settlements, verdict) in
        [(Ending::Succeeds, 1, "paid, not delivered"), (Ending::Fails, 0, "refused"), (Ending::Never, 0, "pending")]
    {
        let mut shop = Shop::new();
        shop.buy(&Paid { commitment: Commitment::Pending(ending, after), ..paid(1) });
        assert_says(&shop.only(), &json!({"pending": 1, "settlements": 0, "verdict": "pending"}));
        shop.world.catch_up(shop.now + 10_000);
        assert_says(&shop.only(), &json!({"settlements": settlements, "verdict": verdict}));
    }
    let mut shop = Shop::new();
    shop.buy(&Paid { commitment: Commitment::Undone(after), ..paid(1) });
    assert_eq!(shop.only().verdict, Verdict::Clean);
    shop.world.catch_up(shop.now + 10_000);
    assert_says(&shop.only(), &json!({"settlements": 0, "undone": 1, "verdict": "delivered, not paid"}));
    assert_eq!(shop.only().moved[0].amount, "0 USDC");
    // Nobody waits for what was undone: where nothing was delivered, the purchase has come to nothing.
    let mut shop = Shop::new();
    shop.settle(&Paid { commitment: Commitment::Undone(after), ..paid(1) });
    assert_eq!(shop.only().verdict, Verdict::DeliveryNotSeen);
    shop.world.catch_up(shop.now + 10_000);
    assert_says(&shop.only(), &json!({"settlements": 0, "undone": 1, "verdict": "refused"}));
}

#[test]
fn only_what_moved_is_a_settlement() {
    let mut shop = Shop::new();
    shop.buy(&Paid { commitment: Commitment::Nothing, ..paid(1) });
    assert_says(&shop.only(), &json!({"settlements": 0, "verdict": "delivered, not paid"}));
    let mut shop = Shop::new();
    shop.buy(&Paid { commitment: Commitment::Twice, ..paid(1).header("order-1") });
    assert_says(&shop.only(), &json!({"authorizations": 1, "settlements": 2, "verdict": "paid twice"}));
}

#[test]
fn unpaid_requests_open_nothing() {
    let mut shop = Shop::new();
    for _ in 0..1000 {
        shop.world.record(shop.now, Kind::Offered, Door::Resources, None, Facts::default());
    }
    assert_eq!(shop.all().len(), 0);
}

#[test]
fn a_restored_world_starts_a_new_page() {
    let mut shop = Shop::new();
    shop.world.save("start", shop.now).unwrap();
    shop.buy(&paid(1).header("order-1"));
    shop.world.restore("start").unwrap();
    shop.buy(&paid(1).header("order-1"));
    assert_eq!(shop.all().len(), 2);
    assert!(shop.all().iter().all(|purchase| purchase.verdict == Verdict::Clean), "{:#?}", shop.all());
    assert!(shop.all()[0].closed);
}

#[test]
fn the_oldest_purchases_are_forgotten_with_all_that_they_were_known_by() {
    let mut shop = Shop::new();
    let wanted = Wanted::Request { method: "GET", target: "/a", body: BodyHash::default() };
    for number in 0..10_001u64 {
        let name = number.to_string();
        let buyer = Buyer { name: Name::of_header(&name), payer: Some("0xab".into()), wanted };
        shop.world.meet(PaymentId((number + 1).to_be_bytes()), &buyer);
    }
    let register = shop.world.purchases();
    assert_eq!((register.iter().count(), register.forgotten()), (10_000, 1));
    assert_eq!(register.iter().next().unwrap().id.to_string(), "pur_2");
    let (first, second) = (PaymentId(1u64.to_be_bytes()), PaymentId(2u64.to_be_bytes()));
    let told = |shop: &mut Shop, payment| {
        shop.world.record(1, Kind::Refused, Door::Resources, Some(payment), Facts::default()).purchase
    };
    assert_eq!(told(&mut shop, first), None);
    assert_eq!(told(&mut shop, second).unwrap().to_string(), "pur_2");
}

fn payments() -> impl Strategy<Value = (u8, Paid)> {
    let name =
        || prop_oneof![3 => Just(None), 1 => (0u8..2).prop_map(|name| Some(format!("order-number-{name}-of-us")))];
    let commitment = prop_oneof![
        6 => Just(Commitment::Kept),
        1 => Just(Commitment::Undone(Wait::Milliseconds(500))),
        1 => Just(Commitment::Pending(Ending::Succeeds, Wait::Milliseconds(500))),
        1 => Just(Commitment::Pending(Ending::Fails, Wait::Blocks(1))),
        1 => Just(Commitment::Pending(Ending::Succeeds, Wait::Asks(1))),
        1 => Just(Commitment::Nothing),
    ];
    let ending = prop_oneof![
        4 => Just(Answer::Whole),
        1 => Just(Answer::Lost),
        1 => Just(Answer::Faulted),
        1 => Just(Answer::FaultedAndLost),
    ];
    let target = prop_oneof![Just("/a"), Just("/b")];
    (0u8..3, 0usize..2, 1u8..20, name(), name(), target, commitment, ending).prop_map(
        |(door, payer, nonce, id, header, target, commitment, ending)| {
            (door, Paid { payer, nonce, id, header, target, commitment, ending })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_counted_twice_and_a_guess_is_never_a_fact(steps in prop::collection::vec(payments(), 1..40)) {
        let mut shop = Shop::new();
        let mut requests = [0u64; 3];
        for (door, paid) in &steps {
            requests[usize::from(*door)] += 1;
            match door {
                0 => shop.buy(paid),
                1 => drop(shop.verify(paid)),
                _ => drop(shop.settle(paid)),
            }
            shop.now += 100;
            shop.world.catch_up(shop.now);
        }
        let all = shop.all();
        let sum = |count: fn(&Listed) -> u64| all.iter().map(count).sum::<u64>();
        let ledger = shop.world.ledger();
        prop_assert_eq!(sum(|own| own.settlements + own.undone), ledger.len() as u64);
        let moved: U256 = all.iter().flat_map(|own| &own.moved).map(|own| own.atomic.parse::<U256>().unwrap()).sum();
        prop_assert_eq!(moved, U256::from(10_000 * sum(|own| own.settlements)));
        let attempts = sum(|own| own.attempts);
        prop_assert!(attempts >= requests[0] + requests[1] && attempts <= requests.iter().sum());
        prop_assert_eq!(sum(|own| own.pending), shop.world.events().iter().fold(0, |sum, event| match event.kind {
            Kind::Pending => sum + 1,
            Kind::Settled | Kind::SettleFailed if event.door == Door::Chain => sum - 1,
            _ => sum,
        }));
        for event in shop.world.events().iter() {
            prop_assert!(event.purchase.is_some(), "{:?}", event);
        }
        for purchase in &all {
            prop_assert!(purchase.grouping != Grouping::Guess || purchase.verdict != Verdict::PaidTwice);
            prop_assert!(purchase.grouping == Grouping::Guess || purchase.verdict != Verdict::PossiblyPaidTwice);
            prop_assert_eq!(purchase.verdict == Verdict::PaidTwice, purchase.grouping != Grouping::Guess && purchase.settlements > 1);
            // What was undone can settle again.
            prop_assert!(purchase.settlements <= purchase.authorizations, "{:#?}", purchase);
            prop_assert!(purchase.authorizations >= 1 && purchase.attempts >= 1, "{:#?}", purchase);
            prop_assert!(purchase.seen != Seen::Facilitator || purchase.delivery == Delivery::Unknown);
            let events = shop.world.events_of(shop.world.purchases().get(
                x402_sim::purchase::PurchaseId::parse(&purchase.id).unwrap()).unwrap());
            let delivered = events.iter().filter(|event| event.kind == Kind::Delivered).count() as u64;
            prop_assert_eq!(purchase.deliveries, delivered);
        }
    }
}
