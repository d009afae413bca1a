// The JSON-RPC door of the simulated EVM chains, used by the real libraries: viem and ethers read, the official
// TypeScript and Python facilitators verify and settle with our door as their only chain, and our ledger, events and
// purchases say the same as they.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { x402Client } from "@x402/core/client";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner, x402ExactPermit2ProxyABI, x402ExactPermit2ProxyAddress } from "@x402/evm";
import { ExactEvmScheme as ExactPayer } from "@x402/evm/exact/client";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { UptoEvmScheme as UptoPayer } from "@x402/evm/upto/client";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import * as ethers from "ethers";
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  getContract,
  http,
  keccak256,
  parseAbi,
  parseEventLogs,
  parseSignature,
  publicActions,
  toHex,
  webSocket,
} from "viem";
import { baseSepolia } from "viem/chains";
import { account, HOME, MERCHANT, PAYER, runPython, startMock, within } from "./harness.mjs";

const FACILITATOR = account(8);
const PAYMENTS = 100;
const PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";

const TOKEN = parseAbi([
  "function name() view returns (string)",
  "function symbol() view returns (string)",
  "function version() view returns (string)",
  "function decimals() view returns (uint8)",
  "function totalSupply() view returns (uint256)",
  "function balanceOf(address) view returns (uint256)",
  "function allowance(address, address) view returns (uint256)",
  "function nonces(address) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function authorizationState(address, bytes32) view returns (bool)",
  "function transfer(address, uint256) returns (bool)",
  "function transferFrom(address, address, uint256) returns (bool)",
  "function approve(address, uint256) returns (bool)",
  "function permit(address, address, uint256, uint256, uint8, bytes32, bytes32)",
  "function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
  "function receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
  "function cancelAuthorization(address,bytes32,bytes)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event Approval(address indexed owner, address indexed spender, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
  "event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce)",
]);

const rpc = (mock, network = HOME.v2) => `${mock.url}/_x402/rpc/${network}`;
const chain = mock => ({ ...baseSepolia, rpcUrls: { default: { http: [rpc(mock)] } } });
const reader = mock => createPublicClient({ chain: chain(mock), transport: http(rpc(mock), { retryCount: 0 }) });
const wallet = (mock, signer) =>
  createWalletClient({
    account: signer,
    chain: chain(mock),
    transport: http(rpc(mock), { retryCount: 0 }),
    pollingInterval: 10,
  }).extend(publicActions);

