// Payments on Solana with the real libraries. The mock's own JSON-RPC door is the only chain that anything here knows.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  address,
  appendTransactionMessageInstruction,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  getBase58Encoder,
  getBase64EncodedWireTransaction,
  getCompiledTransactionMessageDecoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from "@solana/kit";
import { getTransferSolInstruction } from "@solana-program/system";
import { findAssociatedTokenPda, TOKEN_2022_PROGRAM_ADDRESS } from "@solana-program/token-2022";
import { TOKEN_PROGRAM_ADDRESS } from "@solana-program/token";
import { x402Client } from "@x402/core/client";
import { x402Facilitator } from "@x402/core/facilitator";
import { wrapFetchWithPayment } from "@x402/fetch";
import { toFacilitatorSvmSigner } from "@x402/svm";
import { ExactSvmScheme as ExactPayer } from "@x402/svm/exact/client";
import { ExactSvmScheme } from "@x402/svm/exact/facilitator";
import { wrapFetchWithPayment as wrapFetchWithPaymentV1 } from "x402-fetch";
import { decodeHeader, runPython, startMock, startServer, within } from "./harness.mjs";
import { seed } from "./svm-keys.mjs";

const DEVNET = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
const USDC = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
const PYUSD = "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM";
const PAYMENTS = 100;

const signer = index => createKeyPairSignerFromPrivateKeyBytes(seed(index));
const PAYER = await signer(0);
const FACILITATOR = await signer(8);
const MERCHANT = await signer(9);
const rpcUrl = mock => `${mock.url}/_x402/rpc/${DEVNET}`;

function payer(mock, sent = []) {
  const scheme = new ExactPayer(PAYER, { rpcUrl: rpcUrl(mock) });
  const client = x402Client.fromConfig({ schemes: [{ network: "solana:*", client: scheme }] });
  const recording = async (input, init) => {
    const request = new Request(input, init);
    const header = request.headers.get("payment-signature");
    if (header !== null) sent.push(decodeHeader(header));
    return fetch(request);
  };
  return wrapFetchWithPayment(recording, client);
}

async function tokenAccount(owner, mint = USDC, tokenProgram = TOKEN_PROGRAM_ADDRESS) {
  const [account] = await findAssociatedTokenPda({ owner: address(owner), mint: address(mint), tokenProgram });
  return account;
}

async function held(mock, owner, mint, program) {
  const rpc = createSolanaRpc(rpcUrl(mock));
  const { value } = await rpc.getTokenAccountBalance(await tokenAccount(owner, mint, program)).send();
  return BigInt(value.amount);
}

/** Asserts a receipt, and that its transaction is signed by the facilitator and is on the chain. */
async function assertSettled(mock, receipt, network, payerAddress = PAYER.address) {
  assert.equal(receipt.success, true, JSON.stringify(receipt));
  assert.deepEqual([receipt.network, receipt.payer], [network, payerAddress]);
  const rpc = createSolanaRpc(rpcUrl(mock));
  const config = { encoding: "base64", maxSupportedTransactionVersion: 0 };
  const found = await rpc.getTransaction(receipt.transaction, config).send();
  assert.equal(found.meta.err, null);
  const { messageBytes } = getTransactionDecoder().decode(Buffer.from(found.transaction[0], "base64"));
  const raw = getBase58Encoder().encode(FACILITATOR.address);
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  assert.ok(verify(null, messageBytes, key, Buffer.from(getBase58Encoder().encode(receipt.transaction))));
}

test("@x402/fetch with @x402/svm pays the default offer through our RPC", async t => {
  const mock = await startMock(t);
  const before = await held(mock, MERCHANT.address);
  const response = await payer(mock)(`${mock.url}/weather`);
  assert.equal(response.status, 200, await response.clone().text());
  await assertSettled(mock, decodeHeader(response.headers.get("payment-response")), DEVNET);
  assert.equal((await held(mock, MERCHANT.address)) - before, 10_000n);
});

