//! The comparison that chose the ledger's map: memory and speed of structurally shared maps.
//!
//! Each map has a process of its own, so that nothing else moves its resident memory.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::failure::Failure;
use crate::process::{Helper, own_resident};
use crate::report::{Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;

/// A map that can be copied for a few pointers.
trait Shared: Clone + Default {
    /// Its name, as a document writes it.
    const NAME: &'static str;

    /// Adds an entry; every copy keeps what it had.
    fn put(&mut self, key: u64, value: u32);
}

type ImblOrd = imbl::OrdMap<u64, u32>;
type ImblHash = imbl::HashMap<u64, u32>;
type Rpds = rpds::HashTrieMapSync<u64, u32>;

impl Shared for ImblOrd {
    const NAME: &'static str = "`imbl::OrdMap`";
    fn put(&mut self, key: u64, value: u32) {
        self.insert(key, value);
    }
}

impl Shared for ImblHash {
    const NAME: &'static str = "`imbl::HashMap`";
    fn put(&mut self, key: u64, value: u32) {
        self.insert(key, value);
    }
}

impl Shared for Rpds {
    const NAME: &'static str = "`rpds::HashTrieMapSync`";
    fn put(&mut self, key: u64, value: u32) {
        self.insert_mut(key, value);
    }
}

/// What a process of its own found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Found {
    bytes: f64,
    alone: f64,
    beside: f64,
}

/// The maps by the names that a helper process is given.
const MAPS: [(&str, &str); 3] = [("ord", ImblOrd::NAME), ("hash", ImblHash::NAME), ("rpds", Rpds::NAME)];

/// Measures every map, each in a process of its own.
pub(crate) fn measure(settings: Settings) -> Result<Section, Failure> {
    let mut rows = Vec::new();
    for (word, name) in MAPS {
        let count = settings.entries.to_string();
        let helper = Helper::of_this_program("a map", &["map", word, &count])?;
        let Found { bytes, alone, beside } = helper.hear_json()?;
        let row = |what: &str, unit, number| Row::new(&format!("{name}: {what}"), unit, Spread::of([number]));
        rows.extend([
            row("resident memory an entry", "B", bytes),
            row("an insertion", "ns", alone),
            row("an insertion beside a snapshot taken just before", "ns", beside),
        ]);
    }
    terminal::note("the maps done");
    Ok(Section::new(&format!("Shared maps: {} random `u64` keys with `u32` values", settings.entries), rows))
}

/// What a helper process does: fills a map, and prints what it found.
pub(crate) fn run(word: &str, count: u32) -> Result<(), Failure> {
    let found = match word {
        "ord" => fill::<ImblOrd>(count),
        "hash" => fill::<ImblHash>(count),
        "rpds" => fill::<Rpds>(count),
        _ => Err(Failure::new(format!("there is no map `{word}`"))),
    }?;
    terminal::line(&serde_json::to_string(&found).expect("the members are strings"));
    Ok(())
}

fn fill<M: Shared>(count: u32) -> Result<Found, Failure> {
    let mut map = M::default();
    let before = own_resident()?;
    let begun = Instant::now();
    for number in 0..count {
        map.put(scatter(number), number);
    }
    let alone = clock::each(begun.elapsed(), count) * 1e3;
    let growth = u32::try_from(own_resident()?.saturating_sub(before)).map_err(Failure::while_at("the growth"))?;
    let more = count / 10;
    let begun = Instant::now();
    for number in count..count + more {
        let snapshot = map.clone();
        map.put(scatter(number), number);
        drop(std::hint::black_box(snapshot));
    }
    let beside = clock::each(begun.elapsed(), more) * 1e3;
    Ok(Found { bytes: f64::from(growth) / f64::from(count), alone, beside })
}

/// Numbers in a scattered sequence, none twice: the mixing steps of `SplitMix64`.
const fn scatter(number: u32) -> u64 {
    let mut bits = (number as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
