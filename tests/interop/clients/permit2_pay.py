"""Pays one request by Permit2 with the official httpx client, and prints what came back as one line of JSON.

Usage: permit2_pay.py '{"url": URL, "key": HEX}'
"""

import asyncio
import base64
import json
import sys

from eth_account import Account
from x402 import x402Client, x402ClientConfig
from x402.http.clients.httpx import wrapHttpxWithPayment
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.mechanisms.evm.upto import UptoEvmClientScheme

options = json.loads(sys.argv[1])


async def main() -> None:
    signer = EthAccountSigner(Account.from_key(options["key"]))
    client = x402Client.from_config(x402ClientConfig(schemes=[]))
    register_exact_evm_client(client, signer)
    client.register("eip155:*", UptoEvmClientScheme(signer))
    async with wrapHttpxWithPayment(client, timeout=30) as http:
        response = await http.request("GET", options["url"])
        await response.aread()
    receipt = response.headers.get("PAYMENT-RESPONSE")
    receipt = None if receipt is None else json.loads(base64.b64decode(receipt, validate=True))
    print(json.dumps({"status": response.status_code, "body": response.text, "receipt": receipt}), flush=True)


asyncio.run(main())
