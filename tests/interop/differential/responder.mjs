// A raw JSON-RPC node in front of the deployed USDC token (FiatTokenV2_2 behind its proxy) and Multicall3.
//
// It knows contract rules and nothing of x402: it answers a call with return data or with the
// contract's own revert text, and it mines every raw transaction at once, one block a transaction.
// The official facilitator talks to it; what the facilitator concludes is the official answer.

import { createServer } from "node:http";
import {
  concat,
  decodeFunctionData,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionResult,
  hashTypedData,
  keccak256,
  numberToHex,
  parseAbi,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
  serializeSignature,
  size,
  slice,
} from "viem";

export const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";
/** Atomic units of USDC that an address has at first sight: one million USDC. */
export const GRANT = 1_000_000_000_000n;

export const PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
export const EXACT_PROXY = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";
export const UPTO_PROXY = "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002";

const ZERO = "0x0000000000000000000000000000000000000000";
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const MAX_BALANCE = (1n << 255n) - 1n;
// Any bytes stand for the code of a contract: nothing here runs them.
const CODE = "0xfe";

const TOKEN = parseAbi([
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function decimals() view returns (uint8)",
  "function balanceOf(address account) view returns (uint256)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
  "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)",
  "function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
]);

const MULTICALL = parseAbi([
  "struct Call { address target; bytes callData; }",
  "struct Call3 { address target; bool allowFailure; bytes callData; }",
  "struct Result { bool success; bytes returnData; }",
  "function tryAggregate(bool requireSuccess, Call[] calls) payable returns (Result[])",
  "function aggregate3(Call3[] calls) payable returns (Result[])",
]);

const PERMITTED = "((address token, uint256 amount) permitted, uint256 nonce, uint256 deadline) permit";
const PROXIES = {
  [EXACT_PROXY.toLowerCase()]: parseAbi([
    `function settle(${PERMITTED}, address owner, (address to, uint256 validAfter) witness, bytes signature)`,
    "function PERMIT2() view returns (address)",
  ]),
  [UPTO_PROXY.toLowerCase()]: parseAbi([
    `function settle(${PERMITTED}, uint256 amount, address owner, (address to, address facilitator, uint256 validAfter) witness, bytes signature)`,
    "function PERMIT2() view returns (address)",
  ]),
};

/** The errors of the proxies, and of Permit2. */
const CUSTOM = parseAbi([
  "error InvalidAmount()",
  "error InvalidOwner()",
  "error InvalidDestination()",
  "error PaymentTooEarly()",
  "error AmountExceedsPermitted()",
  "error UnauthorizedFacilitator()",
  "error SignatureExpired(uint256 signatureDeadline)",
  "error InvalidNonce()",
  "error InvalidSignature()",
  "error InvalidSigner()",
  "error InvalidSignatureLength()",
  "error InvalidContractSignature()",
]);

const witnessTypes = witness => ({
  PermitWitnessTransferFrom: [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "witness", type: "Witness" },
  ],
  TokenPermissions: [
    { name: "token", type: "address" },
    { name: "amount", type: "uint256" },
  ],
  Witness: witness,
});
const EXACT_TYPES = witnessTypes([
  { name: "to", type: "address" },
  { name: "validAfter", type: "uint256" },
]);
const UPTO_TYPES = witnessTypes([
  { name: "to", type: "address" },
  { name: "facilitator", type: "address" },
  { name: "validAfter", type: "uint256" },
]);

const ERROR = parseAbi(["error Error(string)"]);

const AUTHORIZATION = {
  TransferWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
};

/** A contract's revert: the text (where there is one) and the ABI-encoded data. */
class Revert extends Error {
  constructor(text) {
    super(text ?? "execution reverted");
    this.text = text;
    this.data = text === undefined ? "0x" : encodeErrorResult({ abi: ERROR, errorName: "Error", args: [text] });
  }
}

/** An error of the contract's own. */
class Custom extends Revert {
  constructor(errorName, ...args) {
    super(errorName);
    this.text = undefined;
    this.data = encodeErrorResult({ abi: CUSTOM, errorName, args });
  }
}

