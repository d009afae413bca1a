// Transactions that a node must refuse, of every form, and calls that make no sense: each has an error that says what is
// wrong, and changes nothing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeFunctionData, parseAbi } from "viem";
import { account, HOME, MERCHANT, PAYER, startMock } from "./harness.mjs";

const TOKEN = parseAbi(["function transfer(address, uint256) returns (bool)"]);
const data = encodeFunctionData({ abi: TOKEN, functionName: "transfer", args: [MERCHANT, 1n] });
const GWEI = 1_000_000_000n;

/** The three forms, as viem signs them. */
const FORMS = {
  legacy: { type: "legacy", gasPrice: GWEI },
  eip2930: { type: "eip2930", gasPrice: GWEI, accessList: [{ address: HOME.asset, storageKeys: [`0x${"01".repeat(32)}`] }] },
  eip1559: { type: "eip1559", maxFeePerGas: GWEI, maxPriorityFeePerGas: 1n },
};
const good = { chainId: 84532, nonce: 0, gas: 100_000n, to: HOME.asset, value: 0n, data };

async function ask(mock, method, params, network = HOME.v2) {
  const response = await fetch(`${mock.url}/_x402/rpc/${network}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  assert.equal(response.status, 200);
  return response.json();
}

const WRONG = [
  ["another chain", { chainId: 8453 }, /invalid chain id for signer: have 8453 want 84532/],
  ["a nonce of later", { nonce: 1 }, /nonce too high.*tx: 1 state: 0/],
  ["a giant nonce", { nonce: 2 ** 52 }, /nonce too high/],
  ["gas for nothing", { gas: 21_000n }, /intrinsic gas too low: gas 21000/],
  ["no gas", { gas: 0n }, /intrinsic gas too low: gas 0/],
  ["more gas than a block", { gas: 30_000_001n }, /exceeds block gas limit/],
  ["native coins", { value: 1n }, /native coins are not simulated/],
  ["a new contract", { to: undefined }, /no contract can be created here/],
  ["code that is not simulated", { to: "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003" }, /0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003 \(the batch/],
];

for (const [form, fields] of Object.entries(FORMS)) {
  test(`a ${form} transaction with one thing wrong is refused, and the right one is taken once`, async t => {
    const mock = await startMock(t);
    const send = async changed =>
      ask(mock, "eth_sendRawTransaction", [await PAYER.signTransaction({ ...good, ...fields, ...changed })]);
    for (const [what, changed, expected] of WRONG) {
      const { error } = await send(changed);
      assert.equal(error?.code, -32000, what);
      assert.match(error.message, expected, what);
    }
    const cheap = form === "eip1559" ? { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n } : { gasPrice: 1n };
    assert.match((await send(cheap)).error.message, /less than block base fee/);
    assert.equal((await ask(mock, "eth_blockNumber")).result, "0x0");
    const { result } = await send({});
    assert.match(result, /^0x[0-9a-f]{64}$/);
    assert.match((await send({})).error.message, /nonce too low.*tx: 0 state: 1/);
    assert.equal((await ask(mock, "eth_getTransactionReceipt", [result])).result.status, "0x1");
    // What it cannot pay for is a block as well, with a receipt that says so.
    const short = await send({ nonce: 1, gas: 40_000n });
    assert.equal((await ask(mock, "eth_getTransactionReceipt", [short.result])).result.status, "0x0");
    const giant = encodeFunctionData({ abi: TOKEN, functionName: "transfer", args: [MERCHANT, 10n ** 40n] });
    const reverted = await send({ nonce: 2, data: giant });
    const receipt = (await ask(mock, "eth_getTransactionReceipt", [reverted.result])).result;
    assert.deepEqual([receipt.status, receipt.logs], ["0x0", []]);
    assert.equal((await ask(mock, "eth_blockNumber")).result, "0x3");
    const failed = await (await fetch(`${mock.url}/_x402/api/events?kind=settle_failed&door=rpc`)).json();
    assert.equal(failed.events.length, 2);
    assert.match(failed.events[1].data.message, /exceeds balance/);
  });
}

test("forms that are not taken are refused by name, and every cut of a transaction is refused", async t => {
  const mock = await startMock(t);
  const refused = async raw => (await ask(mock, "eth_sendRawTransaction", [raw])).error;
  assert.match((await refused("0x03c0")).message, /type 3 \(EIP-4844, blobs\)/);
  assert.match((await refused("0x04c0")).message, /type 4 \(EIP-7702, authorization list\)/);
  assert.match((await refused("0x7fc0")).message, /type 127/);
  assert.match((await refused("0x")).message, /empty/);
  assert.equal((await refused("0x0")).code, -32602);
  assert.equal((await refused("hello")).code, -32602);
  assert.equal((await refused(7)).code, -32602);
  const { chainId: _, ...unprotected } = { ...good, ...FORMS.legacy };
  assert.match((await refused(await PAYER.signTransaction(unprotected))).message, /EIP-155/);
  const whole = await PAYER.signTransaction({ ...good, ...FORMS.eip1559 });
  for (let end = 2; end < whole.length; end += 2) assert.ok(await refused(whole.slice(0, end)), `${end}`);
  assert.match((await refused(`0x02${"00".repeat(131_072)}`)).message, /oversized data/);
  assert.equal((await ask(mock, "eth_blockNumber")).result, "0x0");
});

test("what is estimated for a transaction with an access list is enough for it, and is what it uses", async t => {
  const mock = await startMock(t);
  const accessList = [
    { address: HOME.asset, storageKeys: [`0x${"01".repeat(32)}`, `0x${"02".repeat(32)}`] },
    { address: MERCHANT, storageKeys: [] },
  ];
  const estimate = async listed => {
    const call = { from: PAYER.address, to: HOME.asset, data, ...(listed && { accessList: listed }) };
    return (await ask(mock, "eth_estimateGas", [call])).result;
  };
  const gas = BigInt(await estimate(accessList));
  // EIP-2930: 2,400 for each address, 1,900 for each key.
  assert.equal(gas - BigInt(await estimate()), 2n * 2_400n + 2n * 1_900n);
  const send = async changed =>
    ask(mock, "eth_sendRawTransaction", [await PAYER.signTransaction({ ...good, ...FORMS.eip2930, accessList, ...changed })]);
  const receipt = async changed =>
    (await ask(mock, "eth_getTransactionReceipt", [(await send(changed)).result])).result;
  const { status, gasUsed } = await receipt({ gas });
  assert.deepEqual([status, BigInt(gasUsed)], ["0x1", gas]);
  assert.equal((await receipt({ gas: gas - 1n, nonce: 1 })).status, "0x0");
  for (const wrong of ["x", [{}], [{ address: HOME.asset }], [{ address: HOME.asset, storageKeys: ["0x01"] }]]) {
    const { error } = await ask(mock, "eth_estimateGas", [{ to: HOME.asset, data, accessList: wrong }]);
    assert.equal(error?.code, -32602, JSON.stringify(wrong));
    assert.match(error.message, /accessList/);
  }
});

test("an account without gas money is told so where strangers have none", async t => {
  const directory = mkdtempSync(join(tmpdir(), "x402-config-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "config.yaml");
  writeFileSync(file, "accounts: { unknown: empty }\n");
  const mock = await startMock(t, "--config", file);
  const { privateKeyToAccount } = await import("viem/accounts");
  const stranger = privateKeyToAccount(`0x${"77".repeat(32)}`);
  const raw = await stranger.signTransaction({ ...good, ...FORMS.eip1559 });
  assert.match((await ask(mock, "eth_sendRawTransaction", [raw])).error.message, /insufficient funds for gas/);
  assert.equal((await ask(mock, "eth_getBalance", [stranger.address, "latest"])).result, "0x0");
  assert.notEqual((await ask(mock, "eth_getBalance", [account(3).address, "latest"])).result, "0x0");
});

/** Every method with parameters of the wrong form, from a small generator. */
test("no parameter of any method is more than an error", { timeout: 120_000 }, async t => {
  const mock = await startMock(t);
  const methods = [
    "eth_call", "eth_estimateGas", "eth_getCode", "eth_getBalance", "eth_getTransactionCount", "eth_getBlockByNumber",
    "eth_getBlockByHash", "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getLogs", "eth_feeHistory",
    "eth_sendRawTransaction", "eth_getBlockReceipts", "eth_getTransactionByBlockNumberAndIndex", "web3_sha3",
    "eth_subscribe", "eth_unsubscribe",
  ];
  const values = [
    null, true, 0, -1, 1.5, 2 ** 60, "", "0x", "0x0", "latest", "pending", `0x${"f".repeat(64)}`, `0x${"f".repeat(65)}`,
    HOME.asset, HOME.asset.slice(0, 41), "🦀", [], [null], {}, { to: HOME.asset, data: "0x70a08231" },
    { to: HOME.asset, data: `0x70a08231${"f".repeat(64)}` }, { to: 7 }, { fromBlock: "0x5", toBlock: "0x1" },
    { topics: [[[[]]]] }, { blockHash: `0x${"1".repeat(64)}` }, { address: [HOME.asset, null] },
  ];
  for (const method of methods) {
    for (const one of values) {
      const tried = [one === null ? null : [one], [one, one], [one, one, one], one];
      for (const params of tried) {
        const answer = await ask(mock, method, params);
        assert.ok("result" in answer || typeof answer.error.message === "string", JSON.stringify(answer));
        if (answer.error) assert.ok([-32602, -32601, -32000, 3].includes(answer.error.code), JSON.stringify(answer));
      }
    }
  }
  assert.equal((await ask(mock, "eth_chainId")).result, "0x14a34");
});

test("methods that need a key or code of others do not exist here", async t => {
  const mock = await startMock(t);
  for (const method of ["eth_fillTransaction", "eth_sendTransaction", "eth_sign", "debug_traceCall", "eth_newFilter", "x"]) {
    assert.equal((await ask(mock, method, [])).error.code, -32601, method);
  }
  const unknown = await ask(mock, "eth_chainId", [], "eip155:31337");
  assert.match(unknown.error.message, /"eip155:31337" is not enabled here; enabled are eip155:84532/);
});