async function admin(mock, path) {
  const response = await fetch(`${mock.url}/_x402/api/${path}`);
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** The EIP-712 domain of the token, and the two types of EIP-3009 that clients sign besides a transfer. */
const DOMAIN = { name: "USDC", version: "2", chainId: 84532, verifyingContract: HOME.asset };
const AUTHORIZATION = ["from", "to", "value", "validAfter", "validBefore", "nonce"].map(name => ({
  name,
  type: { from: "address", to: "address", nonce: "bytes32" }[name] ?? "uint256",
}));

/** EIP-2612. */
const PERMIT_2612 = {
  Permit: ["owner", "spender", "value", "nonce", "deadline"].map((name, place) => ({
    name,
    type: place < 2 ? "address" : "uint256",
  })),
};

test("viem reads the token, blocks and fees, and multicalls", async t => {
  const mock = await startMock(t);
  const client = reader(mock);
  assert.equal(await client.getChainId(), 84532);
  assert.equal(await client.getBlockNumber(), 0n);
  assert.ok((await client.getBalance({ address: PAYER.address })) > 10n ** 18n);
  assert.equal(await client.getCode({ address: PAYER.address }), undefined);
  for (const address of [HOME.asset, PERMIT2, MULTICALL3]) assert.ok(await client.getCode({ address }));
  const token = getContract({ address: HOME.asset, abi: TOKEN, client });
  assert.equal(await token.read.name(), "USDC");
  assert.equal(await token.read.symbol(), "USDC");
  assert.equal(await token.read.version(), "2");
  assert.equal(await token.read.decimals(), 6);
  assert.equal(await token.read.balanceOf([PAYER.address]), 1_000_000_000_000n);
  assert.equal(await token.read.balanceOf([MERCHANT]), 0n);
  assert.equal(await token.read.nonces([PAYER.address]), 0n);
  const block = await client.getBlock();
  assert.equal(block.number, 0n);
  assert.ok(block.baseFeePerGas > 0n);
  assert.ok(Math.abs(Number(block.timestamp) - Date.now() / 1000) < 60);
  const fees = await client.estimateFeesPerGas();
  assert.ok(fees.maxFeePerGas > fees.maxPriorityFeePerGas);
  const history = await client.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
  assert.equal(history.baseFeePerGas.length, history.gasUsedRatio.length + 1);
  const [name, balance, broken] = await client.multicall({
    contracts: [
      { address: HOME.asset, abi: TOKEN, functionName: "name" },
      { address: HOME.asset, abi: TOKEN, functionName: "balanceOf", args: [PAYER.address] },
      { address: HOME.asset, abi: TOKEN, functionName: "transfer", args: [MERCHANT, 1n] },
    ],
  });
  assert.deepEqual([name.result, balance.result, broken.status], ["USDC", 1_000_000_000_000n, "failure"]);
});

test("viem moves money by every function of the token, and each receipt and log tells it", async t => {
  const mock = await startMock(t);
  const payer = wallet(mock, PAYER);
  const merchant = wallet(mock, account(9));
  const token = (client, functionName, args) => client.writeContract({ address: HOME.asset, abi: TOKEN, functionName, args });
  const mined = async hash => {
    const receipt = await payer.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    return parseEventLogs({ abi: TOKEN, logs: receipt.logs }).map(({ eventName }) => eventName);
  };
  const window = [0n, BigInt(Math.floor(Date.now() / 1000) + 300)];
  const sign = (primaryType, message) =>
    PAYER.signTypedData({ domain: DOMAIN, types: { [primaryType]: AUTHORIZATION }, primaryType, message });
  const authorize = async (primaryType, nonce, value) => {
    const message = { from: PAYER.address, to: MERCHANT, value, validAfter: window[0], validBefore: window[1], nonce };
    return [...AUTHORIZATION.map(({ name }) => message[name]), await sign(primaryType, message)];
  };

  assert.deepEqual(await mined(await token(payer, "transfer", [MERCHANT, 5n])), ["Transfer"]);
  assert.deepEqual(await mined(await token(payer, "approve", [MERCHANT, 7n])), ["Approval"]);
  assert.deepEqual(await mined(await token(merchant, "transferFrom", [PAYER.address, MERCHANT, 3n])), ["Transfer"]);
  const one = await authorize("TransferWithAuthorization", keccak256(toHex("one")), 11n);
  assert.deepEqual(await mined(await token(merchant, "transferWithAuthorization", one)), ["AuthorizationUsed", "Transfer"]);
  const two = await authorize("ReceiveWithAuthorization", keccak256(toHex("two")), 13n);
  assert.deepEqual(await mined(await token(merchant, "receiveWithAuthorization", two)), ["AuthorizationUsed", "Transfer"]);
  const nonce = keccak256(toHex("three"));
  const cancel = await PAYER.signTypedData({
    domain: DOMAIN,
    types: { CancelAuthorization: [{ name: "authorizer", type: "address" }, { name: "nonce", type: "bytes32" }] },
    primaryType: "CancelAuthorization",
    message: { authorizer: PAYER.address, nonce },
  });
  assert.deepEqual(await mined(await token(merchant, "cancelAuthorization", [PAYER.address, nonce, cancel])), [
    "AuthorizationCanceled",
  ]);
  const client = reader(mock);
  const read = (functionName, args) => client.readContract({ address: HOME.asset, abi: TOKEN, functionName, args });
  assert.equal(await read("balanceOf", [MERCHANT]), 32n);
  assert.equal(await read("allowance", [PAYER.address, MERCHANT]), 4n);
  assert.equal(await read("authorizationState", [PAYER.address, nonce]), true);

  const permit = await PAYER.signTypedData({
    domain: DOMAIN,
    types: PERMIT_2612,
    primaryType: "Permit",
    message: { owner: PAYER.address, spender: MERCHANT, value: 99n, nonce: 0n, deadline: window[1] },
  });
  const parts = [BigInt(`0x${permit.slice(130)}`), permit.slice(0, 66), `0x${permit.slice(66, 130)}`];
  const args = [PAYER.address, MERCHANT, 99n, window[1], Number(parts[0]), parts[1], parts[2]];
  assert.deepEqual(await mined(await token(merchant, "permit", args)), ["Approval"]);
  assert.equal(await read("nonces", [PAYER.address]), 1n);
  assert.equal(await read("allowance", [PAYER.address, MERCHANT]), 99n);

  const logs = await client.getContractEvents({ address: HOME.asset, abi: TOKEN, fromBlock: 0n, toBlock: "latest" });
  assert.deepEqual(logs.map(({ eventName }) => eventName).filter(name => name === "Transfer").length, 4);
  const paid = await client.getContractEvents({
    address: HOME.asset,
    abi: TOKEN,
    eventName: "Transfer",
    args: { to: MERCHANT },
    fromBlock: 1n,
  });
  assert.deepEqual(paid.map(({ args }) => args.value), [5n, 3n, 11n, 13n]);
  const block = await client.getBlock({ blockNumber: 1n, includeTransactions: true });
  assert.equal(block.transactions[0].hash, paid[0].transactionHash);
  assert.equal((await client.getTransaction({ hash: paid[0].transactionHash })).from, PAYER.address.toLowerCase());
  assert.equal((await client.getBlock({ blockHash: block.hash })).number, 1n);

  const { events } = await admin(mock, "events?kind=settled&door=rpc");
  assert.equal(events.length, 4);
});

/** What the official facilitator calls where the client has signed a permit (EIP-2612) for Permit2 as well. */
test("settleWithPermit, encoded by viem with the official ABI, settles where nothing was approved", async t => {
  const directory = mkdtempSync(join(tmpdir(), "x402-config-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "config.yaml");
  writeFileSync(file, "accounts: { permit2: required }\n");
  const mock = await startMock(t, "--config", file);
  const client = reader(mock);
  const { payload, requirements } = await payment("Permit2", 0);
  const { permit2Authorization: signed, signature } = payload.payload;
  const value = BigInt(signed.permitted.amount);
  const deadline = BigInt(signed.deadline);
  const approval = await PAYER.signTypedData({
    domain: DOMAIN,
    types: PERMIT_2612,
    primaryType: "Permit",
    message: { owner: PAYER.address, spender: PERMIT2, value, nonce: 0n, deadline },
  });
  const { r, s, v } = parseSignature(approval);
  const permit = { permitted: { token: HOME.asset, amount: value }, nonce: BigInt(signed.nonce), deadline };
  const witness = { to: signed.witness.to, validAfter: BigInt(signed.witness.validAfter) };
  const call = { address: x402ExactPermit2ProxyAddress, abi: x402ExactPermit2ProxyABI };
  const facilitator = wallet(mock, FACILITATOR);
  const plain = { ...call, functionName: "settle", args: [permit, PAYER.address, witness, signature] };
  await assert.rejects(facilitator.simulateContract(plain), /TRANSFER_FROM_FAILED/);
  const both = [{ value, deadline, r, s, v: Number(v) }, permit, PAYER.address, witness, signature];
  const other = [{ ...both[0], value: value + 1n }, ...both.slice(1)];
  const settleWithPermit = { ...call, functionName: "settleWithPermit" };
  await assert.rejects(facilitator.simulateContract({ ...settleWithPermit, args: other }), /Permit2612AmountMismatch/);
  const hash = await facilitator.writeContract({ ...settleWithPermit, args: both });
  const { status, logs } = await client.getTransactionReceipt({ hash });
  assert.equal(status, "success");
  assert.deepEqual(parseEventLogs({ abi: TOKEN, logs }).map(({ eventName }) => eventName), ["Approval", "Transfer"]);
  assert.equal(logs[2].topics[0], keccak256(toHex("SettledWithPermit()")));
  const read = (functionName, args) => client.readContract({ address: HOME.asset, abi: TOKEN, functionName, args });
  assert.equal(await read("balanceOf", [MERCHANT]), BigInt(requirements.amount));
  assert.equal(await read("allowance", [PAYER.address, PERMIT2]), 0n);
  assert.equal(await read("nonces", [PAYER.address]), 1n);
});

test("a revert is error 3 with its data, in the contract's words", async t => {
  const mock = await startMock(t);
  const client = reader(mock);
  const refused = async (functionName, args, signer = PAYER.address) => {
    try {
      await client.simulateContract({ address: HOME.asset, abi: TOKEN, functionName, args, account: signer });
    } catch (error) {
      const revert = error instanceof BaseError && error.walk(cause => cause instanceof ContractFunctionRevertedError);
      return revert ? revert.reason : error.message;
    }
    return "it did not revert";
  };
  assert.equal(await refused("transfer", [MERCHANT, 10n ** 30n]), "ERC20: transfer amount exceeds balance");
  assert.equal(await refused("transfer", [HOME.asset, 1n]), "Blacklistable: account is blacklisted");
  assert.equal(await refused("transferFrom", [PAYER.address, MERCHANT, 1n], MERCHANT), "ERC20: transfer amount exceeds allowance");
  const late = [PAYER.address, MERCHANT, 1n, 0n, 1n, `0x${"01".repeat(32)}`, "0x"];
  assert.equal(await refused("transferWithAuthorization", late), "FiatTokenV2: authorization is expired");
  const open = [...late.slice(0, 4), 2n ** 64n, ...late.slice(5)];
  assert.equal(await refused("transferWithAuthorization", open), "ECRecover: invalid signature length");
  assert.equal(await refused("receiveWithAuthorization", open), "FiatTokenV2: caller must be the payee");
});

test("ethers reads and sends", async t => {
  const mock = await startMock(t);
  const provider = new ethers.JsonRpcProvider(rpc(mock), undefined, { polling: true, pollingInterval: 20 });
  t.after(() => provider.destroy());
  assert.equal((await provider.getNetwork()).chainId, 84532n);
  const signer = ethers.HDNodeWallet.fromPhrase(
    "test test test test test test test test test test test junk",
    undefined,
    "m/44'/60'/0'/0/1",
  ).connect(provider);
  const abi = [
    "function balanceOf(address) view returns (uint256)",
    "function transfer(address,uint256) returns (bool)",
    "event Transfer(address indexed from, address indexed to, uint256 value)",
  ];
  const token = new ethers.Contract(HOME.asset, abi, signer);
  const before = await token.balanceOf(signer.address);
  const sent = await token.transfer(MERCHANT, 17n);
  const receipt = await within(20_000, "the receipt", sent.wait());
  assert.equal(receipt.status, 1);
  assert.equal(before - (await token.balanceOf(signer.address)), 17n);
  assert.equal(await provider.getTransactionCount(signer.address), 1);
  const logs = await token.queryFilter(token.filters.Transfer(signer.address), 0);
  assert.deepEqual(logs.map(log => log.args.value), [17n]);
  await assert.rejects(token.transfer.staticCall(MERCHANT, 10n ** 30n), /transfer amount exceeds balance/);
});

test("a WebSocket tells new heads and logs", async t => {
  const mock = await startMock(t);
  const socket = webSocket(rpc(mock).replace("http", "ws"), { retryCount: 0, reconnect: false, keepAlive: false });
  const client = createPublicClient({ chain: chain(mock), transport: socket });
  t.after(async () => (await client.transport.getRpcClient()).close());
  const heads = [];
  const logs = [];
  let tell;
  const told = new Promise(resolve => (tell = resolve));
  const look = () => heads.length >= 2 && logs.length >= 2 && tell();
  client.watchBlocks({ onBlock: block => look(heads.push(block.number)), emitMissed: false });
  client.watchContractEvent({
    address: HOME.asset,
    abi: TOKEN,
    eventName: "Transfer",
    onLogs: found => look(found.forEach(log => logs.push(log.args.value))),
  });
  assert.equal(await client.getChainId(), 84532);
  const payer = wallet(mock, PAYER);
  for (const value of [1n, 2n]) {
    const args = [MERCHANT, value];
    const hash = await payer.writeContract({ address: HOME.asset, abi: TOKEN, functionName: "transfer", args });
    await payer.waitForTransactionReceipt({ hash });
  }
  await within(20_000, "two heads and two logs", told);
  assert.deepEqual(logs, [1n, 2n]);
  assert.ok(heads.includes(1n) && heads.includes(2n), heads.join(" "));
});

/** The official facilitator in front of our chain: viem's wallet client as it stands in the official examples. */
function official(mock) {
  const client = wallet(mock, FACILITATOR);
  const signer = toFacilitatorEvmSigner({
    address: FACILITATOR.address,
    getCode: args => client.getCode(args),
    readContract: args => client.readContract({ ...args, args: args.args ?? [] }),
    verifyTypedData: args => client.verifyTypedData(args),
    writeContract: args => client.writeContract({ ...args, args: args.args ?? [] }),
    sendTransaction: args => client.sendTransaction(args),
    waitForTransactionReceipt: args => client.waitForTransactionReceipt(args),
  });
  return new x402Facilitator()
    .register(HOME.v2, new ExactEvmScheme(signer))
    .register(HOME.v2, new UptoEvmScheme(signer));
}

const WAYS = {
  "EIP-3009": { extra: { name: "USDC", version: "2" } },
  Permit2: { extra: { name: "USDC", version: "2", assetTransferMethod: "permit2" } },
  upto: {
    scheme: "upto",
    extra: { name: "USDC", version: "2", assetTransferMethod: "permit2", facilitatorAddress: FACILITATOR.address },
  },
};

/** Requirements, and a payload of them by the official client. */
async function payment(way, number) {
  const requirements = {
    scheme: "exact",
    network: HOME.v2,
    amount: HOME.amount,
    asset: HOME.asset,
    payTo: MERCHANT,
    maxTimeoutSeconds: 300,
    ...WAYS[way],
  };
  const client = x402Client.fromConfig({
    schemes: [
      { network: "eip155:*", client: new ExactPayer(PAYER) },
      { network: "eip155:*", client: new UptoPayer(PAYER) },
    ],
  });
  const resource = { url: `http://127.0.0.1/${number}`, description: "", mimeType: "" };
  const payload = await client.createPaymentPayload({ x402Version: 2, resource, accepts: [requirements] });
  return { payload, requirements };
}

/** What our ledger says after so many payments of the default price. */
async function assertCounted(mock, number) {
  const client = reader(mock);
  const read = account =>
    client.readContract({ address: HOME.asset, abi: TOKEN, functionName: "balanceOf", args: [account] });
  assert.equal(await read(MERCHANT), BigInt(number) * BigInt(HOME.amount));
  assert.equal(await read(PAYER.address), 1_000_000_000_000n - BigInt(number) * BigInt(HOME.amount));
  assert.equal(await client.getBlockNumber(), BigInt(number));
  assert.equal(await client.getTransactionCount({ address: FACILITATOR.address }), number);
  const logs = await client.getContractEvents({
    address: HOME.asset,
    abi: TOKEN,
    eventName: "Transfer",
    args: { from: PAYER.address, to: MERCHANT },
    fromBlock: 0n,
  });
  assert.equal(logs.length, number);
  const { events } = await admin(mock, "events?kind=settled&door=rpc&limit=1000");
  assert.equal(events.length, number);
  const { purchases } = await admin(mock, "purchases?limit=1000");
  assert.equal(purchases.length, number);
  for (const purchase of purchases) assert.equal(purchase.settlements, 1, JSON.stringify(purchase));
}

for (const way of Object.keys(WAYS)) {
  test(`the official TypeScript facilitator settles ${PAYMENTS} payments by ${way} on our chain`, { timeout: 300_000 }, async t => {
    const mock = await startMock(t);
    const facilitator = official(mock);
    const hashes = new Set();
    for (let number = 0; number < PAYMENTS; number += 1) {
      const { payload, requirements } = await payment(way, number);
      const verified = await facilitator.verify(payload, requirements);
      assert.deepEqual([verified.isValid, verified.invalidReason], [true, undefined], verified.invalidMessage);
      const settled = await facilitator.settle(payload, requirements);
      assert.deepEqual([settled.success, settled.errorReason], [true, undefined], settled.errorMessage);
      hashes.add(settled.transaction);
      if (number === 0) {
        const again = await facilitator.settle(payload, requirements);
        assert.equal(again.success, false);
        // `upto` simulates before it settles, and its diagnosis does not ask for nonces.
        assert.match(again.errorReason, way === "upto" ? /^permit2_simulation_failed$/ : /nonce/);
      }
    }
    assert.equal(hashes.size, PAYMENTS);
    await assertCounted(mock, PAYMENTS);
  });
}

for (const way of Object.keys(WAYS)) {
  test(`the official Python facilitator settles ${PAYMENTS} payments by ${way} on our chain`, { timeout: 300_000 }, async t => {
    const mock = await startMock(t);
    const payments = [];
    for (let number = 0; number < PAYMENTS; number += 1) payments.push(await payment(way, number));
    const key = toHex(FACILITATOR.getHdKey().privateKey);
    // Too much for the arguments of a process.
    const directory = mkdtempSync(join(tmpdir(), "x402-payments-"));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, "payments.json");
    writeFileSync(file, JSON.stringify(payments));
    const answer = await runPython("rpc_facilitator.py", { rpc: rpc(mock), key, payments: file });
    assert.deepEqual(answer.failed, []);
    assert.equal(answer.settled, PAYMENTS);
    // What web3.py reads afterwards.
    assert.deepEqual(answer.read, {
      chain: 84532,
      block: PAYMENTS,
      balance: PAYMENTS * Number(HOME.amount),
      status: 1,
      logs: PAYMENTS,
      transfers: 1,
    });
    await assertCounted(mock, PAYMENTS);
  });
}
