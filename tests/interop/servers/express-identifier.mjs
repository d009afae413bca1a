// A paid API that wants payments to be named, by the official `@x402/express` and `@x402/extensions`; the facilitator is
// the mock. It answers with what the official code reads and says of the name. The first paid answer is lost.
// Usage: express-identifier.mjs '{"facilitator": URL, "network": CAIP-2 ID, "payTo": ADDRESS}'

import { decodePaymentSignatureHeader } from "@x402/core/http";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import {
  declarePaymentIdentifierExtension,
  extractAndValidatePaymentIdentifier,
  PAYMENT_IDENTIFIER,
  paymentIdentifierResourceServerExtension,
  validatePaymentIdentifierRequirement,
} from "@x402/extensions/payment-identifier";
import express from "express";

const { facilitator, network, payTo } = JSON.parse(process.argv[2]);
const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator })).register(
  network,
  new ExactEvmScheme(),
);
server.registerExtension(paymentIdentifierResourceServerExtension);
const route = required => ({
  accepts: { scheme: "exact", price: "$0.01", network, payTo },
  extensions: { [PAYMENT_IDENTIFIER]: declarePaymentIdentifierExtension(required) },
});

const seen = [];
const app = express();
app.use((request, response, next) => {
  const header = request.get("payment-signature");
  if (!header) return next();
  const payload = decodePaymentSignatureHeader(header);
  const { id, validation } = extractAndValidatePaymentIdentifier(payload);
  const required = validatePaymentIdentifierRequirement(payload, true);
  seen.push({ id, validation, required });
  // The first time nobody answers.
  if (request.path === "/lost" && seen.length === 1) return response.destroy();
  next();
});
app.use(paymentMiddleware({ "GET /required": route(true), "GET /optional": route(false), "GET /lost": route(true) }, server));
app.get(["/required", "/optional", "/lost"], (_, response) => response.json(seen));

const listener = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: listener.address().port })));
process.once("SIGTERM", () => process.exit(0));
