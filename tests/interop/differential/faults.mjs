// The named faults. Each one mutates a description of a payment before it is built and signed.
//
// `paired` faults meet every other paired fault in both orders. A `twin` is a second spelling of a paired one:
// the live comparison pairs it as well, the committed vectors hold it by itself. A `lone` fault is a closer look
// at one check, and a `shape` fault spoils the body after it was signed: both are only tried by themselves.
// `fixed` faults sit on the very second where an answer changes: only a clock that stands still can try them.

import { NETWORKS } from "./official.mjs";
import { GRANT, MULTICALL3 } from "./responder.mjs";

const { home, other } = NETWORKS;

/** An address without code, that nobody pays from. */
export const STRANGER = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
/** The factory of a 6492 wrapper; no facilitator here allows it. */
export const FACTORY = "0x0BA5ED0c6AA8c49038F819E587E2633c4A9F428a";
const ZERO = "0x0000000000000000000000000000000000000000";

const amountOf = d => (/^\d+$/.test(d.requirements.amount) ? BigInt(d.requirements.amount) : 10_000n);
const payTo = (d, address) => {
  d.requirements.payTo = address;
  d.authorization.to = address;
};
const price = (d, amount) => {
  d.requirements.amount = String(amount);
  d.authorization.value = String(amount);
};
const extra = (d, change) => {
  d.requirements.extra = { ...d.requirements.extra, ...change };
};
const without = (d, key) => {
  if (d.requirements.extra) delete d.requirements.extra[key];
};
const signature = mutation => d => {
  d.signature.push(mutation);
};

const paired = {
  // Scheme and network.
  "scheme-accepted": d => {
    d.accepted.scheme = "other";
  },
  "scheme-requirements": d => {
    d.requirements.scheme = "other";
    d.accepted.scheme ??= "exact";
  },
  "network-accepted": d => {
    d.accepted.network = "other";
  },
  "network-accepted-unknown": d => {
    d.accepted.network = "unknown";
  },
  "network-requirements": d => {
    d.accepted.network ??= d.requirements.network;
    d.requirements.network = "other";
  },
  "network-unknown": d => {
    d.requirements.network = "unknown";
    delete d.accepted.network;
  },
  elsewhere: d => {
    d.requirements.network = "other";
    d.requirements.asset = other.token.address;
    delete d.accepted.network;
  },
  // The EIP-712 domain.
  "name-missing": d => without(d, "name"),
  "name-differs": d => extra(d, { name: "USD Coin" }),
  "version-differs": d => extra(d, { version: "1" }),
  // The signature.
  "sig-other-key": d => {
    d.signer = "other";
  },
  "sig-other-chain": d => {
    d.domain.chainId = 8453;
  },
  "sig-6492": signature("6492"),
  "sig-6492-malformed": signature("6492-malformed"),
  "sig-64-bytes": signature("64-bytes"),
  "sig-v-minus-27": signature("v-minus-27"),
  "sig-v-29": signature("v-29"),
  "sig-high-s": signature("high-s"),
  // The parties.
  "to-differs": d => {
    d.authorization.to = STRANGER;
  },
  "to-zero": d => payTo(d, ZERO),
  "to-token": d => payTo(d, home.token.address),
  "to-self": d => payTo(d, "$PAYER"),
  "from-token": d => {
    d.authorization.from = home.token.address;
  },
  "lower-case": d => {
    d.casing = { from: "lower", to: "lower", payTo: "lower", asset: "lower" };
  },
  // Time.
  expired: d => {
    d.authorization.validBefore = "now-60";
  },
  "not-yet-valid": d => {
    d.authorization.validAfter = "now+3600";
  },
  // Amounts.
  "value-above": d => {
    d.authorization.value = String(amountOf(d) + 1n);
  },
  "amount-zero": d => price(d, 0n),
  insufficient: d => price(d, GRANT + 1n),
  // The asset and the ledger.
  "asset-no-code": d => {
    d.requirements.asset = STRANGER;
  },
  "asset-no-eip3009": d => {
    d.requirements.asset = MULTICALL3;
  },
  "nonce-used": d => {
    d.setup = ["same-nonce"];
  },
  // No fault: what the facilitator must not look at.
  "accepted-differs": d => {
    Object.assign(d.accepted, { amount: "1", payTo: STRANGER, asset: STRANGER, maxTimeoutSeconds: 1 });
  },
};

