// The official facilitator on two chains: the responder of this folder, and the mock's own JSON-RPC door. It must say the
// same of every case on both, and every method that it asked the responder must exist at the door.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatUnits } from "viem";
import { startMock } from "../harness.mjs";
import { answered, cases } from "./generate.mjs";
import { FACILITATOR, NETWORKS, startOfficial } from "./official.mjs";
import { answered as permitAnswered, cases as permitCases, SCHEMES } from "./permit2-generate.mjs";

const rpcOf = mock => chainId => `${mock.url}/_x402/rpc/eip155:${chainId}`;

/** Answers cases on both chains; gives what differs, and how many there were. */
async function compare(t, all, answer) {
  const mock = await startMock(t);
  const scripted = await startOfficial();
  t.after(() => scripted.stop());
  const own = await startOfficial({ rpc: rpcOf(mock) });
  const differences = [];
  let number = 0;
  for await (const one of all(scripted.clock)) {
    const [theirs, ours] = await Promise.all([answer(scripted, one), answer(own, one, mock)]);
    number += 1;
    for (const door of ["verify", "settle"]) {
      if (JSON.stringify(theirs[door]) !== JSON.stringify(ours[door])) {
        differences.push(`${one.id} ${door}: ${JSON.stringify(theirs[door])} / ${JSON.stringify(ours[door])}`);
      }
    }
  }
  t.diagnostic(`${number} cases`);
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} of ${number} cases differ`);
  assert.ok(number > 100, `${number} cases`);
}

test("EIP-3009: the official facilitator says the same on our chain", { timeout: 900_000 }, async t => {
  await compare(t, now => cases({ now, seed: `chain ${process.pid}` }), answered);
});

/** As `permitAnswered`; what an account approves, the mock's admin door is told. */
async function permitAnsweredHere(official, one, mock) {
  if (!mock) return permitAnswered(official, one);
  const ready = { ...one, setup: [], approvals: [] };
  for (const body of one.setup) assert.equal((await official.settle(body)).success, true, one.id);
  for (const { owner, amount } of one.approvals) {
    for (const { v2: network } of Object.values(NETWORKS)) {
      const response = await fetch(`${mock.url}/_x402/api/accounts/${owner}/approve`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ amount: formatUnits(BigInt(amount), 6), network }),
      });
      assert.equal(response.status, 200, await response.text());
    }
  }
  return permitAnswered(official, ready);
}

for (const scheme of Object.keys(SCHEMES)) {
  test(`${scheme} by Permit2: the official facilitator says the same on our chain`, { timeout: 900_000 }, async t => {
    await compare(t, now => permitCases({ scheme, now, seed: `chain ${process.pid}` }), permitAnsweredHere);
  });
}

test("every method of the responder is answered by our own door", async t => {
  const source = readFileSync(new URL("responder.mjs", import.meta.url), "utf8");
  const methods = [...source.matchAll(/case "((?:eth|net|web3)_\w+)":/g)].map(([, name]) => name);
  assert.ok(methods.length >= 10, methods.join(" "));
  const mock = await startMock(t);
  const transaction = { from: FACILITATOR.address, to: "0x036CbD53842c5426634e7929541eC2318f3dCF7e", data: "0x06fdde03" };
  const params = {
    eth_getCode: [FACILITATOR.address, "latest"],
    eth_getBalance: [FACILITATOR.address, "latest"],
    eth_getBlockByNumber: ["latest", false],
    eth_getTransactionCount: [FACILITATOR.address, "pending"],
    eth_call: [transaction, "latest"],
    eth_estimateGas: [transaction],
    eth_getTransactionReceipt: [`0x${"00".repeat(32)}`],
    eth_getTransactionByHash: [`0x${"00".repeat(32)}`],
    eth_sendRawTransaction: [
      await FACILITATOR.signTransaction({
        chainId: 84532,
        nonce: 0,
        gas: 100_000n,
        to: transaction.to,
        data: transaction.data,
        maxFeePerGas: 10n ** 9n,
        maxPriorityFeePerGas: 1n,
      }),
    ],
  };
  for (const method of methods) {
    const response = await fetch(rpcOf(mock)(84532), {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: params[method] ?? [] }),
    });
    const answer = await response.json();
    assert.ok("result" in answer, `${method}: ${JSON.stringify(answer)}`);
  }
});
