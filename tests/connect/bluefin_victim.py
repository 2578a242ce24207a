"""A bot at an exchange, in a process of its own, to be killed:
``python -m tests.connect.bluefin_victim URL JOURNAL SECRET PRICE ORDERS``.

It bids so many times, prints each id, and waits until it is known what became of every order of any run. Then it
cancels what is open and prints every event there ever was, one JSON object in a line.
"""

import asyncio
import json
import sys
from decimal import Decimal

import tallystick
from tallystick.core.lifecycle import SUBMITTED
from tallystick.testing.stories import text

ANSWER_SECONDS = 1.0
"""A request that was lost is known to be lost this soon, since nothing here is slow."""


async def main(url: str, journal: str, secret: str, price: Decimal, orders: int) -> None:
    async with tallystick.connect(
        "bluefin", url=f"{url}/bluefin", wallet=secret, signed_within_seconds=ANSWER_SECONDS, journal=journal
    ) as venue:
        for _ in range(orders):
            order_id = venue.buy("ETH-PERP", Decimal(1), tallystick.OrderType.LIMIT, price)
            print(json.dumps({"intended": order_id}), flush=True)
        async with asyncio.timeout(60):
            while any(order.status == SUBMITTED for order in venue._runtime.desk.orders()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await venue.cancel_all()
            while venue.open_order_ids():  # noqa: ASYNC110 - orders of earlier runs tell nothing if they are over
                await asyncio.sleep(0.01)
        marker = venue.buy("ETH-PERP", Decimal("0.001"), tallystick.OrderType.LIMIT, price)
        async for event in venue.events(since=""):
            told = {"order": event.order_id, "text": text(event), "venue_id": event.exchange_order_id}
            print(json.dumps(told), flush=True)
            if event.order_id == marker and isinstance(event, tallystick.TERMINAL):
                return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], Decimal(sys.argv[4]), int(sys.argv[5])))
