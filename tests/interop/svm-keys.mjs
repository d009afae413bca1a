// The mock's public test keys on Solana: SLIP-0010 at m/44'/501'/index'/0' of the test mnemonic. Never send real funds.

import { createHmac, pbkdf2Sync } from "node:crypto";

const MNEMONIC = "test test test test test test test test test test test junk";

/** The private key of a test account, 32 bytes. */
export function seed(index) {
  const step = (key, data) => createHmac("sha512", key).update(data).digest();
  let node = step("ed25519 seed", pbkdf2Sync(MNEMONIC, "mnemonic", 2048, 64, "sha512"));
  for (const part of [44, 501, index, 0]) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(part + 0x80000000);
    node = step(node.subarray(32), Buffer.concat([Buffer.of(0), node.subarray(0, 32), number]));
  }
  return new Uint8Array(node.subarray(0, 32));
}