function insist(condition, errorName, ...args) {
  if (!condition) throw new Custom(errorName, ...args);
}

/** A JSON-RPC error object. */
class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

function demand(condition, text) {
  if (!condition) throw new Revert(text);
}

const lower = address => address.toLowerCase();
const slot = (token, ...keys) => [token, ...keys].map(lower).join("/");

/** Balances and used nonces; a write goes to the innermost frame, which a revert throws away. */
class State {
  constructor(parent) {
    this.parent = parent;
    this.rows = new Map();
  }
  read(key) {
    return this.rows.has(key) ? this.rows.get(key) : this.parent?.read(key);
  }
  write(key, value) {
    this.rows.set(key, value);
  }
  commit() {
    for (const [key, value] of this.rows) this.parent.write(key, value);
  }
}

/** One chain: a token, Multicall3, the accounts that have nothing, and the clock of its next block. */
export class Chain {
  /**
   * @param {{chainId: number, token: {address: string, name: string, version: string}, empty?: string[], now: () => number}} options
   *   `now` gives the time of the next block in seconds; `empty` lists addresses without a first-sight grant.
   */
  constructor({ chainId, token, empty = [], now }) {
    this.chainId = chainId;
    this.token = token;
    this.empty = new Set([ZERO, token.address, ...empty].map(lower));
    this.now = now;
    this.state = new State();
    this.nonces = new Map();
    this.transactions = new Map();
    this.height = 1;
  }

  hasCode(address) {
    return [this.token.address, MULTICALL3, PERMIT2, EXACT_PROXY, UPTO_PROXY].some(known => lower(known) === lower(address));
  }

  balance(state, account) {
    const stored = state.read(slot("balance", account));
    return stored ?? (this.empty.has(lower(account)) ? 0n : GRANT);
  }

  /** What Permit2 may move of an account; without a limit where nobody said anything. */
  allowance(state, owner, spender) {
    return state.read(slot("allowance", owner, spender)) ?? (lower(spender) === lower(PERMIT2) ? 2n ** 256n - 1n : 0n);
  }

  /** Sets what Permit2 may move of an account. */
  approve(owner, amount) {
    this.state.write(slot("allowance", owner, PERMIT2), BigInt(amount));
  }

  /** Runs a message call. Gives return data and logs, or throws `Revert`. */
  async run(state, to, data, from = ZERO) {
    if (PROXIES[lower(to)]) return this.runProxy(state, lower(to), data, from);
    if (lower(to) === lower(PERMIT2)) throw new Revert();
    if (lower(to) === lower(MULTICALL3)) return this.runMulticall(state, data);
    if (lower(to) === lower(this.token.address)) return this.runToken(state, data);
    return { output: "0x", logs: [] };
  }

  async runMulticall(state, data) {
    let call;
    try {
      call = decodeFunctionData({ abi: MULTICALL, data });
    } catch {
      throw new Revert();
    }
    const { functionName, args } = call;
    const calls =
      functionName === "tryAggregate"
        ? args[1].map(({ target, callData }) => ({ target, callData, allowFailure: !args[0] }))
        : args[0];
    const results = [];
    const logs = [];
    for (const { target, callData, allowFailure } of calls) {
      const frame = new State(state);
      try {
        const ran = await this.run(frame, target, callData);
        frame.commit();
        logs.push(...ran.logs);
        results.push({ success: true, returnData: ran.output });
      } catch (error) {
        if (!(error instanceof Revert)) throw error;
        demand(allowFailure, "Multicall3: call failed");
        results.push({ success: false, returnData: error.data });
      }
    }
    return { output: encodeFunctionResult({ abi: MULTICALL, functionName, result: results }), logs };
  }

