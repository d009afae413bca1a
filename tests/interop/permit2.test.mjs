// Permit2 and `upto` with unmodified official clients and servers.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { x402Client } from "@x402/core/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import { wrapFetchWithPayment } from "@x402/fetch";
import { toHex } from "viem";
import { assertSettled, decodeHeader, HOME, MERCHANT, PAYER, runPython, startMock, startServer } from "./harness.mjs";

const YAML = `
networks: [base-sepolia, "eip155:31611"]
accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
resources:
- {match: GET /own, accepts: ["eip155:31611"], price: 0.5}
- {match: GET /whole, price: {upto: $0.10}}
- {match: GET /fixed, price: {upto: $0.10, charge: $0.03}, response: {json: {a: 1}}}
- {match: GET /nothing, price: {upto: $0.10, charge: 0}, response: {json: {a: 1}}}
`;

function payer() {
  const client = x402Client.fromConfig({
    schemes: [
      { network: "eip155:*", client: new ExactEvmScheme(PAYER) },
      { network: "eip155:*", client: new UptoEvmScheme(PAYER) },
    ],
  });
  return wrapFetchWithPayment(fetch, client);
}

async function start(t, yaml) {
  const directory = mkdtempSync(join(tmpdir(), "x402-permit2-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "mock.yaml");
  writeFileSync(file, yaml);
  return startMock(t, "--config", file);
}

/** The settlements that the ledger holds. */
async function settled(mock) {
  const { events } = await (await fetch(`${mock.url}/_x402/api/events`)).json();
  return events.filter(({ kind }) => kind === "settled").length;
}

const key = () => toHex(PAYER.getHdKey().privateKey);

test("@x402/fetch pays Permit2 and upto at the mock", async t => {
  const mock = await start(t, YAML);
  const pay = payer();
  for (const [path, network, amount] of [
    ["/a", HOME.v2],
    ["/own", "eip155:31611"],
    ["/whole", HOME.v2, "100000"],
    ["/fixed", HOME.v2, "30000"],
  ]) {
    const response = await pay(`${mock.url}${path}`);
    assert.equal(response.status, 200, path);
    const receipt = decodeHeader(response.headers.get("payment-response"));
    assertSettled(receipt, { network });
    assert.equal(receipt.amount, amount, path);
  }
  const response = await pay(`${mock.url}/nothing`);
  const { success, transaction, amount } = decodeHeader(response.headers.get("payment-response"));
  assert.deepEqual({ success, transaction, amount }, { success: true, transaction: "", amount: "0" });
  assert.equal(await settled(mock), 5, "a settlement for nothing is an event too");
});

test("the Python httpx client pays Permit2 and upto at the mock", async t => {
  const mock = await start(t, YAML);
  for (const [path, amount] of [["/a"], ["/whole", "100000"], ["/fixed", "30000"]]) {
    const { status, receipt } = await runPython("permit2_pay.py", { url: `${mock.url}${path}`, key: key() });
    assert.equal(status, 200, path);
    assertSettled(receipt, { network: HOME.v2 });
    assert.equal(receipt.amount ?? undefined, amount, path);
  }
});

test("without an allowance official clients see 412", async t => {
  const mock = await start(t, `${YAML}\naccounts: {permit2: required}\n`);
  const response = await payer()(`${mock.url}/a`);
  assert.equal(response.status, 412);
  assert.equal(decodeHeader(response.headers.get("payment-required")).error, "permit2_allowance_required");
});

test("@x402/express settles Permit2 and upto through our facilitator", async t => {
  const mock = await start(t, "networks: [base-sepolia]\n");
  const options = { facilitator: mock.url, network: HOME.v2, payTo: MERCHANT, asset: HOME.asset };
  const server = await startServer(t, "express-permit2.mjs", options);
  const pay = payer();
  for (const [path, amount] of [
    ["/exact", undefined],
    ["/upto/whole", "100000"],
    ["/upto/atomic", "4000"],
    ["/upto/percent", "50000"],
    ["/upto/dollars", "50000"],
    ["/upto/nothing", "0"],
  ]) {
    const response = await pay(`${server.url}${path}`);
    assert.equal(response.status, 200, `${path}: ${await response.text()}\n${server.errors()}`);
    const receipt = decodeHeader(response.headers.get("payment-response"));
    assert.equal(receipt.success, true);
    assert.equal(receipt.amount, amount, path);
    if (amount !== "0") assertSettled(receipt, { network: HOME.v2 });
  }
  const response = await pay(`${server.url}/upto/more`);
  assert.equal(response.status, 402);
  const receipt = decodeHeader(response.headers.get("payment-response"));
  assert.equal(receipt.errorReason, "invalid_upto_evm_payload_settlement_exceeds_amount");
});
