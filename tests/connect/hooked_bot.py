"""A bot that is told by webhook, in a process of its own, to be killed: ``python -m tests.connect.hooked_bot``.

Its arguments: the server's URL, a folder for its journal, a port to listen at, how many orders to place. It prints each
id, and when nothing is open any more every event there ever was.
"""

import asyncio
import json
import sys
from decimal import Decimal

import tallystick
from tallystick.testing.stories import text


async def main(url: str, journal: str, port: int, orders: int) -> None:
    async with tallystick.connect(
        "sophic",
        url=f"{url}/sophic",
        client_id="demo",
        client_secret="sandbox",
        account="acc_demo",
        journal=journal,
        poll_seconds=60.0,
        webhook=("127.0.0.1", port, f"http://127.0.0.1:{port}/hooks"),
    ) as venue:
        for cents in range(1, orders + 1):
            print(json.dumps({"intended": venue.buy("ACME-USD", Decimal(100) + Decimal(cents) / 100)}), flush=True)
        async with asyncio.timeout(60):
            while venue.open_order_ids():  # noqa: ASYNC110 - orders of earlier runs tell nothing if they are over
                await asyncio.sleep(0.01)
        marker = venue.sell("WRLD-USD", Decimal(1))
        print(json.dumps({"intended": marker}), flush=True)
        async for event in venue.events(since=""):
            print(json.dumps({"order": event.order_id, "text": text(event), "venue_id": event.exchange_order_id}))
            if event.order_id == marker and isinstance(event, tallystick.TERMINAL):
                return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
