// `x402-dev sign` writes, byte for byte, what the official client writes at the same time with the same nonce.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { x402Client } from "@x402/core/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { ExactEvmSchemeV1 } from "@x402/evm/exact/v1/client";
import { PAYER } from "./harness.mjs";

const VECTORS = new URL("../../fixtures/vectors/exact-eip155/payments.jsonl", import.meta.url);
const NOW = 1_800_000_000;
const NONCE = 0xab;

/** The official client's payload, while the clock stands and every random byte is the nonce's. */
async function official(t, offer) {
  t.mock.method(Date, "now", () => NOW * 1000);
  t.mock.method(globalThis.crypto, "getRandomValues", bytes => bytes.fill(NONCE));
  const client = new x402Client();
  client.register("eip155:*", new ExactEvmScheme(PAYER));
  client.registerV1("base-sepolia", new ExactEvmSchemeV1(PAYER));
  return JSON.stringify(await client.createPaymentPayload(JSON.parse(offer)));
}

function ours(offer) {
  const nonce = `0x${NONCE.toString(16).repeat(32)}`;
  const args = ["sign", "-", "--now", String(NOW), "--nonce", nonce];
  const value = execFileSync(process.env.X402_DEV_BIN, args, { input: offer, encoding: "utf8" });
  return Buffer.from(value.trim(), "base64").toString("utf8");
}

const cases = readFileSync(VECTORS, "utf8").trim().split("\n").map(line => JSON.parse(line));

test("both versions are there", () => {
  assert.deepEqual(cases.map(({ payload }) => JSON.parse(payload).x402Version), [2, 1]);
});

for (const { name, offer, payload } of cases) {
  test(`${name}: the committed payload is the official client's`, async t => {
    assert.equal(await official(t, offer), payload);
  });

  test(`${name}: sign writes the same bytes`, () => {
    assert.equal(ours(offer), payload);
  });
}
