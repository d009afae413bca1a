"""Pays one request with the official httpx client, and prints what came back as one line of JSON.

Usage: httpx_pay.py '{"method": NAME, "url": URL, "key": HEX, "body"?: JSON, "forged"?: bool, "unlimited"?: bool}'
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

options = json.loads(sys.argv[1])


class ForgingSigner(EthAccountSigner):
    """Signs what the offer asks for, but in the name of another token."""

    def sign_typed_data(self, domain, types, primary_type, message):
        domain.name = "Another Coin"
        return super().sign_typed_data(domain, types, primary_type, message)


async def main() -> None:
    make = ForgingSigner if options.get("forged") else EthAccountSigner
    config = {"spend_controls": False} if options.get("unlimited") else {}
    client = x402Client.from_config(x402ClientConfig(schemes=[], **config))
    register_exact_evm_client(client, make(Account.from_key(options["key"])))
    async with wrapHttpxWithPayment(client, timeout=30) as http:
        response = await http.request(options["method"], options["url"], json=options.get("body"))
        await response.aread()

    def header(name: str):
        text = response.headers.get(name)
        return None if text is None else json.loads(base64.b64decode(text, validate=True))

    answer = {
        "status": response.status_code,
        "body": response.text,
        "receipt": header("PAYMENT-RESPONSE"),
        "offer": header("PAYMENT-REQUIRED"),
    }
    print(json.dumps(answer), flush=True)


asyncio.run(main())
