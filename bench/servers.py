"""What the real server is compared with: its stack around an empty handler, and itself over a journal in memory.

Run as ``python -m bench.servers empty`` or ``python -m bench.servers memory FOLDER PACE``.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from tallystick.journal.memory import MemoryJournal
from tallystick.server import host
from tallystick.server.addresses import LOOPBACK, bind, url
from tallystick.server.config_sources import load
from tallystick.server.listeners import Listener, Listeners
from tallystick.server.serve import SWITCH_SECONDS, serve, spare_the_collector

ANSWER = (
    b'{"id":"ord_0000000000000","account":"acc_demo","instrument":{"id":"ins_acme","name":"Acme Corporation","'
    b'symbol":"ACME","ticker":"ACME","isin":null,"instrument_type":"stock","trading_status":"buy_sell","tradin'
    b'g_currency":"USD","trading_increment":"0.000001","decimal_precision":6,"minimum_trading_quantity":null,"'
    b'minimum_initial_cash_investment":null,"required_cash_increment":null,"enforce_trading_rules":true,"pro_t'
    b'raders_only":false,"supports_automatic_rollover":false,"issuer":"Acme Corporation","issuer_country":"US"'
    b',"issuer_credit_rating":null,"initial_issue_date":null,"latest_issue_date":null,"initial_auction_date":n'
    b'ull,"latest_auction_date":null,"maturity_date":null,"days_to_maturity":null},"status":"placed","order_ty'
    b'pe":"market","purpose":"user_request","side":"buy","cash_amount":"0.10","net_cash_amount":"0.09","quanti'
    b'ty":null,"currency":"USD","automatic_rollover":false,"traded_quantity":"0.000000","traded_notional":"0.0'
    b'0","fees":"0.00","position":null,"trades":[],"created_at":"2026-03-12T14:30:05.000001Z","modified_at":"2'
    b'026-03-12T14:30:05.000001Z"}'
)


async def _place(request: Request) -> Response:
    await request.body()
    return Response(ANSWER, 201, media_type="application/json")


async def _other(_request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


def empty_app() -> Starlette:
    """As deep as the real one: a mount, and in it the first route."""
    account = "/accounts/{account_id}"
    routes = [
        Route(f"{account}/orders", _place, methods=["GET", "POST"]),
        Route(f"{account}/orders/{{order_id}}", _other, methods=["GET"]),
        Route(f"{account}/cash-balances", _other, methods=["GET"]),
        Route(f"{account}/positions", _other, methods=["GET"]),
    ]
    return Starlette(routes=[Route("/healthz", _other), Mount("/sophic", app=Router(routes))])


def serve_empty() -> None:
    """With the settings of ``tallystick.server.serve.serve``."""
    sys.setswitchinterval(SWITCH_SECONDS)
    spare_the_collector()
    with bind(LOOPBACK, 0, "none is needed") as listener:
        Listeners(
            [Listener(empty_app(), listener)],
            drain_seconds=10,
            connections_max=10_000,
            listening=lambda: print(url(listener), flush=True),
            draining=lambda: None,
        ).run(nullcontext())


def serve_memory(folder: Path, pace: float) -> None:
    """The real server; only the journal's storage is another."""
    with patch.object(host, "SqliteJournal", lambda _path: MemoryJournal()):
        options = {"--port": "0", "--data": str(folder), "--pace": str(pace), "--prices": "fixed"}
        serve(load(None, {}, options).config)


if __name__ == "__main__":
    if sys.argv[1] == "empty":
        serve_empty()
    else:
        serve_memory(Path(sys.argv[2]), float(sys.argv[3]))
