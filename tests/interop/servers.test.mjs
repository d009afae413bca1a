// The official resource servers, unmodified, charge through the mock's facilitator.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "viem";
import { decodeXPaymentResponse } from "x402-fetch";
import { assertSettled, decodeHeader, HOME, MERCHANT, PAYER, runPython, startMock, startServer } from "./harness.mjs";
import { payerV1, payerV2 } from "./payers.mjs";

const KEY = toHex(PAYER.getHdKey().privateKey);

/** Asks the mock's facilitator about a payment that a client sent: was its nonce used? */
async function verifyAgain(mock, payload, requirements) {
  const response = await fetch(`${mock.url}/verify`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      x402Version: payload.x402Version,
      paymentPayload: payload,
      paymentRequirements: requirements ?? payload.accepted,
    }),
  });
  assert.equal(response.status, 200);
  const { isValid, invalidReason } = await response.json();
  return invalidReason ?? isValid;
}

async function startPaidApi(t, script, network) {
  const mock = await startMock(t);
  const api = await startServer(t, script, { facilitator: mock.url, network, payTo: MERCHANT });
  return { mock, api };
}

for (const [name, script] of [
  ["@x402/express", "express-v2.mjs"],
  ["the FastAPI middleware", "fastapi_v2.py"],
]) {
  describe(`${name} charges through the mock's facilitator`, () => {
    test("paid by @x402/fetch, the payment is settled on the mock's ledger", async t => {
      const { mock, api } = await startPaidApi(t, script, HOME.v2);
      const payer = payerV2();
      const response = await payer.fetch(`${api.url}/paid`);
      assert.equal(response.status, 200, `${await response.clone().text()} ${api.errors()}`);
      assert.deepEqual(await response.json(), { content: "paid for" });
      assertSettled(decodeHeader(response.headers.get("payment-response")), { network: HOME.v2 });
      assert.equal(payer.sent.length, 1);
      assert.equal(await verifyAgain(mock, payer.sent[0]), "invalid_exact_evm_nonce_already_used");
    });

    test("paid by the Python httpx client", async t => {
      const { api } = await startPaidApi(t, script, HOME.v2);
      const answer = await runPython("httpx_pay.py", { method: "GET", url: `${api.url}/paid`, key: KEY });
      assert.equal(answer.status, 200, `${answer.body} ${api.errors()}`);
      assertSettled(answer.receipt, { network: HOME.v2 });
    });

    test("a handler that answers 500 settles nothing", async t => {
      const { mock, api } = await startPaidApi(t, script, HOME.v2);
      const payer = payerV2();
      const response = await payer.fetch(`${api.url}/broken`);
      assert.equal(response.status, 500);
      assert.equal(response.headers.get("payment-response"), null);
      assert.equal(await verifyAgain(mock, payer.sent[0]), true);
    });

    test("a forged signature: the official reason arrives at the client", async t => {
      const { api } = await startPaidApi(t, script, HOME.v2);
      const response = await payerV2({ forged: true }).fetch(`${api.url}/paid`);
      assert.equal(response.status, 402);
      assert.equal(decodeHeader(response.headers.get("payment-required")).error, "invalid_exact_evm_signature");
    });

    test("too little money: the official reason arrives at the client", async t => {
      const { api } = await startPaidApi(t, script, HOME.v2);
      const response = await payerV2({ unlimited: true }).fetch(`${api.url}/dear`);
      assert.equal(response.status, 402);
      const { error } = decodeHeader(response.headers.get("payment-required"));
      assert.equal(error, "invalid_exact_evm_insufficient_balance");
    });
  });
}

describe("x402-express 1.2 charges through the mock's facilitator", () => {
  /** The requirements that the server stated for a route. */
  async function offer(api, path) {
    const response = await fetch(`${api.url}${path}`);
    assert.equal(response.status, 402);
    return (await response.json()).accepts[0];
  }

  test("paid by x402-fetch, the payment is settled on the mock's ledger", async t => {
    const { mock, api } = await startPaidApi(t, "express-v1.mjs", HOME.v1);
    const payer = payerV1();
    const response = await payer.fetch(`${api.url}/paid`);
    assert.equal(response.status, 200, `${await response.clone().text()} ${api.errors()}`);
    assertSettled(decodeXPaymentResponse(response.headers.get("x-payment-response")), { network: HOME.v1 });
    const again = await verifyAgain(mock, payer.sent[0], await offer(api, "/paid"));
    assert.equal(again, "invalid_exact_evm_nonce_already_used");
  });

  test("a handler that answers 500 settles nothing", async t => {
    const { mock, api } = await startPaidApi(t, "express-v1.mjs", HOME.v1);
    const payer = payerV1();
    const response = await payer.fetch(`${api.url}/broken`);
    assert.equal(response.status, 500);
    assert.equal(await verifyAgain(mock, payer.sent[0], await offer(api, "/broken")), true);
  });

  test("a forged signature: the official reason arrives at the client", async t => {
    const { api } = await startPaidApi(t, "express-v1.mjs", HOME.v1);
    const response = await payerV1({ forged: true }).fetch(`${api.url}/paid`);
    assert.equal(response.status, 402);
    assert.equal((await response.json()).error, "invalid_exact_evm_signature");
  });

  test("too little money: the official reason arrives at the client", async t => {
    const { api } = await startPaidApi(t, "express-v1.mjs", HOME.v1);
    const response = await payerV1({ unlimited: true }).fetch(`${api.url}/dear`);
    assert.equal(response.status, 402);
    assert.equal((await response.json()).error, "invalid_exact_evm_insufficient_balance");
  });
});
