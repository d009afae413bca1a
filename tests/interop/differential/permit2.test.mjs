// The differential test of payments by Permit2, `exact` and `upto`: as differential.test.mjs for EIP-3009.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startMock } from "../harness.mjs";
import { startOfficial } from "./official.mjs";
import { answered, cases, fixedVectors, SCHEMES } from "./permit2-generate.mjs";

const DOORS = ["verify", "settle"];
const saying = answer => answer.threw ?? answer.reason ?? "";

function readDepartures() {
  const own = new URL("../../../crates/x402-sim/data/departures.json", import.meta.url);
  const rows = JSON.parse(readFileSync(own, "utf8"));
  return rows.filter(({ match }) => match && (match.vectors === undefined || match.vectors === "permit2"));
}

function concerns({ match }, door, { faults, [door]: official }) {
  return (
    (match.door === "*" || match.door === door) &&
    (match.x402Version === "*" || match.x402Version === 2) &&
    new RegExp(match.official).test(saying(official)) &&
    (match.faults === undefined || faults.some(fault => new RegExp(match.faults).test(fault)))
  );
}

for (const [scheme, place] of Object.entries(SCHEMES)) {
  test(`the committed vectors of ${scheme} by Permit2 are what the official code answers`, { timeout: 600_000 }, async () => {
    const committed = readFileSync(place, "utf8").trimEnd().split("\n");
    const fresh = await fixedVectors(scheme);
    assert.equal(fresh.length, committed.length, "node differential/permit2-generate.mjs --write rewrites the vectors");
    fresh.forEach((line, index) => assert.equal(committed[index], line));
  });
}

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

function read(door, { status, text, json }) {
  if (status !== 200) return { status, text };
  if (door === "verify") return { isValid: json.isValid, reason: json.invalidReason ?? null, payer: json.payer ?? null };
  const { success, errorReason, payer, amount, transaction } = json;
  assert.match(transaction, success && amount !== "0" ? /^0x[0-9a-f]{64}$/ : /^(0x[0-9a-f]{64})?$/, text);
  return { success, reason: errorReason ?? null, payer: payer ?? null, ...(amount === undefined ? {} : { amount }) };
}

async function compare(mock, departures, one) {
  for (const body of one.setup) {
    const { status, text, json } = await post(`${mock.url}/settle`, body);
    assert.ok(status === 200 && json.success, `${one.id}: the setup did not settle: ${status} ${text}`);
  }
  for (const { owner, amount } of one.approvals) {
    for (const network of ["eip155:84532", "eip155:1328"]) {
      const whole = `${BigInt(amount) / 1_000_000n}.${String(BigInt(amount) % 1_000_000n).padStart(6, "0")}`;
      const answer = await post(`${mock.url}/_x402/api/accounts/${owner}/approve`, { amount: whole, network });
      assert.equal(answer.status, 200, answer.text);
    }
  }
  const differences = [];
  for (const door of DOORS) {
    const official = one[door];
    const ours = read(door, await post(`${mock.url}/${door}`, one.body));
    const told = { ...official, payer: typeof official.payer === "string" ? official.payer : null };
    if (JSON.stringify(ours) === JSON.stringify(official.threw === undefined ? told : official)) continue;
    const departure = departures.find(row => concerns(row, door, one) && row.match.ours === ours.reason);
    if (departure && (ours.isValid === false || ours.success === false)) continue;
    differences.push(`${one.id} ${door}: official ${JSON.stringify(official)}, ours ${JSON.stringify(ours)}`);
  }
  return differences;
}

for (const scheme of Object.keys(SCHEMES)) {
  test(`the mock answers as the official facilitator: ${scheme} by Permit2`, { timeout: 900_000 }, async t => {
    const departures = readDepartures();
    const official = await startOfficial({ wire: "in-process" });
    t.after(() => official.stop());
    const mock = await startMock(t);
    const differences = [];
    let count = 0;
    for await (const one of cases({ scheme, now: official.clock, seed: `live ${process.pid}` })) {
      differences.push(...(await compare(mock, departures, await answered(official, one))));
      count += 1;
    }
    t.diagnostic(`${count} cases`);
    assert.equal(differences.length, 0, `${differences.length} answers differ:\n${differences.slice(0, 20).join("\n")}`);
  });
}
