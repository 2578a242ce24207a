"""The world that a fresh sandbox starts with: currencies, instruments with moving prices, and a funded account."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from tallystick.core.amounts import parse
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import COUNTERPARTY, CUSTOMER, FEES, WORLD
from tallystick.facts.commands import ChangeAccount, DefineAsset, DefineMarket, OpenAccount, Transfer
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.prices import FixedPrice, PriceCsvError, PriceSource, RandomWalk, parse_price_csv
from tallystick.venue.state import State

SECOND_US: Final = 1_000_000
DEMO_ACCOUNT: Final = "acc_demo"
DEMO_CLIENT: Final = "demo"
UNIT_SCALE: Final = 6
PRICE_SCALE: Final = 4
BY: Final = "sandbox"


class DemoInstrument(Struct, frozen=True):
    id: str
    symbol: str
    title: str
    increment: str
    price: str
    granted: str
    traits: tuple[tuple[str, str], ...]


INSTRUMENTS: Final = (
    DemoInstrument(
        "ins_acme",
        "ACME",
        "Acme Corporation",
        "0.000001",
        "125.0000",
        "50",
        (("instrument_type", "stock"), ("ticker", "ACME"), ("issuer", "Acme Corporation"), ("issuer_country", "US")),
    ),
    DemoInstrument(
        "ins_tbill",
        "TBILL-6M",
        "US Treasury Bill, six months",
        "0.01",
        "98.2500",
        "1000",
        (("instrument_type", "treasury_bill"), ("issuer", "US Treasury"), ("issuer_country", "US")),
    ),
    DemoInstrument(
        "ins_world",
        "WRLD",
        "World Equity Fund",
        "0.0001",
        "41.7300",
        "200",
        (("instrument_type", "fund"), ("ticker", "WRLD"), ("issuer", "World Funds"), ("issuer_country", "LU")),
    ),
)


def sandbox_policy(pace: float) -> Policy:
    """Steps slow enough to watch: placed, executing after one second, filled after another, settled five later.

    ``pace`` stretches them all; at 0 each step follows the one before at once.
    """
    second = int(SECOND_US * pace)
    return Policy(
        settlement=FixedDelay(5 * second),
        submit_after_us=second,
        execute_after_us=second,
        trade_interval_us=second // 2,
        trade_cash_max=500_000,
    )


def walking_prices() -> dict[str, PriceSource]:
    """A random walk for each instrument, the same on every machine."""
    return {
        each.id: RandomWalk(
            seed=number, start=parse(each.price, PRICE_SCALE), step=500, interval_us=SECOND_US, floor=10_000
        )
        for number, each in enumerate(INSTRUMENTS, start=1)
    }


def fixed_prices() -> dict[str, PriceSource]:
    """Each instrument stays at the price it starts with."""
    return {each.id: FixedPrice(parse(each.price, PRICE_SCALE)) for each in INSTRUMENTS}


def replayed_prices(recordings: Mapping[str, str]) -> dict[str, PriceSource]:
    """Recorded prices, over and over: the text of a CSV file (``time,price``) for each instrument that has one.

    The others walk. Raises ValueError, which names the instrument, for one that does not exist or a text that is wrong.
    """
    prices = walking_prices()
    for name, text in recordings.items():
        if name not in prices:
            raise ValueError(f"{name}.csv: there is no such instrument; there are {', '.join(prices)}")
        try:
            prices[name] = parse_price_csv(text, PRICE_SCALE, loop=True)
        except PriceCsvError as error:
            raise ValueError(f"{name}.csv: {error}") from None
    return prices


def missing_commands(state: State) -> Iterator[Any]:
    """What must still be asked of the venue until it has the sandbox's world; safe to begin again at any point.

    The state is looked at again before each command, so every one must have been carried out before the next is taken.
    """
    if "USD" not in state.asset_named:
        yield DefineAsset("USD", 2, BY)
    for name, role in (("world", WORLD), ("street", COUNTERPARTY), ("fees", FEES)):
        if name not in state.account_named:
            yield OpenAccount(name, role, BY)
    if DEMO_ACCOUNT not in state.account_named:
        yield OpenAccount(DEMO_ACCOUNT, CUSTOMER, BY, owner=DEMO_CLIENT)
    if not state.account_named[DEMO_ACCOUNT].owner:  # a journal from before accounts had owners
        yield ChangeAccount(state.account_named[DEMO_ACCOUNT].number, owner=DEMO_CLIENT, by=BY)
    for each in INSTRUMENTS:
        if each.symbol not in state.asset_named:
            yield DefineAsset(each.symbol, UNIT_SCALE, BY)
        if each.id not in state.market_named:
            increment = parse(each.increment, UNIT_SCALE)
            unit, currency = each.symbol, "USD"
            yield DefineMarket(
                each.id, each.symbol, each.title, unit, currency, PRICE_SCALE, increment, BY, traits=each.traits
            )
    for asset, amount, scale in (
        ("USD", "100000.00", 2),
        *((each.symbol, each.granted, UNIT_SCALE) for each in INSTRUMENTS),
    ):
        book = state.account_named[DEMO_ACCOUNT].book
        if state.asset_named[asset].number not in book.balances:
            payer, payee = state.account_named["world"].number, state.account_named[DEMO_ACCOUNT].number
            yield Transfer(payer, payee, asset, parse(amount, scale), BY, "demonstration funds")
