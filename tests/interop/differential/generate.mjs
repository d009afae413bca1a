// The cases: a pristine payment, mutated by no, one or two faults, then built and signed.
//
// `node differential/generate.mjs --write` rewrites the vectors for the fixed clock with the official answers.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { concat, encodeAbiParameters, keccak256, numberToHex, size, slice, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { FACTORY, FAULTS, FIXED_PAIRS } from "./faults.mjs";
import { MERCHANT, NETWORKS, startOfficial } from "./official.mjs";

/** The second at which the committed vectors were made. */
export const FIXED_NOW = 1_800_000_000;
export const VECTORS = new URL("../../../fixtures/vectors/exact-eip155/differential.jsonl", import.meta.url);

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const MAGIC = `0x${"6492".repeat(16)}`;
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
const NETWORK_NAMES = {
  ...NETWORKS,
  unknown: { chainId: 999999, v2: "eip155:999999", v1: "no-such-network" },
  main: { chainId: 8453, v2: "eip155:8453", v1: "base" },
};

/** A payment without a fault. `$PAYER` stands for the payer of the case, `now` for the clock. */
function pristine(version) {
  return {
    version,
    requirements: {
      scheme: "exact",
      network: "home",
      amount: "10000",
      asset: NETWORKS.home.token.address,
      payTo: MERCHANT,
      maxTimeoutSeconds: version === 1 ? 60 : 300,
      extra: { name: "USDC", version: "2" },
    },
    // What `accepted` (in version 1: the payload's head) says instead of the requirements.
    accepted: {},
    authorization: {
      from: "$PAYER",
      to: MERCHANT,
      value: "10000",
      validAfter: version === 1 ? "now-600" : "0",
      validBefore: "now+300",
    },
    // What is signed in place of the authorization and of the domain that the requirements imply.
    signed: {},
    domain: {},
    signer: "payer",
    signature: [],
    casing: {},
    setup: [],
  };
}

/** Every description to try, without two that are equal. */
function* describe(versions, groups, pairs) {
  const inGroups = wanted => [...FAULTS].filter(([, { group }]) => wanted.includes(group)).map(([name]) => name);
  const lists = [[], ...inGroups(groups).map(name => [name]), ...(groups.includes("fixed") ? FIXED_PAIRS : [])];
  const partners = inGroups(pairs);
  for (const first of partners) for (const second of partners) if (first !== second) lists.push([first, second]);
  for (const version of versions) {
    const seen = new Set();
    for (const names of lists) {
      const description = pristine(version);
      for (const name of names) FAULTS.get(name).describe?.(description);
      const reshape = names.filter(name => FAULTS.get(name).reshape);
      const key = JSON.stringify([sorted(description), reshape]);
      if (seen.has(key)) continue;
      seen.add(key);
      yield { id: `v${version}/${names.join("+") || "pristine"}`, names, description };
    }
  }
}

export function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])]));
}

export function recase(text, mode) {
  switch (mode) {
    case undefined:
      return text;
    case "lower":
      return text.toLowerCase();
    case "upper":
      return `0x${text.slice(2).toUpperCase()}`;
    case "wrong": {
      const at = text.search(/[a-fA-F]/);
      const letter = text[at];
      const swapped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      return text.slice(0, at) + swapped + text.slice(at + 1);
    }
    default:
      throw new Error(`no such case: ${mode}`);
  }
}

const word = number => numberToHex(number, { size: 32 });

/** Changes a signature; one that is no longer 65 bytes keeps what a 65-byte mutation would change. */
export function mutate(signature, mutation) {
  switch (mutation) {
    case "empty":
      return "0x";
    case "64-bytes":
      return size(signature) > 64 ? slice(signature, 0, 64) : signature;
    case "66-bytes":
      return concat([signature, "0x00"]);
    case "6492":
    case "6492-zero-factory": {
      const factory = mutation === "6492" ? FACTORY : `0x${"00".repeat(20)}`;
      const parts = encodeAbiParameters(
        [{ type: "address" }, { type: "bytes" }, { type: "bytes" }],
        [factory, "0x1234", signature],
      );
      return concat([parts, MAGIC]);
    }
    case "6492-malformed":
      return concat([`0x${"ff".repeat(96)}`, MAGIC]);
    case "6492-short":
      return concat(["0x1234", MAGIC]);
    case "magic-alone":
      return MAGIC;
    case "upper-case":
      return `0x${signature.slice(2).toUpperCase()}`;
    case "no-0x":
      return signature.slice(2);
    case "not-hex":
      return `0x${"zz".repeat(65)}`;
    case "odd-digits":
      return signature.slice(0, -1);
    default:
  }
  if (size(signature) !== 65) return signature;
  const r = slice(signature, 0, 32);
  const s = slice(signature, 32, 64);
  const v = Number(slice(signature, 64, 65));
  const join = (r_, s_, v_) => concat([r_, s_, numberToHex(v_, { size: 1 })]);
  const flipped = v === 27 || v === 28 ? 55 - v : v === 0 || v === 1 ? 1 - v : v;
  switch (mutation) {
    case "v-minus-27":
      return join(r, s, v >= 27 ? v - 27 : v);
    case "v-flipped":
      return join(r, s, flipped);
    case "high-s":
      return join(r, word(ORDER - BigInt(s)), flipped);
    case "high-s-v-unflipped":
      return join(r, word(ORDER - BigInt(s)), v);
    case "r-zero":
      return join(word(0n), s, v);
    case "s-zero":
      return join(r, word(0n), v);
    case "r-order":
      return join(word(ORDER), s, v);
    case "s-order":
      return join(r, word(ORDER), v);
    default: {
      const forced = /^v-(\d+)$/.exec(mutation);
      if (!forced) throw new Error(`no such mutation: ${mutation}`);
      return join(r, s, Number(forced[1]));
    }
  }
}

