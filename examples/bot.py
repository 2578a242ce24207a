"""A bot for the sandbox (``make run``): it buys ACME for 100 dollars and follows the order to its end.

    python examples/bot.py [URL] [JOURNAL]

Kill it whenever you like and start it again: what became of earlier orders is told first.
"""

import asyncio
import sys
from decimal import Decimal

import tallystick
from tallystick import OrderType


async def main(url: str = "http://127.0.0.1:8420", journal: str = "bot-journal") -> None:
    async with tallystick.connect(
        "sophic",
        url=f"{url}/sophic",
        client_id="demo",
        client_secret="sandbox",
        account="acc_demo",
        journal=journal,
    ) as venue:
        for earlier in venue.open_order_ids():
            print("still open:", earlier)
        order_id = venue.buy("ACME-USD", Decimal(100), OrderType.MARKET)
        async for event in venue.events(order_id):
            print(type(event).__name__, event.status, event.executed_amount_base)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
