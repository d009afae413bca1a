// A paid API behind the official `x402-express` 1.2 middleware (protocol version 1); the facilitator is the mock.
// Usage: express-v1.mjs '{"facilitator": URL, "network": NAME, "payTo": ADDRESS}'

import express from "express";
import { paymentMiddleware } from "x402-express";

const { facilitator, network, payTo } = JSON.parse(process.argv[2]);

const app = express();
app.use(
  paymentMiddleware(
    payTo,
    {
      "GET /paid": { price: "$0.01", network },
      "GET /broken": { price: "$0.01", network },
      "GET /dear": { price: "$2000000", network },
    },
    { url: facilitator },
  ),
);
app.get("/paid", (_, response) => response.json({ content: "paid for" }));
app.get("/broken", (_, response) => response.status(500).json({ error: "the handler broke" }));
app.get("/dear", (_, response) => response.json({ content: "nobody can afford this" }));

const listener = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: listener.address().port })));
process.once("SIGTERM", () => process.exit(0));
