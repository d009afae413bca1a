// The committed vectors of Solana are what the official code answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { VECTORS, vectors } from "./generate.mjs";

test("the committed vectors are what the official code answers", async () => {
  const committed = readFileSync(VECTORS, "utf8").trimEnd().split("\n");
  const fresh = await vectors();
  assert.equal(fresh.length, committed.length, "node svm-differential/generate.mjs --write rewrites the vectors");
  fresh.forEach((line, index) => {
    if (line === committed[index]) return;
    assert.deepEqual(JSON.parse(committed[index]), JSON.parse(line));
    assert.equal(committed[index], line);
  });
});
