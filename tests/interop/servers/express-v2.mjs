// A paid API behind the official `@x402/express` middleware; the facilitator is the mock.
// Usage: express-v2.mjs '{"facilitator": URL, "network": CAIP-2 ID, "payTo": ADDRESS}'

import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import express from "express";

const { facilitator, network, payTo } = JSON.parse(process.argv[2]);
const route = price => ({ accepts: { scheme: "exact", price, network, payTo }, description: "A paid route" });
const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator })).register(
  network,
  new ExactEvmScheme(),
);

const app = express();
app.use(
  paymentMiddleware(
    { "GET /paid": route("$0.01"), "GET /broken": route("$0.01"), "GET /dear": route("$2000000") },
    server,
  ),
);
app.get("/paid", (_, response) => response.json({ content: "paid for" }));
app.get("/broken", (_, response) => response.status(500).json({ error: "the handler broke" }));
app.get("/dear", (_, response) => response.json({ content: "nobody can afford this" }));

const listener = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: listener.address().port })));
process.once("SIGTERM", () => process.exit(0));