  /** The rules of the x402 proxies, in the contracts' order. */
  async runProxy(state, proxy, data, caller) {
    const abi = PROXIES[proxy];
    let call;
    try {
      call = decodeFunctionData({ abi, data });
    } catch {
      throw new Revert();
    }
    if (call.functionName === "PERMIT2") {
      return { output: encodeFunctionResult({ abi, functionName: "PERMIT2", result: PERMIT2 }), logs: [] };
    }
    const upto = proxy === lower(UPTO_PROXY);
    const [permit, ...rest] = call.args;
    const amount = upto ? rest.shift() : permit.permitted.amount;
    const [owner, witness, signature] = rest;
    if (upto) {
      insist(amount <= permit.permitted.amount, "AmountExceedsPermitted");
      insist(lower(caller) === lower(witness.facilitator), "UnauthorizedFacilitator");
    }
    insist(amount !== 0n, "InvalidAmount");
    insist(lower(owner) !== ZERO, "InvalidOwner");
    insist(lower(witness.to) !== ZERO, "InvalidDestination");
    insist(BigInt(this.now()) >= witness.validAfter, "PaymentTooEarly");
    const { deadline, nonce, permitted } = permit;
    insist(BigInt(this.now()) <= deadline, "SignatureExpired", deadline);
    const used = slot("permit2", owner, String(nonce));
    insist(state.read(used) !== true, "InvalidNonce");
    const digest = hashTypedData({
      domain: { name: "Permit2", chainId: this.chainId, verifyingContract: PERMIT2 },
      types: upto ? UPTO_TYPES : EXACT_TYPES,
      primaryType: "PermitWitnessTransferFrom",
      message: { permitted, spender: proxy, nonce, deadline, witness },
    });
    await this.checkPermitSignature(owner, digest, signature);
    state.write(used, true);
    const logs = this.transferFrom(state, permitted.token, owner, witness.to, amount);
    demand(logs !== undefined, "TRANSFER_FROM_FAILED");
    return { output: "0x", logs };
  }

  /** Permit2's SignatureVerification: the precompile, any `s`. */
  async checkPermitSignature(owner, digest, signature) {
    if (this.hasCode(owner)) throw new Custom("InvalidContractSignature");
    insist(size(signature) === 65, "InvalidSignatureLength");
    const v = BigInt(slice(signature, 64, 65));
    let signer;
    try {
      if (v === 27n || v === 28n) {
        const parts = { r: slice(signature, 0, 32), s: slice(signature, 32, 64), v };
        signer = lower(await recoverAddress({ hash: digest, signature: serializeSignature(parts) }));
      }
    } catch {
      signer = undefined;
    }
    insist(signer !== undefined, "InvalidSignature");
    insist(signer === lower(owner), "InvalidSigner");
  }

  /** The token's transferFrom, called by Permit2; nothing where it fails. */
  transferFrom(state, token, from, to, value) {
    const blocked = [from, to].some(party => lower(party) === lower(this.token.address));
    const allowed = this.allowance(state, from, PERMIT2);
    const fails = lower(token) !== lower(this.token.address) || blocked || lower(to) === ZERO;
    if (fails || value > allowed || value > this.balance(state, from)) return undefined;
    if (allowed !== 2n ** 256n - 1n) state.write(slot("allowance", from, PERMIT2), allowed - value);
    state.write(slot("balance", from), this.balance(state, from) - value);
    state.write(slot("balance", to), this.balance(state, to) + value);
    return [this.log("Transfer", { from, to }, encodeAbiParameters([{ type: "uint256" }], [value]))];
  }

  async runToken(state, data) {
    let call;
    try {
      call = decodeFunctionData({ abi: TOKEN, data });
    } catch {
      throw new Revert();
    }
    const { functionName, args } = call;
    const view = result => ({ output: encodeFunctionResult({ abi: TOKEN, functionName, result }), logs: [] });
    switch (functionName) {
      case "name":
        return view(this.token.name);
      case "version":
        return view(this.token.version);
      case "decimals":
        return view(6);
      case "balanceOf":
        return view(this.balance(state, args[0]));
      case "allowance":
        return view(this.allowance(state, args[0], args[1]));
      case "authorizationState":
        return view(state.read(slot("nonce", args[0], args[1])) === true);
      case "transferWithAuthorization":
        return { output: "0x", logs: await this.transferWithAuthorization(state, args) };
      default:
        throw new Revert();
    }
  }

