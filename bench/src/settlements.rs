//! A million settlements in one world: their memory, and whether the last cost what the first did.
//!
//! Each world has a process of its own, so that nothing else moves its resident memory. Payments are judged with
//! `verification: accept` and a signature of no bytes, so that none is recovered; the ledger's rules are all applied,
//! and the record of a settlement has the same size whatever its signature. Transactions are not built: the server
//! builds them after the settlement, and keeps none.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, U256, address, keccak256};
use serde::{Deserialize, Serialize};
use x402_dev::config::{Config, UnknownAccounts};
use x402_sim::charge::Charge;
use x402_sim::facilitator::judge;
use x402_sim::fault::Mode;
use x402_sim::networks::eip155::eip712::Authorization;
use x402_sim::order::Depth;
use x402_sim::world::Rules;
use x402_sim::{Setup, World};
use x402_wire::facilitator::FacilitatorRequest;

use crate::clock;
use crate::failure::Failure;
use crate::payments::{MERCHANT, render};
use crate::process::{Helper, own_resident};
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;

/// How many charges are made before they are settled, so that making them is not measured.
const BATCH: u32 = 1000;

/// How often a snapshot is saved and restored.
const SNAPSHOTS: u32 = 20;

/// The second at which everything happens.
const NOW: u64 = 1_800_000_000;

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payers {
    /// Everybody once: every settlement makes a new balance. The worst case.
    Distinct,
    /// One, again and again.
    One,
}

/// What a process of its own found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Found {
    bytes: f64,
    first: f64,
    last: f64,
    /// Milliseconds of the slowest of many.
    save: f64,
    restore: f64,
    file: File,
}

/// What it takes to write the world to a file, and to read it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct File {
    /// Seconds.
    export: f64,
    import: f64,
    /// Bytes.
    size: f64,
}

/// Measures both kinds, each in a process of its own.
pub(crate) fn measure(settings: Settings) -> Result<Section, Failure> {
    let mut rows = Vec::new();
    for payers in [Payers::Distinct, Payers::One] {
        let count = settings.settlements.to_string();
        let helper = Helper::of_this_program("the settlements", &["settlements", payers.name(), &count])?;
        let Found { bytes, first, last, save, restore, file } = helper.hear_json()?;
        let name = |what: &str| format!("{what}, {}", payers.words());
        let (bytes, ratio) = (Spread::of([bytes]), Spread::of([last / first]));
        rows.extend([
            Row::new(&name("resident memory a settlement"), "B", bytes).with_target(Bound::AtMost(400.0)),
            Row::new(&name("young: time in a world that starts empty"), "us", Spread::of([first])),
            Row::new(&name("old: time after all of them"), "us", Spread::of([last])),
            Row::new(&name("old / young"), "", ratio).with_target(Bound::AtMost(2.0)),
            Row::new(&name("saving a snapshot, the slowest of 20"), "ms", Spread::of([save]))
                .with_target(Bound::AtMost(10.0)),
            Row::new(
                &name("restoring it after 1,000 settlements more, the slowest of 20"),
                "ms",
                Spread::of([restore]),
            )
            .with_target(Bound::AtMost(10.0)),
            Row::new(&name("exporting it"), "s", Spread::of([file.export])),
            Row::new(&name("the exported file"), "MB", Spread::of([file.size / 1e6])),
            Row::new(&name("importing it into another world"), "s", Spread::of([file.import])),
        ]);
        terminal::note(&format!("{count} settlements done, {}", payers.words()));
    }
    Ok(Section::new(&format!("{} settlements in one world", settings.settlements), rows))
}

impl Payers {
    /// The kind with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Distinct, Self::One].into_iter().find(|payers| payers.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Distinct => "distinct",
            Self::One => "one",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Distinct => "every payer new",
            Self::One => "one payer",
        }
    }

    fn address(self, number: u32) -> Address {
        match self {
            Self::Distinct => Address::from_word(keccak256(number.to_be_bytes())),
            Self::One => address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        }
    }
}

/// What a helper process does: settles, and prints what it found.
pub(crate) fn run(payers: Payers, count: u32) -> Result<(), Failure> {
    let config = Config::defaults();
    let mut old = Register::new(world(&config)?, payers);
    old.settle_batch()?;
    let before = own_resident()?;
    for _ in 1..count / BATCH {
        old.settle_batch()?;
    }
    let growth = u32::try_from(own_resident()?.saturating_sub(before)).map_err(Failure::while_at("the growth"))?;
    // In turn, so that a machine that changes its speed changes it for both.
    let mut young = Register::new(world(&config)?, payers);
    let (mut first, mut last) = (Duration::ZERO, Duration::ZERO);
    let tenth = (count / BATCH / 10).max(1);
    for _ in 0..tenth {
        first += young.settle_batch()?;
        last += old.settle_batch()?;
    }
    let (first, last) = (clock::each(first, tenth * BATCH), clock::each(last, tenth * BATCH));
    let (save, restore) = snapshots(&mut old)?;
    let file = exported(&old.world, &config)?;
    let found = Found { bytes: f64::from(growth) / f64::from(count - BATCH), first, last, save, restore, file };
    terminal::line(&serde_json::to_string(&found).expect("the members are strings"));
    Ok(())
}

