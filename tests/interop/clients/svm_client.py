"""Pays one request on Solana with the official httpx client, and prints what came back as one line of JSON.

Usage: svm_client.py '{"url": URL, "rpc": URL, "seed": HEX}'
"""

import asyncio
import base64
import json
import sys

from solders.keypair import Keypair
from x402 import x402Client, x402ClientConfig
from x402.http.clients.httpx import wrapHttpxWithPayment
from x402.mechanisms.svm.exact.register import register_exact_svm_client
from x402.mechanisms.svm.signers import KeypairSigner

options = json.loads(sys.argv[1])


async def main() -> None:
    keypair = Keypair.from_seed(bytes.fromhex(options["seed"]))
    client = x402Client.from_config(x402ClientConfig(schemes=[]))
    register_exact_svm_client(client, KeypairSigner(keypair), rpc_url=options["rpc"])
    async with wrapHttpxWithPayment(client, timeout=30) as http:
        response = await http.get(options["url"])
        await response.aread()
    text = response.headers.get("PAYMENT-RESPONSE")
    receipt = None if text is None else json.loads(base64.b64decode(text, validate=True))
    print(json.dumps({"status": response.status_code, "body": response.text, "receipt": receipt}), flush=True)


asyncio.run(main())
