"""Verifies and settles payments with the official Python facilitator on one chain, then reads them with web3.py.

Usage: rpc_facilitator.py '{"rpc": URL, "key": HEX, "payments": FILE}', with a list of payloads and requirements in
the file.

Prints one line of JSON: how many were settled, what failed, and what web3.py read.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

# Permit2 and `upto` import every extension, and one of them wants this package, which they never call.
sys.modules.setdefault("jsonschema", ModuleType("jsonschema"))

from web3 import Web3
from web3.logs import DISCARD
from x402 import x402FacilitatorSync
from x402.mechanisms.evm import FacilitatorWeb3Signer
from x402.mechanisms.evm.exact import register_exact_evm_facilitator
from x402.mechanisms.evm.upto import UptoEvmFacilitatorScheme
from x402.schemas import PaymentPayload, PaymentRequirements

ABI = [
    {"type": "function", "name": "balanceOf", "stateMutability": "view",
     "inputs": [{"name": "account", "type": "address"}], "outputs": [{"name": "", "type": "uint256"}]},
    {"type": "event", "name": "Transfer", "anonymous": False, "inputs": [
        {"name": "from", "type": "address", "indexed": True},
        {"name": "to", "type": "address", "indexed": True},
        {"name": "value", "type": "uint256", "indexed": False}]},
]

options = json.loads(sys.argv[1])
payments = json.loads(Path(options["payments"]).read_text())
requirements = payments[0]["requirements"]

signer = FacilitatorWeb3Signer(private_key=options["key"], rpc_url=options["rpc"])
facilitator = x402FacilitatorSync()
register_exact_evm_facilitator(facilitator, signer, networks=requirements["network"])
facilitator.register([requirements["network"]], UptoEvmFacilitatorScheme(signer))

settled, failed = [], []
for one in payments:
    payload = PaymentPayload.model_validate(one["payload"])
    wanted = PaymentRequirements.model_validate(one["requirements"])
    verified = facilitator.verify(payload, wanted)
    if not verified.is_valid:
        failed.append(f"verify: {verified.invalid_reason}: {verified.invalid_message}")
        continue
    answer = facilitator.settle(payload, wanted)
    if answer.success:
        settled.append(answer.transaction)
    else:
        failed.append(f"settle: {answer.error_reason}: {answer.error_message}")

web3 = Web3(Web3.HTTPProvider(options["rpc"]))
token = web3.eth.contract(address=Web3.to_checksum_address(requirements["asset"]), abi=ABI)
receipt = web3.eth.get_transaction_receipt(settled[-1]) if settled else None
read = {
    "chain": web3.eth.chain_id,
    "block": web3.eth.block_number,
    "balance": token.functions.balanceOf(requirements["payTo"]).call(),
    "status": receipt and receipt["status"],
    "logs": len(token.events.Transfer().get_logs(from_block=0)),
    "transfers": receipt and len(token.events.Transfer().process_receipt(receipt, errors=DISCARD)),
}
print(json.dumps({"settled": len(settled), "failed": failed, "read": read}), flush=True)
