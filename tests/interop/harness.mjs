// Starts the mock and other servers as real processes, and ends them. Nothing here sleeps:
// it waits for a line or an exit, with a deadline.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { mnemonicToAccount } from "viem/accounts";

const READY_DEADLINE = 60_000;
const STOP_DEADLINE = 15_000;

/** The public test mnemonic of the mock: 0-7 payers, 8 facilitator, 9 merchant. Never send real funds. */
export const account = index =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: index });
export const PAYER = account(0);
export const MERCHANT = account(9).address;

/** What a default mock asks for. */
export const HOME = {
  v1: "base-sepolia",
  v2: "eip155:84532",
  asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
  amount: "10000",
};

/** The environment without the mock's own variables, and without proxies: everything here is on 127.0.0.1. */
function cleanEnvironment() {
  const unwanted = /^X402_DEV_|_proxy$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
}

/** Rejects after `milliseconds` unless `promise` was settled before. */
export async function within(milliseconds, what, promise) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a process and waits for its first line on stdout that is a JSON object: the ready line. */
async function launch(command, args, what) {
  const directory = mkdtempSync(join(tmpdir(), "x402-interop-"));
  const child = spawn(command, args, {
    cwd: directory,
    env: { ...cleanEnvironment(), HOME: directory, PYTHONDONTWRITEBYTECODE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", text => {
    errors = (errors + text).slice(-20_000);
  });
  const exit = new Promise(resolve => child.once("exit", (code, signal) => resolve({ code, signal })));
  const failed = new Promise((_, reject) => child.once("error", reject));
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise((resolve, reject) => {
    lines.on("line", line => {
      if (line.startsWith("{")) resolve(JSON.parse(line));
    });
    exit.then(({ code, signal }) => reject(new Error(`${what} ended before it was ready: ${code ?? signal}\n${errors}`)));
  });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const line = await within(READY_DEADLINE, `${what} starting`, Promise.race([ready, failed]));
    return {
      line,
      errors: () => errors,
      /** Ends the process with SIGTERM; gives its exit code, or the signal that ended it. */
      async stop() {
        child.kill("SIGTERM");
        try {
          return await within(STOP_DEADLINE, `${what} stopping`, exit);
        } catch (error) {
          child.kill("SIGKILL");
          throw error;
        } finally {
          remove();
        }
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    remove();
    throw error;
  }
}

/**
 * Starts a mock of its own for a test, stopped when the test ends; a stop that is not graceful fails the test.
 * @param {import("node:test").TestContext} t
 * @param {string[]} extra further arguments of `mock`
 * @returns {Promise<{url: string, pid: number, stop: () => Promise<void>}>}
 */
export async function startMock(t, ...extra) {
  const binary = process.env.X402_DEV_BIN;
  assert.ok(binary, "X402_DEV_BIN names the mock's binary");
  const started = await launch(binary, ["mock", "--no-instance", "--port", "0", "--json", ...extra], "the mock");
  const { url, pid } = started.line;
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    const { code, signal } = await started.stop();
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, `the mock ended badly:\n${started.errors()}`);
  };
  t.after(stop);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.ok(Number.isInteger(pid));
  return { url, pid, stop };
}

/**
 * Starts a server script of `servers/`; it prints `{"port": N}` once it listens.
 * @returns {Promise<{url: string, errors: () => string}>}
 */
export async function startServer(t, script, options) {
  const path = fileURLToPath(new URL(`servers/${script}`, import.meta.url));
  const command = script.endsWith(".py") ? python() : process.execPath;
  const started = await launch(command, [path, JSON.stringify(options)], script);
  t.after(() => started.stop());
  return { url: `http://127.0.0.1:${started.line.port}`, errors: started.errors };
}

/** Runs a Python script of `clients/` to its end; its last line on stdout is a JSON object. */
export async function runPython(script, options) {
  const path = fileURLToPath(new URL(`clients/${script}`, import.meta.url));
  const started = await launch(python(), [path, JSON.stringify(options)], script);
  await started.stop();
  return started.line;
}

function python() {
  return fileURLToPath(new URL(".venv/bin/python", import.meta.url));
}

/** Decodes a header of padded standard base64 that holds JSON, and nothing more lenient than that. */
export function decodeHeader(text) {
  assert.ok(text, "the header is there");
  assert.match(text, /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
  return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
}

/** Asserts a receipt of a settled payment. */
export function assertSettled(receipt, { network, payer = PAYER.address }) {
  assert.equal(receipt.success, true);
  assert.match(receipt.transaction, /^0x[0-9a-f]{64}$/);
  assert.equal(receipt.network, network);
  assert.equal(receipt.payer.toLowerCase(), payer.toLowerCase());
}
