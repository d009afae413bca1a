// Payments on Solana with no, one or two faults, each with the official facilitator's answer at a fixed clock.
//
// `node svm-differential/generate.mjs --write` rewrites the vectors. The chain behind the official code is `simulate`
// below: the few rules that these cases touch, written apart from the mock.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  compileTransactionMessage,
  createKeyPairSignerFromPrivateKeyBytes,
  createTransactionMessage,
  decompileTransactionMessage,
  getBase58Decoder,
  getBase64EncodedWireTransaction,
  getCompiledTransactionMessageDecoder,
  getCompiledTransactionMessageEncoder,
  getTransactionDecoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  signBytes,
} from "@solana/kit";
import { findAssociatedTokenPda } from "@solana-program/token-2022";
import { ExactSvmScheme } from "@x402/svm/exact/facilitator";
import { ExactSvmSchemeV1 } from "@x402/svm/exact/v1/facilitator";
import { seed } from "../svm-keys.mjs";
import { FAULTS, programs } from "./faults.mjs";

export const VECTORS = new URL("../../../fixtures/vectors/exact-solana/differential.jsonl", import.meta.url);

const NOW = 1_800_000_000;
const NETWORK = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
const NAMES = { home: { 1: "solana-devnet", 2: NETWORK }, main: { 1: "solana", 2: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp" } };
const USDC = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
const OTHER_MINT = "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM";
/** The lookup table that the mock's chain has from the start, and how many entries it holds. */
const TABLE = { address: "m4QfG5oyLydxEQyaW8QXcWREGWeoNSKaX59Ubg7K94Q", entries: 50 };

const signers = Object.fromEntries(
  await Promise.all(
    [["$PAYER", 0], ["$OTHER", 1], ["$BROKE", 12], ["$FACILITATOR", 8], ["$MERCHANT", 9]].map(async ([name, index]) => [
      name,
      await createKeyPairSignerFromPrivateKeyBytes(seed(index)),
    ]),
  ),
);
const person = name => signers[name]?.address ?? name;

const hash = (...parts) => parts.reduce((hasher, part) => hasher.update(part), createHash("sha256")).digest();

/** The blockhash with a number, of the slot of the clock: see `networks/solana/blockhash.rs`. */
function blockhash(number) {
  const inside = Buffer.alloc(16);
  inside.writeBigUInt64BE(BigInt(Math.floor((NOW * 1000 - 1_577_836_800_000) / 400)), 0);
  inside.writeBigUInt64BE(BigInt(number), 8);
  const check = hash(NETWORK, inside).subarray(0, 16);
  const mask = hash(check).subarray(0, 16);
  return getBase58Decoder().decode(Buffer.concat([check, inside.map((byte, place) => byte ^ mask[place])]));
}

function pristine(version) {
  return {
    version,
    accepted: {},
    extra: { feePayer: "$FACILITATOR" },
    payTo: "$MERCHANT",
    payer: "$PAYER",
    feePayer: "$FACILITATOR",
    blockhash: "own",
    parts: [
      { kind: "limit", units: 20_000 },
      { kind: "price", price: 1 },
      {
        kind: "transfer",
        program: "token",
        discriminator: 12,
        mint: USDC,
        from: "$PAYER",
        to: "$MERCHANT",
        authority: "$PAYER",
        amount: 10_000,
        decimals: 6,
      },
      { kind: "memo", text: "a memo" },
    ],
    spoil: [],
  };
}

const little = (size, value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.subarray(0, size);
};

const accounts = new Map();
async function tokenAccount(owner, mint, program) {
  const key = `${owner}/${mint}/${program}`;
  if (!accounts.has(key)) {
    const [account] = await findAssociatedTokenPda({
      owner: address(owner),
      mint: address(mint),
      tokenProgram: address(programs[program]),
    });
    accounts.set(key, account);
  }
  return accounts.get(key);
}

async function instruction(part, description) {
  const programAddress = address(programs[{ limit: "budget", price: "budget" }[part.kind] ?? part.kind] ?? programs.token);
  switch (part.kind) {
    case "limit":
      return { programAddress, data: Buffer.concat([Buffer.of(2), little(part.short ? 3 : 4, part.units)]) };
    case "price":
      return { programAddress, data: Buffer.concat([Buffer.of(3), little(part.short ? 7 : 8, part.price)]) };
    case "memo":
      return { programAddress, data: part.text.startsWith("\u0000") ? Buffer.of(0xff, 0xfe) : Buffer.from(part.text) };
    case "guard":
      return { programAddress, data: Buffer.of(1) };
    case "system":
      return { programAddress, data: Buffer.of(9) };
    default: {
      // Whoever pays is the payer of the description, unless the transfer says another.
      const who = name => person(name === "$PAYER" ? description.payer : name);
      const mint = part.mint === "$OTHER_MINT" ? OTHER_MINT : part.mint;
      const meta = (key, role) => ({ address: address(key), role });
      return {
        programAddress: address(programs[part.program]),
        accounts: [
          meta(await tokenAccount(who(part.from), USDC, part.program), AccountRole.WRITABLE),
          meta(mint, AccountRole.READONLY),
          meta(await tokenAccount(who(part.to), USDC, part.program), AccountRole.WRITABLE),
          meta(who(part.authority), AccountRole.READONLY_SIGNER),
        ],
        data: Buffer.concat([Buffer.of(part.discriminator), little(8, part.amount), Buffer.of(part.decimals)]),
      };
    }
  }
}

async function build(description, number) {
  const instructions = await Promise.all(description.parts.map(part => instruction(part, description)));
  const lifetime = {
    blockhash: description.blockhash === "own" ? blockhash(number) : getBase58Decoder().decode(hash("foreign", String(number))),
    lastValidBlockHeight: 2n ** 60n,
  };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    tx => setTransactionMessageFeePayer(address(person(description.feePayer)), tx),
    tx => appendTransactionMessageInstructions(instructions, tx),
    tx => setTransactionMessageLifetimeUsingBlockhash(lifetime, tx),
  );
  const compiled = structuredClone({ ...compileTransactionMessage(message) });
  const spoilt = what => description.spoil.includes(what);
  const lookup = (lookupTableAddress, index) => {
    compiled.addressTableLookups = [
      ...(compiled.addressTableLookups ?? []),
      { lookupTableAddress, writableIndexes: [], readonlyIndexes: [index] },
    ];
  };
  if (spoilt("table-unknown")) lookup(USDC, 0);
  if (spoilt("table-entry")) lookup(TABLE.address, 200);
  if (spoilt("program-missing")) compiled.instructions.at(-1).programAddressIndex = 250;
  const bytes = new Uint8Array(getCompiledTransactionMessageEncoder().encode(compiled));
  if (spoilt("version-1")) bytes[0] = 0x81;
  const names = compiled.staticAccounts.slice(0, compiled.header.numSignerAccounts);
  const facilitator = signers.$FACILITATOR.address;
  const signatures = await Promise.all(
    names.map(async name => {
      const signer = Object.values(signers).find(one => one.address === name);
      // The facilitator signs when it settles.
      if (name === facilitator || spoilt("unsigned")) return new Uint8Array(64);
      const signature = new Uint8Array(await signBytes(signer.keyPair.privateKey, bytes));
      if (spoilt("wrongly-signed")) signature[0] ^= 1;
      return signature;
    }),
  );
  let wire = Buffer.concat([Buffer.of(names.length), ...signatures, bytes]);
  if (spoilt("cut")) wire = wire.subarray(0, wire.length - 40);
  return spoilt("not-base64") ? `%${wire.toString("base64")}` : wire.toString("base64");
}

/** What a node would say of a transaction. */
async function simulate(text) {
  const wire = Buffer.from(text, "base64");
  const fail = why => {
    throw new Error(`Simulation failed: ${why}`);
  };
  const { messageBytes } = getTransactionDecoder().decode(wire);
  const compiled = getCompiledTransactionMessageDecoder().decode(messageBytes);
  const own = compiled.lifetimeToken;
  if (!(await knownBlockhashes).has(own)) fail("BlockhashNotFound");
  const { instructions } = decompileTransactionMessage(compiled);
  const limit = instructions.find(({ programAddress, data }) => programAddress === programs.budget && data[0] === 2);
  if (limit && Buffer.from(limit.data).readUInt32LE(1) < 10_000) fail("ComputationalBudgetExceeded");
  for (const { programAddress, accounts: metas = [], data = [] } of instructions) {
    if (programAddress === programs.memo && Buffer.from(data).includes(0xff)) fail("the memo is not UTF-8");
    if (programAddress === programs.system) fail("an unknown instruction of the System program");
    if (programAddress === programs.token2022) fail("the mint is kept by the other token program");
    if (programAddress !== programs.token) continue;
    const [source, mint, , authority] = metas.map(meta => meta.address);
    if (source !== (await tokenAccount(authority, USDC, "token"))) fail("another owner");
    if (authority === signers.$BROKE.address) fail("insufficient funds");
    if (mint !== USDC || data[9] !== 6) fail("another mint, or other decimals");
  }
}

/** Every description to try, without two that are equal. */
function* describe(version) {
  const names = Object.keys(FAULTS);
  const lists = [[], ...names.map(name => [name])];
  for (const first of names) for (const second of names) if (first !== second) lists.push([first, second]);
  const seen = new Set();
  for (const faults of lists) {
    const description = pristine(version);
    for (const name of faults) FAULTS[name](description);
    description.spoil.sort();
    const key = JSON.stringify(description);
    if (seen.has(key)) continue;
    seen.add(key);
    yield { id: `v${version}/${faults.join("+") || "pristine"}`, faults, description };
  }
}

const CASES = [...describe(2), ...describe(1)];
const knownBlockhashes = Promise.resolve(new Set(CASES.map((_, number) => blockhash(number))));

async function body({ description }, number) {
  const { version, accepted, extra, payTo } = description;
  const said = Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, person(value)]));
  const asked = {
    scheme: "exact",
    network: NAMES.home[version],
    [version === 1 ? "maxAmountRequired" : "amount"]: "10000",
    asset: USDC,
    payTo: person(payTo),
    maxTimeoutSeconds: 60,
    extra: said,
    ...(version === 1 ? { resource: "http://localhost/", description: "", mimeType: "" } : {}),
  };
  const head = { scheme: accepted.scheme ?? asked.scheme, network: NAMES[accepted.network ?? "home"][version] };
  const payload = { transaction: await build(description, number) };
  const paymentPayload =
    version === 1 ? { x402Version: 1, ...head, payload } : { x402Version: 2, accepted: { ...asked, ...head }, payload };
  return { x402Version: version, paymentPayload, paymentRequirements: asked };
}

