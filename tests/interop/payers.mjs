// The official clients, as an application would set them up, plus one that signs for another EIP-712 domain.

import { x402Client } from "@x402/core/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPayment } from "@x402/fetch";
import { wrapFetchWithPayment as wrapFetchWithPaymentV1 } from "x402-fetch";
import { decodeHeader, PAYER } from "./harness.mjs";

/** A fetch that keeps every payment header that it sends. */
function recording(sent) {
  return async (input, init) => {
    const request = new Request(input, init);
    for (const name of ["payment-signature", "x-payment"]) {
      const value = request.headers.get(name);
      if (value !== null) sent.push(decodeHeader(value));
    }
    return fetch(request);
  };
}

/** Signs what the offer asks for, but in the name of another token. */
class ForgedScheme extends ExactEvmScheme {
  createPaymentPayload(version, requirements, context) {
    const forged = { ...requirements, extra: { ...requirements.extra, name: "Another Coin" } };
    return super.createPaymentPayload(version, forged, context);
  }
}

/**
 * `@x402/fetch` with `@x402/evm`.
 * @param {{forged?: boolean, unlimited?: boolean}} options `unlimited` lifts the client's own price cap
 * @returns {{fetch: typeof fetch, sent: object[]}} `sent` fills with the payloads of the payments
 */
export function payerV2({ forged = false, unlimited = false } = {}) {
  const scheme = forged ? new ForgedScheme(PAYER) : new ExactEvmScheme(PAYER);
  const client = x402Client.fromConfig({
    schemes: [{ network: "eip155:*", client: scheme }],
    ...(unlimited ? { spendControls: false } : {}),
  });
  const sent = [];
  return { fetch: wrapFetchWithPayment(recording(sent), client), sent };
}

/** `x402-fetch` 1.2, the client of protocol version 1. */
export function payerV1({ forged = false, unlimited = false } = {}) {
  const signer = forged
    ? {
        ...PAYER,
        signTypedData: typed => PAYER.signTypedData({ ...typed, domain: { ...typed.domain, name: "Another Coin" } }),
      }
    : PAYER;
  const sent = [];
  const limit = unlimited ? [10n ** 18n] : [];
  return { fetch: wrapFetchWithPaymentV1(recording(sent), signer, ...limit), sent };
}