test("@x402/svm signs with the blockhash that an offer says", async t => {
  const directory = mkdtempSync(join(tmpdir(), "x402-svm-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "mock.yaml");
  writeFileSync(file, "networks: [solana-devnet]\naccepts: [{network: solana-devnet, recent_blockhash: true}]\n");
  const mock = await startMock(t, "--config", file);
  const sent = [];
  const pay = payer(mock, sent);
  for (let count = 0; count < 2; count += 1) {
    const response = await pay(`${mock.url}/weather`);
    assert.equal(response.status, 200, await response.clone().text());
    await assertSettled(mock, decodeHeader(response.headers.get("payment-response")), DEVNET);
  }
  const said = sent.map(payload => payload.accepted.extra.recentBlockhash);
  const signed = sent.map(({ payload }) => {
    const { messageBytes } = getTransactionDecoder().decode(Buffer.from(payload.transaction, "base64"));
    return getCompiledTransactionMessageDecoder().decode(messageBytes).lifetimeToken;
  });
  assert.equal(new Set(said).size, 2);
  assert.deepEqual(signed, said);
});

test("x402-fetch 1.2 pays version 1 on solana-devnet through our RPC", async t => {
  const mock = await startMock(t, "--network", "solana-devnet");
  const config = { svmConfig: { rpcUrl: rpcUrl(mock) } };
  const pay = wrapFetchWithPaymentV1(fetch, PAYER, 10n ** 7n, undefined, config);
  const response = await pay(`${mock.url}/weather`);
  assert.equal(response.status, 200, await response.clone().text());
  const receipt = decodeHeader(response.headers.get("x-payment-response"));
  await assertSettled(mock, receipt, "solana-devnet");
});

test("the Python httpx client pays through our RPC", async t => {
  const mock = await startMock(t);
  const options = { url: `${mock.url}/weather`, rpc: rpcUrl(mock), seed: Buffer.from(seed(1)).toString("hex") };
  const answer = await runPython("svm_client.py", options);
  assert.equal(answer.status, 200, answer.body);
  await assertSettled(mock, answer.receipt, DEVNET, (await signer(1)).address);
});

for (const [name, own] of [["the client's own", false], ["the server's", true]]) {
  test(`@x402/express charges on Solana through our facilitator, with ${name} blockhash`, async t => {
    const mock = await startMock(t);
    const stranger = await createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(7));
    const options = { facilitator: mock.url, network: DEVNET, payTo: stranger.address };
    const api = await startServer(t, "express-svm.mjs", own ? { ...options, rpc: rpcUrl(mock) } : options);
    const sent = [];
    const pay = payer(mock, sent);
    for (const path of ["/paid", "/pyusd"]) {
      const response = await pay(`${api.url}${path}`);
      assert.equal(response.status, 200, `${await response.clone().text()} ${api.errors()}`);
      await assertSettled(mock, decodeHeader(response.headers.get("payment-response")), DEVNET);
    }
    assert.equal(sent[0].accepted.extra.feePayer, FACILITATOR.address);
    assert.equal(typeof sent[0].accepted.extra.recentBlockhash, own ? "string" : "undefined");
    const rpc = createSolanaRpc(rpcUrl(mock));
    const owned = await rpc
      .getTokenAccountsByOwner(stranger.address, { mint: address(PYUSD) }, { encoding: "jsonParsed" })
      .send();
    assert.equal(owned.value[0].account.data.parsed.info.tokenAmount.amount, "10000");
    const again = await fetch(`${mock.url}/settle`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ x402Version: 2, paymentPayload: sent[0], paymentRequirements: sent[0].accepted }),
    });
    assert.equal((await again.json()).errorReason, "duplicate_settlement");
  });
}

/** Payments of the official client, one after another. */
async function payments(mock, feePayer, asset = USDC, payTo = MERCHANT.address) {
  const scheme = new ExactPayer(PAYER, { rpcUrl: rpcUrl(mock) });
  const client = x402Client.fromConfig({ schemes: [{ network: "solana:*", client: scheme }], spendControls: false });
  const requirements = {
    scheme: "exact",
    network: DEVNET,
    amount: "1000",
    asset,
    payTo,
    maxTimeoutSeconds: 60,
    extra: { feePayer },
  };
  const offer = { x402Version: 2, resource: { url: "http://localhost/", description: "", mimeType: "" }, accepts: [requirements] };
  const made = [];
  for (let count = 0; count < PAYMENTS; count += 1) {
    made.push({ payload: await client.createPaymentPayload(offer), requirements });
  }
  return made;
}

/** The settlements that our instance has seen. */
async function seen(mock) {
  const response = await fetch(`${mock.url}/_x402/api/events?kind=settled&limit=1000`);
  assert.equal(response.status, 200);
  return (await response.json()).events;
}

