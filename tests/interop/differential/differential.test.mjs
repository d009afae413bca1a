// The differential test: the official facilitator and the mock, on the same cases.
//
// 1. The committed vectors are what the official code answers at the fixed clock.
// 2. Every reason that can be had has a case.
// 3. The mock answers every case, built afresh at the real clock, as the official code does at the same time,
//    except where a departure says otherwise; a departure that nothing needs is an error.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startMock } from "../harness.mjs";
import { answered, cases, fixedVectors, VECTORS } from "./generate.mjs";
import { startOfficial } from "./official.mjs";

const DOORS = ["verify", "settle"];
const IN_FLIGHT = 8;

const committed = readFileSync(VECTORS, "utf8").trimEnd().split("\n");
const { reachable } = JSON.parse(readFileSync(new URL("reasons.json", import.meta.url), "utf8"));

/** What an official answer says, as one text: a reason, an exception's message, or nothing when it accepts. */
const saying = answer => answer.threw ?? answer.reason ?? "";

function readDepartures() {
  const own = new URL("../../../crates/x402-sim/data/departures.json", import.meta.url);
  const rows = JSON.parse(readFileSync(own, "utf8"));
  // A row without `match` describes something that no case of this test shows.
  return rows.filter(row => row.match && !row.match.vectors);
}

/** Whether a row speaks of this case at this door, whatever the mock answers. */
function concerns({ match }, door, { x402Version, faults, [door]: official }) {
  return (
    (match.door === "*" || match.door === door) &&
    (match.x402Version === "*" || match.x402Version === x402Version) &&
    new RegExp(match.official).test(saying(official)) &&
    (match.faults === undefined || faults.some(fault => new RegExp(match.faults).test(fault)))
  );
}

function count(list) {
  const counts = {};
  for (const one of list) {
    for (const door of DOORS) {
      const place = `${door} v${one.x402Version}`;
      const { threw } = one[door];
      const what = threw === undefined ? saying(one[door]) || "accepted" : `throws: ${threw}`;
      counts[place] ??= {};
      counts[place][what] = (counts[place][what] ?? 0) + 1;
    }
  }
  return counts;
}

test("the committed vectors are what the official code answers", async () => {
  const fresh = await fixedVectors();
  assert.equal(fresh.length, committed.length, "node differential/generate.mjs --write rewrites the vectors");
  fresh.forEach((line, index) => {
    if (line === committed[index]) return;
    assert.deepEqual(JSON.parse(committed[index]), JSON.parse(line));
    assert.equal(committed[index], line);
  });
});

test("every reachable reason has a case, and no reason is missing from the list", t => {
  const counts = count(committed.map(line => JSON.parse(line)));
  for (const [place, reasons] of Object.entries(reachable)) {
    for (const reason of reasons) {
      const number = counts[place][reason] ?? 0;
      t.diagnostic(`${place}: ${reason}: ${number}`);
      assert.ok(number > 0, `${place} has no case for ${reason}`);
    }
    const known = new Set(reasons);
    const found = Object.keys(counts[place]).filter(what => !what.startsWith("throws: "));
    assert.deepEqual(found.filter(what => !known.has(what)), [], `${place} gives reasons that reasons.json lacks`);
  }
});

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return { status: response.status, text, json: response.status === 200 ? JSON.parse(text) : undefined };
}

/** The mock's answer in the words of the oracle, after a look at its form. */
function read(door, { status, text, json }) {
  if (status !== 200) return { status, text };
  if (door === "verify") {
    assert.equal(typeof json.isValid, "boolean", text);
    return { isValid: json.isValid, reason: json.invalidReason ?? null, payer: json.payer ?? null };
  }
  assert.equal(typeof json.success, "boolean", text);
  assert.equal(typeof json.network, "string", text);
  assert.match(json.transaction, json.success ? /^0x[0-9a-f]{64}$/ : /^(0x[0-9a-f]{64})?$/, text);
  return { success: json.success, reason: json.errorReason ?? null, payer: json.payer ?? null };
}

/** Sends a case to the mock; gives the differences that no departure explains. */
async function compare(mock, departures, one) {
  for (const body of one.setup) {
    const { status, text, json } = await post(`${mock.url}/settle`, body);
    assert.ok(status === 200 && json.success, `${one.id}: the setup did not settle: ${status} ${text}`);
  }
  const differences = [];
  for (const door of DOORS) {
    const official = one[door];
    const ours = read(door, await post(`${mock.url}/${door}`, one.body));
    if (JSON.stringify(ours) === JSON.stringify(official)) continue;
    const departure = departures.find(row => concerns(row, door, one) && row.match.ours === ours.reason);
    const refuses = ours.isValid === false || ours.success === false;
    // A departure changes a reason; who pays stays the same wherever the official code says it.
    if (departure && refuses && (official.threw !== undefined || ours.payer === official.payer)) continue;
    differences.push({ id: one.id, door, official, ours });
  }
  return differences;
}

/** The differences as lines, one for each pair of answers, with a few of the cases that show it. */
function summary(differences) {
  const groups = new Map();
  for (const { id, door, official, ours } of differences) {
    const brief = ({ payer: _, ...answer }) => JSON.stringify(answer);
    const payers = official.payer === ours.payer ? "" : `, payer ${official.payer} / ${ours.payer}`;
    const line = `${door}: official ${brief(official)}, ours ${brief(ours)}`;
    groups.set(line, [...(groups.get(line) ?? []), `${id}${payers}`]);
  }
  return [...groups].map(([line, ids]) => `${line}\n  ${ids.length}: ${ids.slice(0, 5).join("\n  ")}`).join("\n");
}

test("the mock answers as the official facilitator", { timeout: 900_000 }, async t => {
  const departures = readDepartures();
  const official = await startOfficial();
  t.after(() => official.stop());
  const mock = await startMock(t);

  const differences = [];
  const answers = [];
  const running = new Set();
  for await (const one of cases({ now: official.clock, seed: `live ${process.pid}` })) {
    const ready = await answered(official, one);
    answers.push(ready);
    if (running.size >= IN_FLIGHT) await Promise.race(running);
    const task = compare(mock, departures, ready).then(found => {
      running.delete(task);
      differences.push(...found);
    });
    running.add(task);
  }
  await Promise.all(running);

  for (const [place, reasons] of Object.entries(count(answers))) {
    for (const [reason, number] of Object.entries(reasons)) t.diagnostic(`${place}: ${reason}: ${number}`);
  }
  t.diagnostic(`${answers.length} cases, ${differences.length} differences that are not listed`);
  assert.equal(differences.length, 0, `${differences.length} answers differ from the official ones:\n${summary(differences)}`);

  const known = [...answers, ...committed.map(line => JSON.parse(line))];
  const idle = departures.filter(row => !known.some(one => DOORS.some(door => concerns(row, door, one))));
  assert.deepEqual(idle.map(({ id }) => id), [], "departures that match no case");
});
