// Every offer that the mock can make parses with the official schemas of both protocol versions.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PaymentRequiredV2Schema } from "@x402/core/schemas";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { DEFAULT_ASSETS } from "@x402/evm";
import { EvmNetworkToChainId, PaymentRequirementsSchema, x402ResponseSchema } from "x402/types";
import { decodeHeader, HOME, MERCHANT, startMock } from "./harness.mjs";

const TESTNETS = [
  "eip155:84532",
  "eip155:1328",
  "eip155:421614",
  "eip155:2201",
  "eip155:181228",
  "eip155:51",
  "eip155:11142220",
];
// Every network of the official table whose default asset is paid by EIP-3009, which is what the mock serves.
const NETWORKS = Object.entries(DEFAULT_ASSETS)
  .filter(([, [asset]]) => asset.assetTransferMethod !== "permit2")
  .map(([network]) => network);
const MAIN_NETWORKS = NETWORKS.filter(network => !TESTNETS.includes(network));
// The name that npm x402 1.2 knows a network by, if any.
const NAMES = Object.fromEntries([...EvmNetworkToChainId].map(([name, id]) => [`eip155:${id}`, name]));

const flags = networks => networks.flatMap(network => ["--network", network]);

/** Reads both dialects of an unpaid answer with the official schemas. */
async function readOffer(url) {
  const response = await fetch(url);
  assert.equal(response.status, 402);
  assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  const header = response.headers.get("payment-required");
  assert.ok(header.length <= 8192, "the header fits into 8 KiB");
  const v2 = PaymentRequiredV2Schema.parse(decodeHeader(header));
  // The schema of x402 1.2 has a closed list of errors that its own server's text for an unpaid request is not in.
  const body = await response.json();
  if (body.accepts === undefined) return { v2, v1: undefined };
  const v1 = x402ResponseSchema.omit({ error: true }).parse(body);
  for (const entry of body.accepts) PaymentRequirementsSchema.parse(entry);
  return { v2, v1: { ...v1, error: body.error } };
}

// USDC on Solana devnet: paid to test account 9, its fee paid by test account 8.
const DEVNET = {
  network: "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
  asset: "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU",
  payTo: "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab",
  extra: { feePayer: "5mCGtMUD21HEvWJxKGKS6HEAH7ezzy12MWGs4bPgcJwV" },
};

test("the default offer, in both dialects", async t => {
  const mock = await startMock(t);
  const { v1, v2 } = await readOffer(`${mock.url}/any/path?x=1`);
  assert.equal(v2.x402Version, 2);
  assert.equal(v2.error, "Payment required");
  assert.deepEqual(v2.resource, {
    url: `${mock.url}/any/path?x=1`,
    description: v2.resource.description,
    mimeType: "application/json",
  });
  assert.deepEqual(v2.accepts.map(entry => entry.network), [HOME.v2, DEVNET.network]);
  const { network, ...devnet } = DEVNET;
  assert.deepEqual(v2.accepts[1], { scheme: "exact", network, amount: HOME.amount, maxTimeoutSeconds: 300, ...devnet });
  assert.deepEqual(v2.accepts[0], {
    scheme: "exact",
    network: HOME.v2,
    amount: HOME.amount,
    asset: HOME.asset,
    payTo: MERCHANT,
    maxTimeoutSeconds: 300,
    extra: { name: "USDC", version: "2" },
  });
  assert.equal(v1.x402Version, 1);
  assert.equal(v1.error, "X-PAYMENT header is required");
  assert.deepEqual(v1.accepts.map(entry => entry.network), [HOME.v1, "solana-devnet"]);
  assert.deepEqual(v1.accepts[1].extra, DEVNET.extra);
  const { description, outputSchema: _, ...entry } = v1.accepts[0];
  assert.equal(typeof description, "string");
  assert.deepEqual(entry, {
    scheme: "exact",
    network: HOME.v1,
    maxAmountRequired: HOME.amount,
    resource: `${mock.url}/any/path`,
    mimeType: "application/json",
    payTo: MERCHANT,
    maxTimeoutSeconds: 60,
    asset: HOME.asset,
    extra: { name: "USDC", version: "2" },
  });
});

describe("the offer of one enabled network", () => {
  for (const network of NETWORKS) {
    test(`${network} (${NAMES[network] ?? "unknown to version 1"})`, async t => {
      const mock = await startMock(t, ...flags([network]));
      const { v1, v2 } = await readOffer(`${mock.url}/any`);
      assert.deepEqual(v2.accepts.map(entry => entry.network), [network]);
      // A stock client pays only in the assets of this table.
      const { asset, name, version, decimals } = DEFAULT_ASSETS[network][0];
      assert.equal(v2.accepts[0].asset, asset);
      assert.equal(v2.accepts[0].amount, String(10 ** (decimals - 2)));
      assert.deepEqual(v2.accepts[0].extra, { name, version });
      if (NAMES[network] === undefined) assert.equal(v1, undefined, "there is no version 1 part");
      else assert.deepEqual(v1.accepts.map(entry => entry.network), [NAMES[network]]);
    });
  }
});

test("all networks together: the offer lists the first, the facilitator serves them all", async t => {
  const networks = [...TESTNETS, ...MAIN_NETWORKS];
  const mock = await startMock(t, ...flags(networks));
  const { v1, v2 } = await readOffer(`${mock.url}/any`);
  assert.equal(v2.accepts[0].network, networks[0]);
  assert.equal(v1.accepts[0].network, NAMES[networks[0]]);
  const { kinds } = await new HTTPFacilitatorClient({ url: mock.url }).getSupported();
  const served = kinds.filter(({ x402Version, scheme }) => x402Version === 2 && scheme === "exact");
  assert.deepEqual(served.map(kind => kind.network).sort(), networks.toSorted());
});

describe("/supported", () => {
  test("parses with the official schema and lists what the default mock serves", async t => {
    const mock = await startMock(t);
    // The client's own parser: it throws on an answer that its schema refuses.
    const supported = await new HTTPFacilitatorClient({ url: mock.url }).getSupported();
    for (const [version, network] of [[2, HOME.v2], [1, HOME.v1]]) {
      const kind = supported.kinds.find(one => one.x402Version === version && one.network === network);
      assert.deepEqual({ ...kind }, { x402Version: version, scheme: "exact", network });
    }
    for (const main of MAIN_NETWORKS) {
      assert.ok(!supported.kinds.some(({ network }) => network === main), `${main} is only served when named`);
    }
    assert.ok(Array.isArray(supported.extensions));
    assert.ok(supported.signers["eip155:*"].length > 0);
    for (const signer of supported.signers["eip155:*"]) assert.match(signer, /^0x[0-9a-fA-F]{40}$/);
  });

  test("is the same under /facilitator", async t => {
    const mock = await startMock(t);
    const [bare, prefixed] = await Promise.all(
      [mock.url, `${mock.url}/facilitator`].map(url => new HTTPFacilitatorClient({ url }).getSupported()),
    );
    assert.deepEqual(prefixed, bare);
  });
});