test("the official TypeScript facilitator runs with our RPC as its only chain", async t => {
  const mock = await startMock(t);
  const own = await createKeyPairSignerFromPrivateKeyBytes(new Uint8Array(32).fill(9));
  const facilitator = new x402Facilitator().register(
    DEVNET,
    new ExactSvmScheme(toFacilitatorSvmSigner(own, { defaultRpcUrl: rpcUrl(mock) })),
  );
  const [before, taken] = [await held(mock, MERCHANT.address), await held(mock, PAYER.address)];
  const settled = new Set();
  for (const { payload, requirements } of await payments(mock, own.address)) {
    const verified = await facilitator.verify(payload, requirements);
    assert.equal(verified.isValid, true, JSON.stringify(verified));
    const answer = await facilitator.settle(payload, requirements);
    assert.equal(answer.success, true, JSON.stringify(answer));
    settled.add(answer.transaction);
  }
  assert.equal(settled.size, PAYMENTS);
  const amount = BigInt(PAYMENTS) * 1000n;
  assert.equal((await held(mock, MERCHANT.address)) - before, amount);
  assert.equal(taken - (await held(mock, PAYER.address)), amount);
  const events = await seen(mock);
  assert.deepEqual(new Set(events.map(event => event.data.transaction)), settled);
  assert.ok(events.every(event => event.door === "rpc"));
});

test("the official Python facilitator runs with our RPC as its only chain", async t => {
  const mock = await startMock(t);
  const directory = mkdtempSync(join(tmpdir(), "x402-svm-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const before = await held(mock, MERCHANT.address, PYUSD, TOKEN_2022_PROGRAM_ADDRESS);
  const key = new Uint8Array(32).fill(9);
  const own = await createKeyPairSignerFromPrivateKeyBytes(key);
  const file = join(directory, "payments.json");
  writeFileSync(file, JSON.stringify(await payments(mock, own.address, PYUSD)));
  const options = { rpc: rpcUrl(mock), seed: Buffer.from(key).toString("hex"), payments: file };
  const { settled, failed } = await runPython("svm_facilitator.py", options);
  assert.deepEqual(failed, []);
  assert.equal(new Set(settled).size, PAYMENTS);
  const after = await held(mock, MERCHANT.address, PYUSD, TOKEN_2022_PROGRAM_ADDRESS);
  assert.equal(after - before, BigInt(PAYMENTS) * 1000n);
  assert.deepEqual(new Set((await seen(mock)).map(event => event.data.transaction)), new Set(settled));
});

test("@solana/kit reads balances, accounts, statuses and transactions, and hears of signatures", async t => {
  const mock = await startMock(t);
  const rpc = createSolanaRpc(rpcUrl(mock));
  const subscriptions = createSolanaRpcSubscriptions(rpcUrl(mock).replace("http", "ws"));
  assert.ok((await rpc.getBalance(PAYER.address).send()).value > 10n ** 12n);
  assert.equal((await rpc.getHealth().send()), "ok");
  const genesis = await rpc.getGenesisHash().send();
  assert.equal(`solana:${genesis.slice(0, 32)}`, DEVNET);
  const epoch = await rpc.getEpochInfo().send();
  assert.equal(epoch.absoluteSlot / epoch.slotsInEpoch, epoch.epoch);
  const response = await payer(mock)(`${mock.url}/weather`);
  const { transaction } = decodeHeader(response.headers.get("payment-response"));
  const { value } = await rpc.getSignatureStatuses([transaction]).send();
  assert.deepEqual([value[0].err, value[0].confirmationStatus], [null, "confirmed"]);
  const listed = await rpc.getSignaturesForAddress(await tokenAccount(MERCHANT.address)).send();
  assert.deepEqual(listed.map(one => one.signature), [transaction]);
  const { value: blockhash } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    tx => setTransactionMessageFeePayerSigner(PAYER, tx),
    tx => setTransactionMessageLifetimeUsingBlockhash(blockhash, tx),
    tx =>
      appendTransactionMessageInstruction(
        getTransferSolInstruction({ source: PAYER, destination: MERCHANT.address, amount: 5n }),
        tx,
      ),
  );
  const signed = await signTransactionMessageWithSigners(message);
  const signature = getSignatureFromTransaction(signed);
  const controller = new AbortController();
  t.after(() => controller.abort());
  const heard = await subscriptions
    .signatureNotifications(signature, { commitment: "confirmed" })
    .subscribe({ abortSignal: controller.signal });
  const first = async () => {
    for await (const notification of heard) return notification;
  };
  const notified = first();
  const before = (await rpc.getBalance(MERCHANT.address).send()).value;
  const wire = getBase64EncodedWireTransaction(signed);
  assert.equal((await rpc.simulateTransaction(wire, { encoding: "base64", sigVerify: true }).send()).value.err, null);
  assert.equal(await rpc.sendTransaction(wire, { encoding: "base64" }).send(), signature);
  assert.equal((await within(10_000, "the notification", notified)).value.err, null);
  assert.equal((await rpc.getBalance(MERCHANT.address).send()).value - before, 5n);
  const { value: latest } = await rpc.getLatestBlockhash().send();
  assert.equal((await rpc.isBlockhashValid(latest.blockhash).send()).value, true);
});
