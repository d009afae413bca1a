// The named faults of payments by Permit2, for `exact` and for `upto`; the groups are those of faults.mjs.

import { STRANGER } from "./faults.mjs";
import { NETWORKS } from "./official.mjs";
import { EXACT_PROXY, GRANT, MULTICALL3, UPTO_PROXY } from "./responder.mjs";

const { home, other } = NETWORKS;
const ZERO = "0x0000000000000000000000000000000000000000";
const MAX = 2n ** 256n - 1n;

const payTo = (d, address) => {
  d.requirements.payTo = address;
  d.permit.to = address;
};
const price = (d, amount) => {
  d.requirements.amount = String(amount);
  d.permit.amount = String(amount);
};
const asset = (d, address) => {
  d.requirements.asset = address;
  d.permit.token = address;
};
const signature = mutation => d => {
  d.signature.push(mutation);
};
const at = (key, value) => d => {
  d.permit[key] = value;
};

const paired = {
  // Scheme and network.
  "scheme-accepted": d => {
    d.accepted.scheme = "other";
  },
  "scheme-requirements": d => {
    d.accepted.scheme ??= d.requirements.scheme;
    d.requirements.scheme = "other";
  },
  "scheme-crossed": d => {
    d.accepted.scheme ??= d.requirements.scheme;
    d.requirements.scheme = d.scheme === "exact" ? "upto" : "exact";
  },
  "network-accepted": d => {
    d.accepted.network = "other";
  },
  "network-requirements": d => {
    d.accepted.network ??= d.requirements.network;
    d.requirements.network = "other";
  },
  elsewhere: d => {
    d.requirements.network = "other";
    asset(d, other.token.address);
    delete d.accepted.network;
  },
  // What the permit says.
  "spender-stranger": at("spender", STRANGER),
  "spender-other-proxy": d => {
    d.permit.spender = d.scheme === "exact" ? UPTO_PROXY : EXACT_PROXY;
  },
  "to-differs": at("to", STRANGER),
  "to-zero": d => payTo(d, ZERO),
  "to-token": d => payTo(d, home.token.address),
  "to-self": d => payTo(d, "$PAYER"),
  "facilitator-differs": at("facilitator", STRANGER),
  expired: at("deadline", "now-60"),
  "not-yet-valid": at("validAfter", "now+3600"),
  "amount-above": d => {
    d.permit.amount = String(BigInt(d.requirements.amount) + 1n);
  },
  "amount-zero": d => price(d, 0n),
  insufficient: d => price(d, GRANT + 1n),
  "token-differs": at("token", STRANGER),
  "asset-no-code": d => asset(d, STRANGER),
  "asset-no-token": d => asset(d, MULTICALL3),
  "from-token": at("from", home.token.address),
  "lower-case": d => {
    d.casing = { from: "lower", to: "lower", payTo: "lower", asset: "lower", token: "lower", spender: "lower" };
  },
  // The signature.
  "sig-other-key": d => {
    d.signer = "other";
  },
  "sig-other-chain": d => {
    d.domain.chainId = 8453;
  },
  "sig-other-witness": d => {
    d.types = d.scheme === "exact" ? "upto" : "exact";
  },
  "sig-6492": signature("6492"),
  "sig-64-bytes": signature("64-bytes"),
  "sig-v-minus-27": signature("v-minus-27"),
  "sig-v-29": signature("v-29"),
  "sig-high-s": signature("high-s"),
  // The ledger.
  "allowance-none": d => {
    d.allowance = "0";
  },
  "nonce-used": d => {
    d.setup = ["same-nonce"];
  },
  // No fault: what the facilitator must not look at.
  "accepted-differs": d => {
    Object.assign(d.accepted, { amount: "1", payTo: STRANGER, asset: STRANGER, maxTimeoutSeconds: 1 });
  },
};

