// `x402-dev pay` at unmodified official resource servers, which charge through the mock's facilitator; and over https.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { HOME, MERCHANT, startMock, startServer } from "./harness.mjs";
import { admin } from "./presets.mjs";

/** Runs `pay` to its end, as a user with a home of their own. */
async function pay(t, args, { home, stdin = "", env = {} } = {}) {
  home ??= newHome(t);
  const child = spawn(process.env.X402_DEV_BIN, ["pay", ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, X402_DEV_HOME: home, ...env },
  });
  const [out, err] = [[], []];
  child.stdout.on("data", chunk => out.push(chunk));
  child.stderr.on("data", chunk => err.push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const code = await new Promise(resolve => child.once("close", resolve));
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString(), home };
}

function newHome(t) {
  const home = mkdtempSync(join(tmpdir(), "x402-pay-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Every authorization in a user's journal. */
function authorizations(home) {
  const folder = join(home, "purchases");
  const names = readdirSync(folder);
  const history = names.includes("history.jsonl") ? readFileSync(join(folder, "history.jsonl"), "utf8") : "";
  const ended = history.split("\n").filter(Boolean);
  const open = names.filter(name => name.startsWith("pay_")).map(name => readFileSync(join(folder, name, "entry.json"), "utf8"));
  return [...ended, ...open].flatMap(text => JSON.parse(text).authorizations);
}

const settlements = async mock => (await admin(mock, "PUT", "/snapshots/count")).transactions;

const SERVERS = [
  ["@x402/express", "express-v2.mjs", HOME.v2],
  ["x402-express", "express-v1.mjs", HOME.v1],
  ["the FastAPI middleware", "fastapi_v2.py", HOME.v2],
];

for (const [name, script, network] of SERVERS) {
  describe(`pay at ${name}`, () => {
    const start = async t => {
      const mock = await startMock(t);
      return { mock, api: await startServer(t, script, { facilitator: mock.url, network, payTo: MERCHANT }) };
    };

    test("the content comes, settled once", async t => {
      const { mock, api } = await start(t);
      const { code, stdout, stderr } = await pay(t, [`${api.url}/paid`]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { content: "paid for" });
      assert.match(stderr, /^paid 0\.01 USDC to 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720 on \S+, transaction 0x[0-9a-f]{64}\n$/);
      assert.equal(await settlements(mock), 1);
    });

    test("a broken handler settles nothing, and the outcome is not called certain", async t => {
      const { mock, api } = await start(t);
      const { code, stderr } = await pay(t, [`${api.url}/broken`, "--retry-delay", "0"]);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /presented 3 times, and no other was signed/);
      assert.equal(await settlements(mock), 0);
    });

    test("too dear is not signed for; too poor is refused", async t => {
      const { mock, api } = await start(t);
      const dear = await pay(t, [`${api.url}/dear`]);
      assert.equal(dear.code, 5, dear.stderr);
      assert.match(dear.stderr, /over the limit of \$1/);
      const poor = await pay(t, [`${api.url}/dear`, "--max-amount", "$3000000", "--retry-delay", "0"]);
      assert.equal(poor.code, 1, poor.stderr);
      assert.match(poor.stderr, /insufficient_balance|insufficient_funds/);
      assert.equal(await settlements(mock), 0);
    });
  });
}

describe("pay at @x402/express, whose facilitator has the presets", { concurrency: 2 }, () => {
  const measured = JSON.parse(readFileSync(new URL("presets.json", import.meta.url), "utf8"));
  // This one needs the clock moved; it is played at the mock's own resources by the tests in Rust.
  const left = ["slow_answer"];
  // What `pay` ends with: settled and the content lost, or the seller's words leave it open; refused; else delivered.
  const OPEN = [
    "accept_then_timeout", "5xx_after_settle", "reset_after_settle", "double_402", "pending_forever", "nonce_cancelled",
    "truncated",
  ];
  const REFUSED = ["insufficient_funds", "drained_between"];
  const ending = preset => (OPEN.includes(preset) ? 4 : REFUSED.includes(preset) ? 1 : 0);
  for (const preset of Object.keys(measured).filter(name => measured[name].server && !left.includes(name))) {
    test(preset, async t => {
      const mock = await startMock(t, "--timeout-delay", "50ms");
      // Before the server starts, so that it meets them when it asks for `/supported`, too.
      await admin(mock, "POST", "/faults", { preset, match: { door: "facilitator" } });
      const api = await startServer(t, "express-v2.mjs", { facilitator: mock.url, network: HOME.v2, payTo: MERCHANT });
      // Nobody but the chain knows of a second settlement. It is asked for nothing else here.
      const twice = preset === "double_settlement";
      const chain = twice ? ["--rpc", `${mock.url}/_x402/rpc/${HOME.v2}`] : [];
      const { code, stderr, home } = await pay(t, [`${api.url}/paid`, "--retry-delay", "0", ...chain]);
      const settled = await settlements(mock);
      if (twice) {
        assert.equal(settled, 2);
        assert.match(stderr, /one authorization was settled 2 times/);
      } else assert.ok(settled <= 1, `${settled} settlements; ${stderr}`);
      if (["facilitator_down", "redirect_308"].includes(preset)) {
        // The server does not even make an offer.
        assert.equal(code, 1, stderr);
        return;
      }
      assert.equal(code, ending(preset), stderr);
      assert.equal(authorizations(home).length, 1);
      if (settled === 0 && !["noop_success"].includes(preset)) assert.notEqual(code, 0, stderr);
      if (code === 1) assert.equal(settled, 0, stderr);
      const { purchases } = await admin(mock, "GET", "/purchases?limit=10");
      assert.equal(purchases.length, 1, JSON.stringify(purchases));
      assert.equal(purchases[0].authorizations, 1, JSON.stringify(purchases));
    });
  }
});

describe("pay where payments are to be named", () => {
  const start = async t => {
    const mock = await startMock(t);
    return startServer(t, "express-identifier.mjs", { facilitator: mock.url, network: HOME.v2, payTo: MERCHANT });
  };
  const purchase = home => {
    const [line] = readFileSync(join(home, "purchases", "history.jsonl"), "utf8").trim().split("\n");
    return JSON.parse(line).id;
  };

  for (const path of ["required", "optional"]) {
    test(`the official code takes the name of the purchase: ${path}`, async t => {
      const api = await start(t);
      const { code, stdout, stderr, home } = await pay(t, [`${api.url}/${path}`]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), [
        { id: purchase(home), validation: { valid: true }, required: { valid: true } },
      ]);
    });
  }

  test("it is the same name when the same payment is presented again", async t => {
    const api = await start(t);
    const { code, stdout, stderr, home } = await pay(t, [`${api.url}/lost`, "--retry-delay", "0"]);
    assert.equal(code, 0, stderr);
    const seen = JSON.parse(stdout);
    assert.deepEqual(seen.map(one => [one.id, one.validation.valid]), [[purchase(home), true], [purchase(home), true]]);
    assert.equal(authorizations(home).length, 1);
  });
});

describe("pay over https", () => {
  const pem = name => readFileSync(new URL(`tls/${name}`, import.meta.url));
  const authority = fileURLToPath(new URL("tls/authority.pem", import.meta.url));

  /** A TLS door in front of a mock. */
  async function tls(t, mock) {
    const server = createServer({ key: pem("server.key"), cert: pem("server.pem") }, (incoming, outgoing) => {
      const onward = request(`${mock.url}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, answer => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    return `https://localhost:${server.address().port}`;
  }

  test("a server whose authority is trusted is paid, with a key that is nobody's", async t => {
    const mock = await startMock(t);
    const url = await tls(t, mock);
    const key = `0x${"11".repeat(32)}`;
    const args = [`${url}/a`, "--cacert", authority, "-d", "@-"];
    const { code, stdout, stderr } = await pay(t, args, { stdin: "body", env: { X402_DEV_KEY: key } });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).payer, "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
  });

  test("a server that nobody vouches for hears nothing", async t => {
    const mock = await startMock(t);
    const url = await tls(t, mock);
    const { code, stderr } = await pay(t, [`${url}/a`]);
    assert.equal(code, 69, stderr);
    assert.match(stderr, /certificate|trusts no/i);
    const other = await pay(t, [`${url.replace("localhost", "127.0.0.2")}/a`, "--cacert", authority]);
    assert.equal(other.code, 69, other.stderr);
    assert.equal(await settlements(mock), 0);
  });
});
