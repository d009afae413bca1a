"""Verifies and settles payments with the official Python facilitator on one Solana cluster.

Usage: svm_facilitator.py '{"rpc": URL, "seed": HEX, "payments": FILE}', with a list of payloads and requirements in
the file. Prints one line of JSON: the transactions of what was settled, and what failed.
"""

import json
import sys
import time
from pathlib import Path

from solders.keypair import Keypair
from x402 import x402FacilitatorSync
from x402.mechanisms.svm.exact.register import register_exact_svm_facilitator
from x402.mechanisms.svm.signers import FacilitatorKeypairSigner
from x402.schemas import PaymentPayload, PaymentRequirements

options = json.loads(sys.argv[1])
payments = json.loads(Path(options["payments"]).read_text())

keypair = Keypair.from_seed(bytes.fromhex(options["seed"]))
facilitator = x402FacilitatorSync()
signer = FacilitatorKeypairSigner(keypair, rpc_url=options["rpc"])
register_exact_svm_facilitator(facilitator, signer, networks=payments[0]["requirements"]["network"])

settled, failed = [], []
started = time.monotonic()
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
print(json.dumps({"settled": settled, "failed": failed, "seconds": time.monotonic() - started}), flush=True)
