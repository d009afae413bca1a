// What an unmodified official client and an unmodified official server do with each preset of faults, measured:
// `node presets.mjs --write` writes presets.json, which docs/faults.md shows.

import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { decodeHeader, HOME, MERCHANT, startMock, startServer, within } from "./harness.mjs";
import { payerV2 } from "./payers.mjs";

const DEADLINE = 30_000;

/** Asks the admin door of a mock. */
export async function admin(mock, method, path, body) {
  const init = { method, headers: { "content-type": "application/json" } };
  const response = await fetch(`${mock.url}/_x402/api${path}`, { ...init, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${answer.detail}`);
  return answer;
}

/** How many transactions the mock's ledger holds. */
const settlements = async mock => (await admin(mock, "PUT", "/snapshots/count")).transactions;

/** Moves the clock once a fault was played, where somebody waits for it. */
async function hurry(mock, preset) {
  if (preset !== "slow_answer") return;
  await admin(mock, "POST", "/events/wait", { filter: { kind: "faulted" }, count: 1, timeout_ms: DEADLINE });
  await admin(mock, "POST", "/clock/advance", { by_ms: 30_000 });
}

/** The text of what a call came to, without what differs from run to run. */
const steady = text =>
  String(text)
    .replace(/127\.0\.0\.1:\d+/g, "HOST")
    .replace(/0x[0-9a-f]{64}/g, "HASH")
    .slice(0, 200);

/** What the official client does at an address: the outcome of one call, and the payments that it signed for it. */
async function call(url) {
  const payer = payerV2();
  try {
    const response = await within(DEADLINE, "the call", payer.fetch(url));
    const text = await response.text();
    const receipt = response.headers.get("payment-response");
    const offer = response.headers.get("payment-required");
    const said = receipt ? decodeHeader(receipt) : offer ? decodeHeader(offer) : {};
    const reason = said.errorReason ?? said.error ?? (response.status >= 500 && text ? text : undefined);
    const outcome = { status: response.status, receipt: receipt !== null, body: text.length > 2 };
    return { ...outcome, ...(reason ? { reason: steady(reason) } : {}), signed: payer.sent.length };
  } catch (error) {
    return { thrown: steady(error.cause?.code ?? error.cause?.message ?? error.message), signed: payer.sent.length };
  }
}

/** `@x402/fetch` at a resource of the mock. */
export async function client(t, preset) {
  const mock = await startMock(t, "--timeout-delay", "50ms");
  await admin(mock, "POST", "/faults", { preset, match: { door: "resources" } });
  const [outcome] = await Promise.all([call(`${mock.url}/a`), hurry(mock, preset)]);
  return { ...outcome, settlements: await settlements(mock) };
}

/** `@x402/express` with the mock for a facilitator. */
export async function server(t, preset) {
  const mock = await startMock(t, "--timeout-delay", "50ms");
  await admin(mock, "POST", "/faults", { preset, match: { door: "facilitator" } });
  const api = await startServer(t, "express-v2.mjs", { facilitator: mock.url, network: HOME.v2, payTo: MERCHANT });
  const [outcome] = await Promise.all([call(`${api.url}/paid`), hurry(mock, preset)]);
  return { ...outcome, settlements: await settlements(mock) };
}

/** Whether a preset has faults at a door. */
export async function hasDoor(mock, preset, door) {
  try {
    const { ids } = await admin(mock, "POST", "/faults", { preset, match: { door } });
    return ids.length > 0;
  } catch {
    return false;
  }
}

if (process.argv.includes("--write")) {
  test("measured", { timeout: 600_000 }, async t => {
    const mock = await startMock(t);
    const { presets } = await admin(mock, "GET", "/faults/presets");
    const measured = {};
    for (const { name } of presets) {
      measured[name] = {};
      if (await hasDoor(mock, name, "resources")) measured[name].client = await client(t, name);
      if (await hasDoor(mock, name, "facilitator")) measured[name].server = await server(t, name);
    }
    writeFileSync(new URL("presets.json", import.meta.url), `${JSON.stringify(measured, null, 2)}\n`);
  });
}