const twin = {
  "version-missing": d => without(d, "version"),
  "extra-absent": d => {
    delete d.requirements.extra;
  },
  "sig-other-name": d => {
    d.domain.name = "USD Coin";
  },
  "sig-other-contract": d => {
    d.domain.verifyingContract = MULTICALL3;
  },
  "sig-empty": signature("empty"),
  "sig-66-bytes": signature("66-bytes"),
  "value-below": d => {
    d.authorization.value = String(amountOf(d) - (amountOf(d) > 0n ? 1n : 0n));
  },
};

const lone = {
  "scheme-both": d => {
    d.requirements.scheme = "other";
  },
  "network-main": d => {
    d.requirements.network = "main";
  },
  "network-requirements-unknown": d => {
    d.accepted.network = "home";
    d.requirements.network = "unknown";
  },
  "name-empty": d => extra(d, { name: "" }),
  "version-empty": d => extra(d, { version: "" }),
  "extra-empty": d => {
    d.requirements.extra = {};
  },
  "extra-missing-in-accepted": d => {
    d.accepted.extra = {};
  },
  "extra-more-in-accepted": d => {
    d.accepted.extra = { ...d.requirements.extra, note: "x" };
  },
  "sig-6492-zero-factory": signature("6492-zero-factory"),
  "sig-6492-short": signature("6492-short"),
  "sig-magic-alone": signature("magic-alone"),
  "sig-v-0": signature("v-0"),
  "sig-v-1": signature("v-1"),
  "sig-v-2": signature("v-2"),
  "sig-v-27": signature("v-27"),
  "sig-v-28": signature("v-28"),
  "sig-v-255": signature("v-255"),
  "sig-v-flipped": signature("v-flipped"),
  "sig-high-s-v-unflipped": signature("high-s-v-unflipped"),
  "sig-r-zero": signature("r-zero"),
  "sig-s-zero": signature("s-zero"),
  "sig-r-order": signature("r-order"),
  "sig-s-order": signature("s-order"),
  "sig-upper-case": signature("upper-case"),
  "sig-no-0x": signature("no-0x"),
  "sig-not-hex": signature("not-hex"),
  "sig-odd-digits": signature("odd-digits"),
  "to-differs-signed-for-payee": d => {
    d.signed.to = d.requirements.payTo;
    d.authorization.to = STRANGER;
  },
  "value-signed-for-less": d => {
    d.signed.value = "1";
  },
  "nonce-other-than-signed": d => {
    d.signed.nonce = `0x${"77".repeat(32)}`;
  },
  "expired-by-1": d => {
    d.authorization.validBefore = "now-1";
  },
  "expires-in-1": d => {
    d.authorization.validBefore = "now+1";
  },
  "valid-before-zero": d => {
    d.authorization.validBefore = "0";
  },
  "valid-before-huge": d => {
    d.authorization.validBefore = String((1n << 256n) - 1n);
  },
  "valid-after-recent": d => {
    d.authorization.validAfter = "now-600";
  },
  "valid-after-huge": d => {
    d.authorization.validAfter = String((1n << 256n) - 1n);
  },
  "grant-spent-whole": d => price(d, GRANT),
  "nonce-used-by-another": d => {
    d.setup = ["same-nonce-other-payer"];
  },
  "nonce-upper-case": d => {
    d.casing.nonce = "upper";
  },
  "upper-case-from": d => {
    d.casing.from = "upper";
  },
  "upper-case-to": d => {
    d.casing.to = "upper";
  },
  "upper-case-pay-to": d => {
    d.casing.payTo = "upper";
  },
  "upper-case-asset": d => {
    d.casing.asset = "upper";
  },
  "checksum-wrong-from": d => {
    d.casing.from = "wrong";
  },
  "checksum-wrong-to": d => {
    d.casing.to = "wrong";
  },
  "checksum-wrong-pay-to": d => {
    d.casing.payTo = "wrong";
  },
  "checksum-wrong-asset": d => {
    d.casing.asset = "wrong";
  },
};

const at = (key, value) => d => {
  d.authorization[key] = value;
};

