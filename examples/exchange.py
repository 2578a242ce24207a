"""A trader at the sandbox's exchange (``make run``): it quotes, somebody sells into the quote, and it cancels the rest.

    python examples/exchange.py [URL] [JOURNAL]

A wallet is a key of 32 bytes. In the sandbox each one that logs in for the first time is given 100,000 USDC.
"""

import asyncio
import sys
from decimal import Decimal

import tallystick
from tallystick import OrderType


async def main(url: str = "http://127.0.0.1:8420", journal: str = "exchange-journal") -> None:
    secret = "01" * 32  # of a wallet that is good for a sandbox alone
    async with tallystick.connect("bluefin", url=f"{url}/bluefin", wallet=secret, journal=journal) as venue:
        order_id = venue.buy("ETH-PERP", Decimal(1), OrderType.LIMIT, Decimal(2000), traits={"post_only": "true"})
        async for event in venue.events(order_id):
            print(type(event).__name__, event.status, f"{event.executed_amount_base:f}")
            if isinstance(event, tallystick.OrderCreatedEvent):
                await sell_into_it(url)
            elif isinstance(event, tallystick.OrderFilledEvent):
                await venue.cancel(order_id)


async def sell_into_it(url: str) -> None:
    async with tallystick.connect("bluefin", url=f"{url}/bluefin", wallet="02" * 32) as venue:
        order_id = venue.sell("ETH-PERP", Decimal("0.25"), OrderType.MARKET)
        async for _ in venue.events(order_id):
            pass  # until it is over


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
