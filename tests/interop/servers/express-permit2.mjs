// A paid API behind the official `@x402/express` middleware, paid by Permit2; the facilitator is the mock.
// Usage: express-permit2.mjs '{"facilitator": URL, "network": CAIP-2 ID, "payTo": ADDRESS}'

import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { UptoEvmScheme } from "@x402/evm/upto/server";
import { paymentMiddleware, setSettlementOverrides, x402ResourceServer } from "@x402/express";
import express from "express";

const { facilitator, network, payTo, asset } = JSON.parse(process.argv[2]);
const exact = {
  scheme: "exact",
  network,
  payTo,
  price: { asset, amount: "10000", extra: { name: "USDC", version: "2", assetTransferMethod: "permit2" } },
};
const upto = { scheme: "upto", network, payTo, price: "$0.10" };
const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
  .register(network, new ExactEvmScheme())
  .register(network, new UptoEvmScheme());

const app = express();
app.use(
  paymentMiddleware(
    {
      "GET /exact": { accepts: exact, description: "A paid route" },
      "GET /upto/:how": { accepts: upto, description: "A metered route" },
    },
    server,
  ),
);
app.get("/exact", (_, response) => response.json({ content: "paid for" }));
app.get("/upto/:how", (request, response) => {
  const amount = { atomic: "4000", percent: "50%", dollars: "$0.05", nothing: "0", more: "100001" }[request.params.how];
  if (amount !== undefined) setSettlementOverrides(response, { amount });
  response.json({ content: "metered" });
});

const listener = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: listener.address().port })));
process.once("SIGTERM", () => process.exit(0));