const fixed = {
  "expires-in-5": at("validBefore", "now+5"),
  "expires-in-6": at("validBefore", "now+6"),
  "expires-in-7": at("validBefore", "now+7"),
  "expires-now": at("validBefore", "now"),
  "valid-after-1-ago": at("validAfter", "now-1"),
  "valid-after-now": at("validAfter", "now"),
  "valid-after-in-1": at("validAfter", "now+1"),
};

/** Faults of the body's shape: they change the built body, so a signature over the pristine one stays. */
const shape = {
  "version-unknown": body => {
    body.paymentPayload.x402Version = 9;
    body.x402Version = 9;
  },
  "version-outer-differs": (body, version) => {
    body.x402Version = version === 1 ? 2 : 1;
  },
  "version-outer-absent": body => {
    delete body.x402Version;
  },
  "authorization-absent": body => {
    delete body.paymentPayload.payload.authorization;
  },
  "signature-absent": body => {
    delete body.paymentPayload.payload.signature;
  },
  "payload-empty": body => {
    body.paymentPayload.payload = {};
  },
  "from-too-short": body => {
    body.paymentPayload.payload.authorization.from = "0x1234";
  },
  "to-too-short": body => {
    body.paymentPayload.payload.authorization.to = "0x1234";
  },
  "pay-to-too-short": body => {
    body.paymentRequirements.payTo = "0x1234";
  },
  "asset-too-short": body => {
    body.paymentRequirements.asset = "0x1234";
  },
  "asset-a-symbol": body => {
    body.paymentRequirements.asset = "USDC";
  },
  "value-not-a-number": body => {
    body.paymentPayload.payload.authorization.value = "abc";
  },
  "value-hex": body => {
    body.paymentPayload.payload.authorization.value = "0x2710";
  },
  "value-empty": body => {
    body.paymentPayload.payload.authorization.value = "";
  },
  "value-negative": body => {
    body.paymentPayload.payload.authorization.value = "-1";
  },
  "value-fraction": body => {
    body.paymentPayload.payload.authorization.value = "0.01";
  },
  "value-spaced": body => {
    body.paymentPayload.payload.authorization.value = " 10000 ";
  },
  "value-leading-zero": body => {
    body.paymentPayload.payload.authorization.value = "010000";
  },
  "value-a-json-number": body => {
    body.paymentPayload.payload.authorization.value = 10000;
  },
  "value-2-256": body => {
    body.paymentPayload.payload.authorization.value = String(1n << 256n);
  },
  "amount-not-a-number": (body, version) => {
    body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"] = "abc";
  },
  "amount-hex": (body, version) => {
    body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"] = "0x2710";
  },
  "amount-empty": (body, version) => {
    body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"] = "";
  },
  "amount-absent": (body, version) => {
    delete body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"];
  },
  "amount-leading-zero": (body, version) => {
    body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"] = "010000";
  },
  "amount-2-256": (body, version) => {
    body.paymentRequirements[version === 1 ? "maxAmountRequired" : "amount"] = String(1n << 256n);
  },
  "valid-after-not-a-number": body => {
    body.paymentPayload.payload.authorization.validAfter = "soon";
  },
  "valid-before-not-a-number": body => {
    body.paymentPayload.payload.authorization.validBefore = "later";
  },
  "nonce-too-short": body => {
    body.paymentPayload.payload.authorization.nonce = "0x1234";
  },
  "nonce-not-hex": body => {
    body.paymentPayload.payload.authorization.nonce = "order-1";
  },
};

/** Where a fault applies: to the description, or to the built body. */
export const FAULTS = new Map([
  ...Object.entries(paired).map(([name, apply]) => [name, { group: "paired", describe: apply }]),
  ...Object.entries(twin).map(([name, apply]) => [name, { group: "twin", describe: apply }]),
  ...Object.entries(lone).map(([name, apply]) => [name, { group: "lone", describe: apply }]),
  ...Object.entries(fixed).map(([name, apply]) => [name, { group: "fixed", describe: apply }]),
  ...Object.entries(shape).map(([name, apply]) => [name, { group: "shape", reshape: apply }]),
]);

/** Pairs on the very second: the token's own check of the time against its other checks. */
export const FIXED_PAIRS = [
  "nonce-used",
  "sig-high-s",
  "name-differs",
  "version-differs",
  "to-token",
  "to-zero",
  "insufficient",
].map(name => ["valid-after-now", name]);