  /** The rules of FiatTokenV2_2, in the contract's order and with its texts. */
  async transferWithAuthorization(state, [from, to, value, validAfter, validBefore, nonce, ...rest]) {
    const signature = rest.length === 1 ? rest[0] : concat([rest[1], rest[2], numberToHex(rest[0], { size: 1 })]);
    const now = BigInt(this.now());
    // The upgrade to version 2.1 put the token itself on its own blacklist; nobody else is on it here.
    for (const party of [from, to]) {
      demand(lower(party) !== lower(this.token.address), "Blacklistable: account is blacklisted");
    }
    demand(now > validAfter, "FiatTokenV2: authorization is not yet valid");
    demand(now < validBefore, "FiatTokenV2: authorization is expired");
    const used = slot("nonce", from, nonce);
    demand(state.read(used) !== true, "FiatTokenV2: authorization is used or canceled");
    const digest = hashTypedData({
      domain: {
        name: this.token.name,
        version: this.token.version,
        chainId: this.chainId,
        verifyingContract: this.token.address,
      },
      types: AUTHORIZATION,
      primaryType: "TransferWithAuthorization",
      message: { from, to, value, validAfter, validBefore, nonce },
    });
    // Contracts would be asked by ERC-1271; the only ones here are on the blacklist or cannot answer.
    const valid = !this.hasCode(from) && (await this.recover(digest, signature)) === lower(from);
    demand(valid, "FiatTokenV2: invalid signature");
    state.write(used, true);
    demand(lower(from) !== ZERO, "ERC20: transfer from the zero address");
    demand(lower(to) !== ZERO, "ERC20: transfer to the zero address");
    demand(value <= this.balance(state, from), "ERC20: transfer amount exceeds balance");
    state.write(slot("balance", from), this.balance(state, from) - value);
    const received = this.balance(state, to) + value;
    demand(received <= MAX_BALANCE, "FiatTokenV2_2: Balance exceeds (2^255 - 1)");
    state.write(slot("balance", to), received);
    return [
      this.log("AuthorizationUsed", { authorizer: from, nonce }, "0x"),
      this.log("Transfer", { from, to }, encodeAbiParameters([{ type: "uint256" }], [value])),
    ];
  }

  /** The token's ECRecover library around the ecrecover precompile. */
  async recover(digest, signature) {
    demand(size(signature) === 65, "ECRecover: invalid signature length");
    const r = slice(signature, 0, 32);
    const s = slice(signature, 32, 64);
    const v = BigInt(slice(signature, 64, 65));
    demand(BigInt(s) <= HALF_ORDER, "ECRecover: invalid signature 's' value");
    demand(v === 27n || v === 28n, "ECRecover: invalid signature 'v' value");
    try {
      return lower(await recoverAddress({ hash: digest, signature: serializeSignature({ r, s, v }) }));
    } catch {
      throw new Revert("ECRecover: invalid signature");
    }
  }

  log(eventName, args, data) {
    return { address: lower(this.token.address), topics: encodeEventTopics({ abi: TOKEN, eventName, args }), data };
  }

  /** Answers one JSON-RPC method. */
  async answer(method, params = []) {
    switch (method) {
      case "eth_chainId":
        return numberToHex(this.chainId);
      case "eth_blockNumber":
        return numberToHex(this.height);
      case "eth_getCode":
        return this.hasCode(params[0]) ? CODE : "0x";
      case "eth_getBalance":
        return numberToHex(10n ** 18n);
      case "eth_gasPrice":
      case "eth_maxPriorityFeePerGas":
        return numberToHex(1_000_000n);
      case "eth_getBlockByNumber":
        return this.block();
      case "eth_getTransactionCount":
        return numberToHex(this.nonces.get(lower(params[0])) ?? 0);
      case "eth_call":
        return (await this.tryRun(params[0])).output;
      case "eth_estimateGas":
        await this.tryRun(params[0]);
        return numberToHex(100_000n);
      case "eth_sendRawTransaction":
        return this.mine(params[0]);
      case "eth_getTransactionReceipt":
        return this.transactions.get(params[0])?.receipt ?? null;
      case "eth_getTransactionByHash":
        return this.transactions.get(params[0])?.transaction ?? null;
      default:
        throw new RpcError(-32601, `the method ${method} does not exist/is not available`);
    }
  }

