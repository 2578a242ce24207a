"""The world that a fresh sandbox starts with: a currency, perpetual markets, and an account for whoever logs in."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tallystick.facts.codes import COUNTERPARTY, CUSTOMER, FEES, POSITION, WORLD
from tallystick.facts.commands import Answer, DefineAsset, DefineMarket, OpenAccount, Transfer
from tallystick.facts.venue import Contract
from tallystick.venue.positions import PARTS
from tallystick.venue.state import State
from tallystick.web.desk import Desk

BY: Final = "sandbox"
CURRENCY: Final = "USDC"
GRANTED: Final = 100_000 * PARTS
GRANT: Final = "demonstration funds"
SCALE: Final = 9


class DemoMarket(NamedTuple):
    """A perpetual contract; amounts at nine decimals."""

    symbol: str
    title: str
    tick: int
    step: int
    price_max: int
    quantity_max: int


MARKETS: Final = (
    DemoMarket("ETH-PERP", "Ether", PARTS // 10, PARTS // 100, 1_000_000 * PARTS, 10_000 * PARTS),
    DemoMarket("BTC-PERP", "Bitcoin", PARTS, PARTS // 1000, 10_000_000 * PARTS, 1_000 * PARTS),
    DemoMarket("SUI-PERP", "Sui", PARTS // 10_000, PARTS, 10_000 * PARTS, 10_000_000 * PARTS),
)


def missing_commands(state: State) -> Iterator[Any]:
    """What must still be asked of the venue until it has the sandbox's world; safe to begin again at any point.

    The state is looked at again before each command, so every one must have been carried out before the next is taken.
    """
    if CURRENCY not in state.asset_named:
        yield DefineAsset(CURRENCY, SCALE, BY)
    for name, role in (("world", WORLD), ("clearing", COUNTERPARTY), ("fees", FEES)):
        if name not in state.account_named:
            yield OpenAccount(name, role, BY)
    for each in MARKETS:
        for name in (each.symbol, basis_of(each.symbol)):
            if name not in state.asset_named:
                yield DefineAsset(name, SCALE, BY, kind=POSITION)
        if each.symbol not in state.market_named:
            contract = contract_of(each, state.asset_named[basis_of(each.symbol)].number)
            yield DefineMarket(
                *(each.symbol, each.symbol, each.title, each.symbol, CURRENCY, SCALE, each.step, BY),
                quantity_min=each.step,
                contract=contract,
            )


def basis_of(symbol: str) -> str:
    """The name of the asset that keeps what positions in the market cost."""
    return f"{symbol}.basis"


def contract_of(market: DemoMarket, basis: int) -> Contract:
    """Twenty times leverage at most; makers pay 1 basis point and takers 3.5."""
    return Contract(
        basis=basis,
        tick=market.tick,
        price_min=market.tick,
        price_max=market.price_max,
        quantity_max=market.quantity_max,
        market_quantity_max=market.quantity_max // 10,
        maker_fee=PARTS // 10_000,
        taker_fee=35 * PARTS // 100_000,
        initial_margin=PARTS // 20,
        maintenance_margin=3 * PARTS // 100,
        leverage=3 * PARTS,
    )


class SandboxWallets:
    """A wallet that logs in for the first time is given an account, and something to trade with."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk

    def may_act_for(self, wallet: str, account: str) -> bool:
        """Nobody acts for another's account here."""
        return False

    async def welcome(self, account: str) -> None:
        """Open and fund it. Whoever logs in twice at once is funded once: the grant has a reference."""
        state = self._desk.readers.state
        if account not in state.account_named:
            await self._desk.ask(OpenAccount(account, CUSTOMER, BY, owner=account), _given)
        opened = state.account_named.get(account)
        if opened is None:
            return  # the venue takes nothing at the moment; the next login sees to it
        number = opened.number
        if state.asset_named[CURRENCY].number not in opened.book.balances:
            world = state.account_named["world"].number
            await self._desk.ask(Transfer(world, number, CURRENCY, GRANTED, BY, GRANT, reference=GRANT), _given)


class ProductionWallets:
    """Accounts are opened by operators."""

    def may_act_for(self, wallet: str, account: str) -> bool:
        return False

    async def welcome(self, account: str) -> None:
        """Nothing is given."""


def _given(answer: Answer, _state: State) -> Answer:
    return answer