const lone = {
  "network-unknown": d => {
    d.requirements.network = "unknown";
  },
  "amount-below": d => {
    d.permit.amount = String(BigInt(d.requirements.amount) - 1n);
  },
  // To `upto` these are settlements for less, nothing, or more than was permitted.
  "asked-part": d => {
    d.requirements.amount = "4000";
  },
  "asked-zero": d => {
    d.requirements.amount = "0";
  },
  "asked-above": d => {
    d.requirements.amount = "10001";
  },
  "asked-2-256": d => {
    d.requirements.amount = String(MAX + 1n);
  },
  "asked-no-code": d => {
    d.requirements.asset = STRANGER;
  },
  "allowance-one-less": d => {
    d.allowance = "9999";
  },
  "allowance-just": d => {
    d.allowance = "10000";
  },
  "grant-spent-whole": d => price(d, GRANT),
  "nonce-zero": at("nonce", "0"),
  "nonce-last-bit-of-word": at("nonce", "255"),
  "nonce-first-bit-of-next-word": at("nonce", "256"),
  "nonce-max": at("nonce", String(MAX)),
  "nonce-used-by-another": d => {
    d.setup = ["same-nonce-other-payer"];
  },
  "nonce-used-of-next-bit": d => {
    d.setup = ["next-nonce"];
  },
  "nonce-used-of-next-word": d => {
    d.setup = ["next-word"];
  },
  "nonce-used-by-the-other-scheme": d => {
    d.setup = ["other-scheme"];
  },
  "deadline-max": at("deadline", String(MAX)),
  "deadline-zero": at("deadline", "0"),
  "valid-after-max": at("validAfter", String(MAX)),
  "valid-after-recent": at("validAfter", "now-600"),
  "amount-signed-for-less": d => {
    d.signed.amount = "1";
  },
  "to-signed-for-another": d => {
    d.signed.to = STRANGER;
  },
  "facilitator-signed-for-another": d => {
    d.signed.facilitator = STRANGER;
  },
  "sig-other-contract": d => {
    d.domain.verifyingContract = home.token.address;
  },
  "sig-domain-version": d => {
    d.domain.version = "1";
  },
  "sig-empty": signature("empty"),
  "sig-66-bytes": signature("66-bytes"),
  "sig-v-0": signature("v-0"),
  "sig-v-27": signature("v-27"),
  "sig-v-28": signature("v-28"),
  "sig-r-zero": signature("r-zero"),
  "sig-s-order": signature("s-order"),
  "sig-no-0x": signature("no-0x"),
  "sig-not-hex": signature("not-hex"),
  "sig-6492-malformed": signature("6492-malformed"),
  "checksum-wrong-from": d => {
    d.casing.from = "wrong";
  },
  "checksum-wrong-to": d => {
    d.casing.to = "wrong";
  },
  "checksum-wrong-token": d => {
    d.casing.token = "wrong";
  },
  "checksum-wrong-spender": d => {
    d.casing.spender = "wrong";
  },
  "upper-case-from": d => {
    d.casing.from = "upper";
  },
};

const fixed = {
  "expires-in-5": at("deadline", "now+5"),
  "expires-in-6": at("deadline", "now+6"),
  "expires-in-7": at("deadline", "now+7"),
  "valid-after-now": at("validAfter", "now"),
  "valid-after-in-1": at("validAfter", "now+1"),
};

/** Every member of the payload, and what may stand in its place. */
const MEMBERS = {
  signature: "bytes",
  permit2Authorization: "object",
  "permit2Authorization.from": "address",
  "permit2Authorization.permitted": "object",
  "permit2Authorization.permitted.token": "address",
  "permit2Authorization.permitted.amount": "number",
  "permit2Authorization.spender": "address",
  "permit2Authorization.nonce": "number",
  "permit2Authorization.deadline": "number",
  "permit2Authorization.witness": "object",
  "permit2Authorization.witness.to": "address",
  "permit2Authorization.witness.facilitator": "address",
  "permit2Authorization.witness.validAfter": "number",
};
const MISFITS = {
  absent: undefined,
  null: null,
  "an-object": {},
  "a-list": ["1"],
  "a-truth": true,
  "a-number": 10000,
  empty: "",
  words: "abc",
};
const NUMBERS = {
  hex: "0x2710",
  negative: "-1",
  fraction: "0.5",
  spaced: " 10000 ",
  "leading-zero": "010000",
  one: "1",
  "2-128": String(2n ** 128n),
  "2-256-less-1": String(MAX),
  "2-256": String(MAX + 1n),
};
const ADDRESSES = { short: "0x1234", symbol: "USDC" };

const put = (path, value) => body => {
  const names = path.split(".");
  const last = names.pop();
  let place = body.paymentPayload.payload;
  for (const name of names) place = place[name];
  if (value === undefined) delete place[last];
  else place[last] = value;
};

const shape = {
  "payload-empty": body => {
    body.paymentPayload.payload = {};
  },
  "authorization-beside": body => {
    body.paymentPayload.payload.authorization = {};
  },
  "member-more": body => {
    body.paymentPayload.payload.permit2Authorization.note = "x";
  },
  "member-other-case": body => {
    const signed = body.paymentPayload.payload.permit2Authorization;
    signed.Spender = signed.spender;
    delete signed.spender;
  },
  "witness-extra-member": body => {
    body.paymentPayload.payload.permit2Authorization.witness.extra = "0x";
  },
  "pay-to-too-short": body => {
    body.paymentRequirements.payTo = "0x1234";
  },
  "asset-a-symbol": body => {
    body.paymentRequirements.asset = "USDC";
  },
  "amount-not-a-number": body => {
    body.paymentRequirements.amount = "abc";
  },
};
for (const [path, kind] of Object.entries(MEMBERS)) {
  const values = { ...MISFITS, ...(kind === "number" ? NUMBERS : kind === "address" ? ADDRESSES : {}) };
  for (const [name, value] of Object.entries(values)) {
    shape[`${path.replace("permit2Authorization", "permit")}:${name}`] = put(path, value);
  }
}

export const FAULTS = new Map([
  ...Object.entries(paired).map(([name, apply]) => [name, { group: "paired", describe: apply }]),
  ...Object.entries(lone).map(([name, apply]) => [name, { group: "lone", describe: apply }]),
  ...Object.entries(fixed).map(([name, apply]) => [name, { group: "fixed", describe: apply }]),
  ...Object.entries(shape).map(([name, apply]) => [name, { group: "shape", reshape: apply }]),
]);