  async tryRun({ to, data, input, from }) {
    try {
      return await this.run(new State(this.state), to, data ?? input ?? "0x", from);
    } catch (error) {
      if (!(error instanceof Revert)) throw error;
      const message = error.text === undefined ? "execution reverted" : `execution reverted: ${error.text}`;
      throw new RpcError(3, message, error.data);
    }
  }

  /** Decodes, checks and executes a signed transaction; its block is the next one. */
  async mine(raw) {
    const transaction = parseTransaction(raw);
    const from = await recoverTransactionAddress({ serializedTransaction: raw });
    const next = this.nonces.get(lower(from)) ?? 0;
    if (transaction.chainId !== this.chainId) throw new RpcError(-32000, "invalid chain id for signer");
    if ((transaction.nonce ?? 0) < next) throw new RpcError(-32000, "nonce too low");
    if ((transaction.nonce ?? 0) > next) throw new RpcError(-32000, "nonce too high");
    const hash = keccak256(raw);
    const frame = new State(this.state);
    let logs = [];
    let status = "0x1";
    try {
      ({ logs } = await this.run(frame, transaction.to, transaction.data ?? "0x", from));
      frame.commit();
    } catch (error) {
      if (!(error instanceof Revert)) throw error;
      status = "0x0";
    }
    this.nonces.set(lower(from), next + 1);
    this.height += 1;
    const at = {
      blockHash: keccak256(numberToHex(this.height)),
      blockNumber: numberToHex(this.height),
      transactionHash: hash,
      transactionIndex: "0x0",
    };
    const receipt = {
      ...at,
      status,
      type: "0x2",
      from: lower(from),
      to: lower(transaction.to),
      contractAddress: null,
      cumulativeGasUsed: "0x186a0",
      gasUsed: "0x186a0",
      effectiveGasPrice: "0xf4240",
      logsBloom: `0x${"00".repeat(256)}`,
      logs: logs.map((log, index) => ({ ...log, ...at, logIndex: numberToHex(index), removed: false })),
    };
    this.transactions.set(hash, { transaction: { ...at, hash, from: lower(from), to: lower(transaction.to) }, receipt });
    return hash;
  }

  block() {
    const zero = `0x${"00".repeat(32)}`;
    return {
      number: numberToHex(this.height),
      hash: keccak256(numberToHex(this.height)),
      parentHash: zero,
      timestamp: numberToHex(this.now()),
      baseFeePerGas: numberToHex(1_000_000n),
      gasLimit: numberToHex(30_000_000n),
      gasUsed: "0x0",
      transactions: [],
    };
  }

  /** Answers a JSON-RPC request object, as text would be answered. */
  async respond({ id, method, params }) {
    try {
      return { jsonrpc: "2.0", id, result: await this.answer(method, params) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const { code, message, data } = error;
      return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
    }
  }
}

/**
 * Serves chains over HTTP on 127.0.0.1, each under `/<chain id>`.
 * @param {Chain[]} chains
 */
export async function serve(chains) {
  const server = createServer(async (request, response) => {
    const chain = chains.find(({ chainId }) => request.url === `/${chainId}`);
    const parts = [];
    for await (const part of request) parts.push(part);
    try {
      const asked = JSON.parse(Buffer.concat(parts).toString("utf8"));
      const answer = Array.isArray(asked)
        ? await Promise.all(asked.map(one => chain.respond(one)))
        : await chain.respond(asked);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(500).end(String(error?.stack ?? error));
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address();
  return {
    url: chainId => `http://127.0.0.1:${port}/${chainId}`,
    stop: () =>
      new Promise(resolve => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
