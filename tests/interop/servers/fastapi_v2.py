"""A paid API behind the official FastAPI middleware; the facilitator is the mock.

Usage: fastapi_v2.py '{"facilitator": URL, "network": CAIP-2 ID, "payTo": ADDRESS}'
"""

import json
import socket
import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from x402 import x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient, PaymentOption
from x402.http.middleware.fastapi import PaymentMiddlewareASGI
from x402.http.types import RouteConfig
from x402.mechanisms.evm.exact import ExactEvmServerScheme

options = json.loads(sys.argv[1])


def route(price: str) -> RouteConfig:
    option = PaymentOption(scheme="exact", pay_to=options["payTo"], price=price, network=options["network"])
    return RouteConfig(accepts=[option], description="A paid route", mime_type="application/json")


server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=options["facilitator"])))
server.register(options["network"], ExactEvmServerScheme())

app = FastAPI()
app.add_middleware(
    PaymentMiddlewareASGI,
    routes={"GET /paid": route("$0.01"), "GET /broken": route("$0.01"), "GET /dear": route("$2000000")},
    server=server,
)


@app.get("/paid")
async def paid() -> dict[str, str]:
    return {"content": "paid for"}


@app.get("/broken")
async def broken() -> JSONResponse:
    return JSONResponse({"error": "the handler broke"}, status_code=500)


@app.get("/dear")
async def dear() -> dict[str, str]:
    return {"content": "nobody can afford this"}


listener = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
