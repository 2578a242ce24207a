"""One venue as a door sees it: what is durable there found by its public names, and commands put to it."""

from collections.abc import Mapping
from typing import Any, Final

from tallystick.core.ids import IdCodec
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import (
    CUSTOMER,
    NAME_TAKEN,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ASSET,
    UNKNOWN_MARKET,
    UNKNOWN_ORDER,
    UNKNOWN_TRADE,
)
from tallystick.facts.commands import Accepted, Answer, Exists, OpenAccount, Refused
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.server.doors.answers import DoorError, Fault, invalid, refusal
from tallystick.server.venue import HostedVenue
from tallystick.venue.state import Account, Asset, Market, State

NOTHING: Final[Mapping[str, str]] = {}


class Found:
    """An order with its trades, as they are now."""

    __slots__ = ("order", "trades")

    def __init__(self, order: Order, trades: list[Trade]) -> None:
        self.order: Final = order
        self.trades: Final = trades


class Desk:
    """``secret`` is what the venue's public ids are made from; orders and trades have those that its clients see."""

    def __init__(self, name: str, venue: HostedVenue, index: Index, secret: bytes) -> None:
        self.name: Final = name
        self.venue: Final = venue
        self.index: Final = index
        self.order_ids: Final = IdCodec(secret, name, "ord")
        self.trade_ids: Final = IdCodec(secret, name, "trd")
        self._account_ids: Final = IdCodec(secret, name, "acc")

    @property
    def readers(self) -> Readers:
        return self.venue.readers

    @property
    def state(self) -> State:
        return self.venue.state

    async def ask(self, command: Any, paths: Mapping[str, str] = NOTHING) -> Accepted | Exists:
        """The answer, once it is durable; DoorError if it is refused. ``paths`` is as in ``answers.refusal``."""
        given = await self.venue.ask(command, _as_it_is)
        if isinstance(given, Refused):
            raise refusal(given, paths)
        return given

    async def open_account(self, name: str | None, role: int, by: str, reason: str, owner: str, flags: int) -> Account:
        """The new account; without a ``name`` it is given one, made from its number."""
        number = len(self.state.accounts)
        while True:
            number += 1
            chosen = self._account_ids.text(number) if name is None else name
            command = OpenAccount(chosen, role, by, reason, owner, flags)
            given = await self.venue.ask(command, _as_it_is)
            if isinstance(given, Refused):
                # Somebody else opens accounts at the same time: so it is to have the next name.
                if name is None and given.code == NAME_TAKEN:
                    continue
                raise refusal(given, {"name": "body.name"})
            return self.state.accounts[given.number]

    def account(self, name: str) -> Account:
        """DoorError 404 if there is none."""
        account = self.state.account_named.get(name)
        if account is None:
            raise DoorError(404, UNKNOWN_ACCOUNT, "There is no such account.")
        return account

    def customer(self, name: str) -> Account:
        """An account that is a customer's; DoorError 404 or 409 otherwise."""
        account = self.account(name)
        if account.role != CUSTOMER:
            raise DoorError(409, "not_a_customer", "This is an account of the venue's own; name a customer's.")
        return account

    def house(self, role: int, role_name: str) -> Account:
        """The venue's own account with this role; DoorError 409 while it has none."""
        account = self.state.account_of_role.get(role)
        if account is None:
            raise DoorError(409, "not_operating", f"Open an account with the role {role_name} first.")
        return account

    def asset(self, name: str, path: str) -> Asset:
        """DoorError 400 about ``path`` if there is none."""
        asset = self.state.asset_named.get(name)
        if asset is None:
            raise invalid([Fault(path, UNKNOWN_ASSET, "There is no such asset.")])
        return asset

    def market(self, name: str) -> Market:
        """DoorError 404 if there is none."""
        market = self.state.market_named.get(name)
        if market is None:
            raise DoorError(404, UNKNOWN_MARKET, "There is no such market.")
        return market

    def order(self, order_id: str) -> Found:
        """However long ago it was; DoorError 404 if there is none."""
        number = self.order_ids.number(order_id)
        found = self.find(number) if number else None
        if found is None:
            raise DoorError(404, UNKNOWN_ORDER, "There is no such order.")
        return found

    def find(self, number: int) -> Found | None:
        """The order of this number."""
        found = self.readers.order(number)
        return None if found is None else Found(*found)

    def trade(self, trade_id: str) -> Trade:
        """However long ago it was; DoorError 404 if there is none."""
        number = self.trade_ids.number(trade_id)
        trade = self.readers.trade(number) if number else None
        if trade is None:
            raise DoorError(404, UNKNOWN_TRADE, "There is no such trade.")
        return trade


def _as_it_is(given: Answer, _state: State) -> Answer:
    return given