/** Deterministic secrets of a case: its payer, another key, its nonce. */
function secrets(seed, id) {
  const derive = what => keccak256(toHex(`${seed}/${id}/${what}`));
  return {
    payer: privateKeyToAccount(derive("payer")),
    other: privateKeyToAccount(derive("other")),
    nonce: derive("nonce"),
  };
}

async function build(description, { payer, other, nonce }, now) {
  const { version, casing } = description;
  const dialect = version === 1 ? "v1" : "v2";
  const time = text => {
    const relative = /^now([+-]\d+)?$/.exec(text);
    return relative ? String(now + Number(relative[1] ?? 0)) : text;
  };
  const address = text => (text === "$PAYER" ? payer.address : text);
  const authorization = {
    from: address(description.authorization.from),
    to: address(description.authorization.to),
    value: description.authorization.value,
    validAfter: time(description.authorization.validAfter),
    validBefore: time(description.authorization.validBefore),
    nonce,
  };
  const { amount, ...rest } = description.requirements;
  const asked = { ...rest, payTo: address(rest.payTo) };

  const network = NETWORK_NAMES[asked.network];
  const domain = {
    name: asked.extra?.name || "USDC",
    version: asked.extra?.version || "2",
    chainId: (version === 1 ? NETWORK_NAMES[description.accepted.network ?? asked.network] : network).chainId,
    verifyingContract: asked.asset,
    ...description.domain,
  };
  const account = description.signer === "payer" ? payer : other;
  let signature = await account.signTypedData({
    domain,
    types: AUTHORIZATION,
    primaryType: "TransferWithAuthorization",
    message: { ...authorization, ...description.signed },
  });
  for (const mutation of description.signature) signature = mutate(signature, mutation);

  const requirements = spell(asked, amount, version, dialect, casing);
  const written = {
    ...authorization,
    from: recase(authorization.from, casing.from),
    to: recase(authorization.to, casing.to),
    nonce: recase(authorization.nonce, casing.nonce),
  };
  const payload = { signature, authorization: written };
  const { amount: acceptedAmount, ...acceptedRest } = description.accepted;
  const accepted = spell({ ...asked, ...acceptedRest }, acceptedAmount ?? amount, version, dialect, casing);
  const paymentPayload =
    version === 1
      ? { x402Version: 1, scheme: accepted.scheme, network: accepted.network, payload }
      : { x402Version: 2, accepted, payload };
  return { x402Version: version, paymentPayload, paymentRequirements: requirements };
}

/** Requirements in the words of a protocol version. */
function spell({ scheme, network, asset, payTo, maxTimeoutSeconds, extra }, amount, version, dialect, casing) {
  const parties = { payTo: recase(payTo, casing.payTo), maxTimeoutSeconds, asset: recase(asset, casing.asset), extra };
  const name = NETWORK_NAMES[network][dialect];
  const spelled =
    version === 1
      ? {
          scheme,
          network: name,
          maxAmountRequired: amount,
          resource: "http://localhost/",
          description: "",
          mimeType: "",
          ...parties,
        }
      : { scheme, network: name, amount, ...parties };
  return JSON.parse(JSON.stringify(spelled));
}

/**
 * The cases, built for one clock.
 * @param {{now: () => number, seed: string, versions?: number[], groups?: string[], pairs?: string[]}} options
 *   `groups`: the groups of single faults to try; `pairs`: the groups whose faults meet each other.
 */
export async function* cases({
  now,
  seed,
  versions = [2, 1],
  groups = ["paired", "twin", "lone", "shape"],
  pairs = ["paired", "twin"],
}) {
  for (const { id, names, description } of describe(versions, groups, pairs)) {
    const secret = secrets(seed, id);
    const time = now();
    const body = await build(description, secret, time);
    for (const name of names) FAULTS.get(name).reshape?.(body, description.version);
    const setup = [];
    for (const step of description.setup) {
      const payer = step === "same-nonce" ? secret.payer : secret.other;
      setup.push(await build(pristine(description.version), { ...secret, payer }, time));
    }
    yield { id, x402Version: description.version, faults: names, setup, body };
  }
}

/** A case with the official answers; the setup must settle. */
export async function answered(official, one) {
  for (const body of one.setup) {
    const { success, reason, threw } = await official.settle(body);
    if (!success) throw new Error(`${one.id}: the setup did not settle: ${reason ?? threw}`);
  }
  const verify = await official.verify(one.body);
  const settle = await official.settle(one.body);
  return { ...one, verify, settle };
}

/** The vectors of the fixed clock, one case a line. */
export async function fixedVectors() {
  const official = await startOfficial({ now: FIXED_NOW, wire: "in-process" });
  const lines = [];
  const groups = ["paired", "twin", "lone", "fixed", "shape"];
  for await (const one of cases({ now: official.clock, seed: "x402-dev", groups, pairs: ["paired"] })) {
    lines.push(JSON.stringify(await answered(official, one)));
  }
  await official.stop();
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = await fixedVectors();
  const text = `${lines.join("\n")}\n`;
  if (process.argv.includes("--write")) {
    writeFileSync(VECTORS, text);
    console.log(`${lines.length} cases, ${text.length} bytes written`);
  } else {
    const committed = readFileSync(VECTORS, "utf8");
    console.log(`${lines.length} cases; the committed vectors are ${committed === text ? "the same" : "different"}`);
    process.exitCode = committed === text ? 0 : 1;
  }
}