/// Saves the world, settles a batch, and restores it, again and again. Gives the longest times, in milliseconds.
fn snapshots(register: &mut Register) -> Result<(f64, f64), Failure> {
    let (mut save, mut restore) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..SNAPSHOTS {
        let begun = Instant::now();
        register.world.save("bench", NOW * 1000).map_err(Failure::while_at("saving"))?;
        save = save.max(begun.elapsed());
        register.settle_batch()?;
        let begun = Instant::now();
        register.world.restore("bench").map_err(Failure::while_at("restoring"))?;
        restore = restore.max(begun.elapsed());
    }
    Ok((save.as_secs_f64() * 1e3, restore.as_secs_f64() * 1e3))
}

/// Exports the world, and imports it into another one, which must become the same. In memory: no disk is measured.
fn exported(world: &World, config: &Config) -> Result<File, Failure> {
    let mut other = self::world(config)?;
    let (mut text, begun) = (String::new(), Instant::now());
    let export = world.export(None, NOW * 1000).map_err(Failure::while_at("exporting"))?;
    let written: Result<(), std::convert::Infallible> = export.write(&mut |line| {
        text.push_str(line);
        Ok(())
    });
    let (Ok(()), export) = (written, begun.elapsed());
    let (mut import, begun) = (other.import(), Instant::now());
    text.lines().try_for_each(|line| import.line(line)).map_err(Failure::while_at("importing"))?;
    other.keep("bench", import).map_err(Failure::while_at("importing"))?;
    other.restore("bench").map_err(Failure::while_at("restoring"))?;
    let import = begun.elapsed();
    if other.state_hash() != world.state_hash() {
        return Err(Failure::new("the imported world is another one"));
    }
    let size = u32::try_from(text.len()).map_err(Failure::while_at("the size of a file"))?;
    Ok(File { export: export.as_secs_f64(), import: import.as_secs_f64(), size: f64::from(size) })
}

/// A world and the payments that are made in it, one after the other.
struct Register {
    world: World,
    payers: Payers,
    batch: Vec<Charge>,
    issued: u32,
}

impl Register {
    fn new(world: World, payers: Payers) -> Self {
        let batch = Vec::with_capacity(usize::try_from(BATCH).expect("a count fits"));
        Self { world, payers, batch, issued: 0 }
    }

    /// Makes a batch of charges, and settles it. Gives the wall time of the settling.
    fn settle_batch(&mut self) -> Result<Duration, Failure> {
        self.batch.clear();
        for _ in 0..BATCH {
            let charge = self.charge()?;
            self.batch.push(charge);
        }
        let begun = Instant::now();
        for charge in &self.batch {
            self.world.settle(charge, NOW * 1000).map_err(|reason| Failure::new(reason.detail))?;
        }
        Ok(begun.elapsed())
    }

    fn charge(&mut self) -> Result<Charge, Failure> {
        let number = self.issued;
        self.issued += 1;
        let authorization = Authorization {
            from: self.payers.address(number),
            to: MERCHANT,
            value: U256::from(1),
            valid_after: U256::ZERO,
            valid_before: U256::from(NOW + 3600),
            nonce: keccak256([number.to_be_bytes(), *b"once"].concat()),
        };
        let body = render(&authorization, "0x");
        let request = FacilitatorRequest::parse(body.as_bytes()).map_err(Failure::while_at("a request"))?;
        let judged = judge(&request, &self.world.chain(), NOW, Depth::Settle, Mode::Accept);
        judged.map(|approved| approved.charge).map_err(|refusal| Failure::new(refusal.reason.detail.clone()))
    }
}

/// A world as the server makes it from this configuration.
pub(crate) fn world(config: &Config) -> Result<World, Failure> {
    let unknown = match config.accounts.unknown {
        UnknownAccounts::Funded => x402_sim::ledger::UnknownAccounts::Funded,
        UnknownAccounts::Empty => x402_sim::ledger::UnknownAccounts::Empty,
    };
    let (networks, balance) = (config.networks.clone(), config.accounts.balance);
    let setup = Setup { networks, unknown, balance, payees: vec![MERCHANT.into()], rules: Rules::default() };
    World::new(&setup, 1).map_err(Failure::while_at("a world"))
}