async function official({ description: { version } }, { paymentPayload, paymentRequirements }) {
  const facilitator = signers.$FACILITATOR;
  const signer = {
    getAddresses: () => [facilitator.address],
    signTransaction: async text => text,
    simulateTransaction: simulate,
    sendTransaction: async () => "signature",
    confirmTransaction: async () => {},
    fetchAddressLookupTables: async tables => {
      if (tables.some(table => table !== TABLE.address)) throw new Error("invalid_exact_svm_smart_wallet_alt_resolution_failed: no such table");
      return Object.fromEntries(tables.map(table => [table, Array(TABLE.entries).fill(USDC)]));
    },
  };
  const scheme = version === 1 ? new ExactSvmSchemeV1(signer) : new ExactSvmScheme(signer);
  const asking = async (call, read) => {
    try {
      return read(await call());
    } catch (error) {
      return { threw: error.message };
    }
  };
  const said = text => text ?? null;
  return {
    verify: await asking(
      () => scheme.verify(paymentPayload, paymentRequirements),
      answer => ({ isValid: answer.isValid, reason: said(answer.invalidReason), payer: said(answer.payer) }),
    ),
    settle: await asking(
      () => scheme.settle(paymentPayload, paymentRequirements),
      answer => ({ success: answer.success, reason: said(answer.errorReason), payer: said(answer.payer) }),
    ),
  };
}

/** The vectors, a line each. */
export async function vectors() {
  const silent = console.error;
  console.error = () => {};
  try {
    const lines = [];
    for (const [number, one] of CASES.entries()) {
      const made = await body(one, number);
      const { verify, settle } = await official(one, made);
      lines.push(JSON.stringify({ id: one.id, x402Version: one.description.version, faults: one.faults, body: made, verify, settle }));
    }
    return lines;
  } finally {
    console.error = silent;
  }
}

if (process.argv[2] === "--write" && process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(VECTORS, `${(await vectors()).join("\n")}\n`);
}
