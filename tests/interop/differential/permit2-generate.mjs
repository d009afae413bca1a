// The cases of payments by Permit2, for one scheme: a pristine payment, mutated by no, one or two faults, then signed.
//
// `node differential/permit2-generate.mjs --write` rewrites the vectors for the fixed clock with the official answers.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { FIXED_NOW, mutate, recase, sorted } from "./generate.mjs";
import { FACILITATOR, MERCHANT, NETWORKS, startOfficial } from "./official.mjs";
import { FAULTS } from "./permit2-faults.mjs";
import { EXACT_PROXY, PERMIT2, UPTO_PROXY } from "./responder.mjs";

export const SCHEMES = {
  exact: new URL("../../../fixtures/vectors/exact-permit2-eip155/differential.jsonl", import.meta.url),
  upto: new URL("../../../fixtures/vectors/upto-eip155/differential.jsonl", import.meta.url),
};

const NAMES = { ...NETWORKS, unknown: { chainId: 999999, v2: "eip155:999999" } };
const PERMIT = [
  { name: "permitted", type: "TokenPermissions" },
  { name: "spender", type: "address" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
  { name: "witness", type: "Witness" },
];
const PERMITTED = [
  { name: "token", type: "address" },
  { name: "amount", type: "uint256" },
];
const WITNESS = {
  exact: [
    { name: "to", type: "address" },
    { name: "validAfter", type: "uint256" },
  ],
  upto: [
    { name: "to", type: "address" },
    { name: "facilitator", type: "address" },
    { name: "validAfter", type: "uint256" },
  ],
};

/** A payment without a fault. `$PAYER` stands for the payer of the case, `now` for the clock. */
function pristine(scheme) {
  return {
    scheme,
    requirements: {
      scheme,
      network: "home",
      amount: "10000",
      asset: NETWORKS.home.token.address,
      payTo: MERCHANT,
      maxTimeoutSeconds: 300,
      extra: {
        name: "USDC",
        version: "2",
        assetTransferMethod: "permit2",
        ...(scheme === "upto" ? { facilitatorAddress: FACILITATOR.address } : {}),
      },
    },
    // What `accepted` says instead of the requirements.
    accepted: {},
    permit: {
      from: "$PAYER",
      token: NETWORKS.home.token.address,
      amount: "10000",
      spender: scheme === "exact" ? EXACT_PROXY : UPTO_PROXY,
      deadline: "now+300",
      to: MERCHANT,
      facilitator: FACILITATOR.address,
      validAfter: "0",
    },
    // What is signed in place of the permit and of the domain that the requirements imply, and with which witness.
    signed: {},
    domain: {},
    types: scheme,
    signer: "payer",
    signature: [],
    casing: {},
    setup: [],
    allowance: undefined,
  };
}

function* describe(scheme, groups, pairs) {
  const inGroups = wanted => [...FAULTS].filter(([, { group }]) => wanted.includes(group)).map(([name]) => name);
  const lists = [[], ...inGroups(groups).map(name => [name])];
  const partners = inGroups(pairs);
  for (const first of partners) for (const second of partners) if (first !== second) lists.push([first, second]);
  const seen = new Set();
  for (const names of lists) {
    const description = pristine(scheme);
    for (const name of names) FAULTS.get(name).describe?.(description);
    const reshape = names.filter(name => FAULTS.get(name).reshape);
    const key = JSON.stringify([sorted(description), reshape]);
    if (seen.has(key)) continue;
    seen.add(key);
    yield { id: `${scheme}/${names.join("+") || "pristine"}`, names, description };
  }
}

function secrets(seed, id) {
  const derive = what => keccak256(toHex(`${seed}/${id}/${what}`));
  return {
    payer: privateKeyToAccount(derive("payer")),
    other: privateKeyToAccount(derive("other")),
    nonce: String(BigInt(derive("nonce"))),
  };
}

async function build(description, { payer, other, nonce }, now) {
  const { scheme, casing } = description;
  const time = text => {
    const relative = /^now([+-]\d+)?$/.exec(text);
    return relative ? String(now + Number(relative[1] ?? 0)) : text;
  };
  const address = text => (text === "$PAYER" ? payer.address : text);
  const spelled = { nonce, ...description.permit };
  for (const key of ["deadline", "validAfter"]) spelled[key] = time(spelled[key]);
  for (const key of ["from", "to"]) spelled[key] = address(spelled[key]);
  const signed = { ...spelled, ...description.signed };
  const message = {
    permitted: { token: signed.token, amount: signed.amount },
    spender: signed.spender,
    nonce: signed.nonce,
    deadline: signed.deadline,
    witness: {
      to: signed.to,
      ...(description.types === "upto" ? { facilitator: signed.facilitator } : {}),
      validAfter: signed.validAfter,
    },
  };
  const asked = { ...description.requirements, payTo: address(description.requirements.payTo) };
  const domain = {
    name: "Permit2",
    chainId: NAMES[asked.network].chainId,
    verifyingContract: PERMIT2,
    ...description.domain,
  };
  const account = description.signer === "payer" ? payer : other;
  const types = { PermitWitnessTransferFrom: PERMIT, TokenPermissions: PERMITTED, Witness: WITNESS[description.types] };
  let signature = await account.signTypedData({ domain, types, primaryType: "PermitWitnessTransferFrom", message });
  for (const mutation of description.signature) signature = mutate(signature, mutation);

  const written = key => recase(spelled[key], casing[key]);
  const permit2Authorization = {
    from: written("from"),
    permitted: { token: written("token"), amount: spelled.amount },
    spender: written("spender"),
    nonce: spelled.nonce,
    deadline: spelled.deadline,
    witness: {
      to: written("to"),
      ...(scheme === "upto" ? { facilitator: spelled.facilitator } : {}),
      validAfter: spelled.validAfter,
    },
  };
  const requirements = spell(asked, casing);
  const accepted = spell({ ...asked, ...description.accepted }, casing);
  const paymentPayload = { x402Version: 2, accepted, payload: { signature, permit2Authorization } };
  return { x402Version: 2, paymentPayload, paymentRequirements: requirements };
}

function spell({ scheme, network, amount, asset, payTo, maxTimeoutSeconds, extra }, casing) {
  const parties = { payTo: recase(payTo, casing.payTo), maxTimeoutSeconds, asset: recase(asset, casing.asset), extra };
  return JSON.parse(JSON.stringify({ scheme, network: NAMES[network].v2, amount, ...parties }));
}

/** A payment that settles before the case's own. */
function earlier(step, scheme, secret) {
  const bump = by => ({ ...secret, nonce: String((BigInt(secret.nonce) + by) % 2n ** 256n) });
  switch (step) {
    case "same-nonce":
      return [pristine(scheme), secret];
    case "same-nonce-other-payer":
      return [pristine(scheme), { ...secret, payer: secret.other }];
    case "next-nonce":
      return [pristine(scheme), bump(1n)];
    case "next-word":
      return [pristine(scheme), bump(256n)];
    case "other-scheme":
      return [pristine(scheme === "exact" ? "upto" : "exact"), secret];
    default:
      throw new Error(`no such step: ${step}`);
  }
}

/** The cases of a scheme, built for one clock. */
export async function* cases({ scheme, now, seed, groups = ["paired", "lone", "shape"], pairs = ["paired"] }) {
  for (const { id, names, description } of describe(scheme, groups, pairs)) {
    const secret = secrets(seed, id);
    const time = now();
    const body = await build(description, secret, time);
    for (const name of names) FAULTS.get(name).reshape?.(body);
    const setup = [];
    for (const step of description.setup) {
      const [plain, own] = earlier(step, scheme, secret);
      setup.push(await build(plain, own, time));
    }
    const approvals = description.allowance === undefined ? [] : [{ owner: secret.payer.address, amount: description.allowance }];
    yield { id, x402Version: 2, faults: names, setup, approvals, body };
  }
}

/** A case with the official answers; the setup must settle. */
export async function answered(official, one) {
  for (const body of one.setup) {
    const { success, reason, threw } = await official.settle(body);
    if (!success) throw new Error(`${one.id}: the setup did not settle: ${reason ?? threw}`);
  }
  for (const { owner, amount } of one.approvals) official.approve(owner, amount);
  const verify = await official.verify(one.body);
  const settle = await official.settle(one.body);
  return { ...one, verify, settle };
}

/** The vectors of the fixed clock, one case a line. */
export async function fixedVectors(scheme) {
  const official = await startOfficial({ now: FIXED_NOW, wire: "in-process" });
  const lines = [];
  const groups = ["paired", "lone", "fixed", "shape"];
  for await (const one of cases({ scheme, now: official.clock, seed: "x402-dev", groups })) {
    lines.push(JSON.stringify(await answered(official, one)));
  }
  await official.stop();
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [scheme, place] of Object.entries(SCHEMES)) {
    const text = `${(await fixedVectors(scheme)).join("\n")}\n`;
    if (process.argv.includes("--write")) {
      writeFileSync(place, text);
      console.log(`${scheme}: ${text.split("\n").length - 1} cases, ${text.length} bytes written`);
    } else {
      const same = readFileSync(place, "utf8") === text;
      console.log(`${scheme}: the committed vectors are ${same ? "the same" : "different"}`);
      if (!same) process.exitCode = 1;
    }
  }
}
