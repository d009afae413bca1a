// What an unmodified official client and server do with each preset is what presets.json, and so docs/faults.md, says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { startMock } from "./harness.mjs";
import { admin, client, server } from "./presets.mjs";

const measured = JSON.parse(readFileSync(new URL("presets.json", import.meta.url), "utf8"));

test("every preset was measured", async t => {
  const { presets } = await admin(await startMock(t), "GET", "/faults/presets");
  assert.deepEqual(Object.keys(measured), presets.map(({ name }) => name));
});

describe("presets", { concurrency: 2 }, () => {
  for (const [preset, expected] of Object.entries(measured)) {
    if (expected.client) {
      test(`${preset}: @x402/fetch`, async t => assert.deepEqual(await client(t, preset), expected.client));
    }
    if (expected.server) {
      test(`${preset}: @x402/express`, async t => assert.deepEqual(await server(t, preset), expected.server));
    }
  }
});
