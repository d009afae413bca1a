// The official clients, unmodified, pay the mock in its default configuration.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "viem";
import { decodePaymentResponseHeader } from "@x402/fetch";
import { decodeXPaymentResponse } from "x402-fetch";
import { assertSettled, decodeHeader, HOME, PAYER, runPython, startMock } from "./harness.mjs";
import { payerV1, payerV2 } from "./payers.mjs";

const KEY = toHex(PAYER.getHdKey().privateKey);

describe("@x402/fetch pays the mock", () => {
  test("a GET with a query", async t => {
    const mock = await startMock(t);
    const response = await payerV2().fetch(`${mock.url}/any/path?x=1`);
    assert.equal(response.status, 200, await response.clone().text());
    assert.equal(response.headers.get("x-payment-response"), null);
    assertSettled(decodeHeader(response.headers.get("payment-response")), { network: HOME.v2 });
    assertSettled(decodePaymentResponseHeader(response.headers.get("payment-response")), { network: HOME.v2 });
  });

  test("a POST with a body", async t => {
    const mock = await startMock(t);
    const response = await payerV2().fetch(`${mock.url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ item: "a book", pages: "x".repeat(10_000) }),
    });
    assert.equal(response.status, 200, await response.clone().text());
    assertSettled(decodeHeader(response.headers.get("payment-response")), { network: HOME.v2 });
  });

  test("two payments have two transactions, and a replayed payment is refused", async t => {
    const mock = await startMock(t);
    const payer = payerV2();
    const first = await payer.fetch(`${mock.url}/twice`);
    const second = await payer.fetch(`${mock.url}/twice`);
    const receipts = [first, second].map(({ headers }) => decodeHeader(headers.get("payment-response")));
    assert.notEqual(receipts[0].transaction, receipts[1].transaction);
    const replay = await fetch(`${mock.url}/twice`, {
      headers: { "PAYMENT-SIGNATURE": Buffer.from(JSON.stringify(payer.sent[0])).toString("base64") },
    });
    assert.equal(replay.status, 402);
    const { error } = decodeHeader(replay.headers.get("payment-required"));
    assert.equal(error, "invalid_exact_evm_nonce_already_used");
  });

  test("a forged signature is refused for the official reason", async t => {
    const mock = await startMock(t);
    const response = await payerV2({ forged: true }).fetch(`${mock.url}/any`);
    assert.equal(response.status, 402);
    assert.equal(response.headers.get("payment-response"), null);
    assert.equal(decodeHeader(response.headers.get("payment-required")).error, "invalid_exact_evm_signature");
  });
});

describe("x402-fetch 1.2 pays the mock", () => {
  test("the same URL that a client of version 2 pays", async t => {
    const mock = await startMock(t);
    const url = `${mock.url}/any/path?x=1`;
    const old = await payerV1().fetch(url);
    assert.equal(old.status, 200, await old.clone().text());
    assert.equal(old.headers.get("payment-response"), null);
    assertSettled(decodeXPaymentResponse(old.headers.get("x-payment-response")), { network: HOME.v1 });
    const current = await payerV2().fetch(url);
    assert.equal(current.status, 200);
  });

  test("a POST with a body", async t => {
    const mock = await startMock(t);
    const response = await payerV1().fetch(`${mock.url}/orders`, { method: "POST", body: "an order" });
    assert.equal(response.status, 200, await response.clone().text());
    assertSettled(decodeXPaymentResponse(response.headers.get("x-payment-response")), { network: HOME.v1 });
  });

  test("a forged signature is refused for the official reason", async t => {
    const mock = await startMock(t);
    const response = await payerV1({ forged: true }).fetch(`${mock.url}/any`);
    assert.equal(response.status, 402);
    assert.equal(response.headers.get("x-payment-response"), null);
    const body = await response.json();
    assert.equal(body.x402Version, 1);
    assert.equal(body.error, "invalid_exact_evm_signature");
    assert.equal(body.payer, PAYER.address);
    assert.ok(body.accepts.length > 0);
  });
});

describe("the Python httpx client pays the mock", () => {
  test("a GET with a query", async t => {
    const mock = await startMock(t);
    const answer = await runPython("httpx_pay.py", { method: "GET", url: `${mock.url}/any/path?x=1`, key: KEY });
    assert.equal(answer.status, 200, answer.body);
    assertSettled(answer.receipt, { network: HOME.v2 });
  });

  test("a POST with a body", async t => {
    const mock = await startMock(t);
    const body = { item: "a book" };
    const answer = await runPython("httpx_pay.py", { method: "POST", url: `${mock.url}/orders`, key: KEY, body });
    assert.equal(answer.status, 200, answer.body);
    assertSettled(answer.receipt, { network: HOME.v2 });
  });

  test("a forged signature is refused for the official reason", async t => {
    const mock = await startMock(t);
    const answer = await runPython("httpx_pay.py", { method: "GET", url: `${mock.url}/any`, key: KEY, forged: true });
    assert.equal(answer.status, 402);
    assert.equal(answer.receipt, null);
    assert.equal(answer.offer.error, "invalid_exact_evm_signature");
  });
});
