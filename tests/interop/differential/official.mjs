// The official TypeScript facilitator, unmodified, in front of the responder's chains.

import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmSchemeV1 } from "@x402/evm/exact/v1/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import { createWalletClient, custom, http, publicActions, RpcRequestError } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { Chain, serve } from "./responder.mjs";

/** The public test mnemonic; account 8 is the facilitator, account 9 the merchant. Never send real funds. */
export const MNEMONIC = "test test test test test test test test test test test junk";
export const FACILITATOR = mnemonicToAccount(MNEMONIC, { addressIndex: 8 });
export const MERCHANT = mnemonicToAccount(MNEMONIC, { addressIndex: 9 }).address;

/** The networks of the comparison: where payments are made, and a second one that is enabled as well. */
export const NETWORKS = {
  home: {
    chainId: 84532,
    v2: "eip155:84532",
    v1: "base-sepolia",
    token: { address: "0x036CbD53842c5426634e7929541eC2318f3dCF7e", name: "USDC", version: "2" },
  },
  other: {
    chainId: 1328,
    v2: "eip155:1328",
    v1: "sei-testnet",
    token: { address: "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", name: "USDC", version: "2" },
  },
};

/** Passes JSON-RPC to a chain in this process, through the same JSON text as a socket would carry. */
function inProcess(chain) {
  return custom(
    {
      async request(body) {
        const answer = await chain.respond(JSON.parse(JSON.stringify({ id: 1, ...body })));
        const { result, error } = JSON.parse(JSON.stringify(answer));
        if (error) throw new RpcRequestError({ body, error, url: "in-process" });
        return result;
      },
    },
    { retryCount: 0 },
  );
}

function signer(chain, transport) {
  const client = createWalletClient({
    account: FACILITATOR,
    chain: {
      id: chain.chainId,
      name: `chain ${chain.chainId}`,
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: ["http://127.0.0.1"] } },
    },
    transport,
    pollingInterval: 10,
  }).extend(publicActions);
  return toFacilitatorEvmSigner({
    address: FACILITATOR.address,
    getCode: args => client.getCode(args),
    readContract: args => client.readContract({ ...args, args: args.args ?? [] }),
    verifyTypedData: args => client.verifyTypedData(args),
    writeContract: args => client.writeContract({ ...args, args: args.args ?? [] }),
    sendTransaction: args => client.sendTransaction(args),
    waitForTransactionReceipt: args => client.waitForTransactionReceipt(args),
  });
}

/** The first paragraph of an error's text: what follows it are the arguments of the call. */
function gist(text) {
  return text.split("\n\n")[0].replaceAll("\n", " ").trim();
}

/**
 * Starts the official facilitator.
 * @param {{now?: number, wire?: "http" | "in-process", rpc?: (chainId: number) => string}} options
 *   `rpc`: the URL of a chain that somebody else simulates, instead of the responder's;
 *   `now`: seconds since the epoch at which the clock stands still for the official code and for the chains;
 *   without it both follow the real clock.
 */
export async function startOfficial({ now, wire = "http", rpc } = {}) {
  const clock = now === undefined ? () => Math.floor(Date.now() / 1000) : () => now;
  const chains = Object.values(NETWORKS).map(
    ({ chainId, token }) => new Chain({ chainId, token, empty: [FACILITATOR.address, MERCHANT], now: clock }),
  );
  const node = wire === "http" && !rpc ? await serve(chains) : undefined;
  const facilitator = new x402Facilitator();
  for (const chain of chains) {
    const { v1, v2 } = Object.values(NETWORKS).find(({ chainId }) => chainId === chain.chainId);
    const url = rpc?.(chain.chainId) ?? node?.url(chain.chainId);
    const transport = url ? http(url, { retryCount: 0 }) : inProcess(chain);
    const account = signer(chain, transport);
    // One registration a network: a joint one would let the facilitator verify any eip155 network.
    facilitator.register(v2, new ExactEvmScheme(account));
    facilitator.register(v2, new UptoEvmScheme(account));
    facilitator.registerV1(v1, new ExactEvmSchemeV1(account));
  }

  /** Runs `act` with `Date.now` standing still where a fixed clock was asked for. */
  async function atClock(act) {
    if (now === undefined) return act();
    const real = Date.now;
    Date.now = () => now * 1000;
    try {
      return await act();
    } finally {
      Date.now = real;
    }
  }

  async function ask(door, { paymentPayload, paymentRequirements }) {
    try {
      // The official code keeps what it is given: a copy protects the case.
      const [payload, requirements] = structuredClone([paymentPayload, paymentRequirements]);
      return await atClock(() => facilitator[door](payload, requirements));
    } catch (error) {
      return { threw: gist(error.message) };
    }
  }

  return {
    clock,
    /** Sets what Permit2 may move of an account on every chain. */
    approve: (owner, amount) => chains.forEach(chain => chain.approve(owner, amount)),
    supported: () => facilitator.getSupported(),
    /** The answers as the facilitator gave them, for serving them over HTTP. */
    raw: ask,
    async verify(body) {
      const answer = await ask("verify", body);
      if ("threw" in answer) return answer;
      const { isValid, invalidReason, payer } = answer;
      return { isValid, reason: invalidReason ?? null, payer: payer ?? null };
    },
    async settle(body) {
      const answer = await ask("settle", body);
      if ("threw" in answer) return answer;
      const { success, errorReason, payer, amount } = answer;
      const reason = errorReason === undefined ? null : gist(errorReason);
      return { success, reason, payer: payer ?? null, ...(amount === undefined ? {} : { amount }) };
    },
    stop: async () => node?.stop(),
  };
}
