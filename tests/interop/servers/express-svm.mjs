// A paid API on Solana behind the official `@x402/express` middleware; the facilitator is the mock.
// Usage: express-svm.mjs '{"facilitator": URL, "network": CAIP-2 ID, "payTo": ADDRESS, "rpc"?: URL}'

import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactSvmScheme } from "@x402/svm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import express from "express";

const { facilitator, network, payTo, rpc } = JSON.parse(process.argv[2]);
const route = price => ({ accepts: { scheme: "exact", price, network, payTo }, description: "A paid route" });
const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator })).register(
  network,
  new ExactSvmScheme(rpc === undefined ? {} : { rpcUrl: rpc }),
);

const app = express();
app.use(paymentMiddleware({ "GET /paid": route("$0.01"), "GET /pyusd": route("0.01 PYUSD") }, server));
app.get("/paid", (_, response) => response.json({ content: "paid for" }));
app.get("/pyusd", (_, response) => response.json({ content: "paid for" }));

const listener = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: listener.address().port })));
process.once("SIGTERM", () => process.exit(0));
