"""A client's accounts, what is in them, and the instruments that they may hold."""

from typing import Final

import msgspec

from tallystick.dialects.sophic.errors import not_found
from tallystick.dialects.sophic.ports import Desk
from tallystick.dialects.sophic.queries import Query
from tallystick.dialects.sophic.slices import in_slices
from tallystick.dialects.sophic.tenancy import is_own, own_account, own_accounts
from tallystick.dialects.sophic.view import View
from tallystick.venue.state import Account, State
from tallystick.web.exchange import Reply, Request, json_array, json_reply

_encode: Final = msgspec.json.Encoder().encode


class Accounts:
    def __init__(self, desk: Desk, view: View) -> None:
        self._desk: Final = desk
        self._view: Final = view

    @property
    def _state(self) -> State:
        return self._desk.readers.state

    async def list(self, request: Request, query: Query) -> Reply:
        state = self._state

        def number(name: str) -> int:
            found = state.account_named.get(name)
            return found.number if found is not None and is_own(state, request, found.number) else 0

        page = query.page("account", number)
        numbers, rest = page.cut(own_accounts(state, request))
        items = await in_slices(numbers, lambda each: _encode(self._view.account(state.accounts[each])))
        return json_array(items, query.link(page, state.accounts[rest].name if rest else ""))

    async def retrieve(self, request: Request, query: Query) -> Reply:
        account = own_account(self._state, request)
        query.check()
        return json_reply(_encode(self._view.account(account)))

    async def cash_balances(self, request: Request, query: Query) -> Reply:
        account = own_account(self._state, request)
        query.check()
        return json_reply(_encode(self._view.cash_balances(self._state, account)))

    async def positions(self, request: Request, query: Query) -> Reply:
        account = own_account(self._state, request)
        page = query.page("position", lambda position_id: self._position(account, position_id))
        markets = self._state.markets
        held = account.book.balances
        numbers, rest = page.cut([number for number, market in markets.items() if market.unit.number in held])
        items = await in_slices(numbers, lambda each: _encode(self._view.position(account, markets[each])))
        return json_array(items, query.link(page, self._view.position_id(account.number, rest) if rest else ""))

    async def position(self, request: Request, query: Query) -> Reply:
        account = own_account(self._state, request)
        number = self._position(account, request.params["position_id"])
        if not number:
            raise not_found("position")
        query.check()
        return json_reply(_encode(self._view.position(account, self._state.markets[number])))

    async def instruments(self, request: Request, query: Query) -> Reply:
        markets = self._state.markets
        page = query.page("instrument", self._instrument)
        numbers, rest = page.cut(list(markets))
        now = self._desk.now()
        items = await in_slices(numbers, lambda each: bytes(self._view.listing.json(markets[each], now)))
        return json_array(items, query.link(page, markets[rest].name if rest else ""))

    async def instrument(self, request: Request, query: Query) -> Reply:
        number = self._instrument(request.params["instrument_id"])
        if not number:
            raise not_found("instrument")
        query.check()
        return json_reply(bytes(self._view.listing.json(self._state.markets[number], self._desk.now())))

    def _instrument(self, name: str) -> int:
        """The number of the instrument with this id, 0 if there is none."""
        market = self._state.market_named.get(name)
        return 0 if market is None else market.number

    def _position(self, account: Account, position_id: str) -> int:
        """The number of the market of the account's position with this id, 0 if it has none such."""
        number = self._view.position_market(account, position_id)
        market = self._state.markets.get(number)
        return number if market is not None and market.unit.number in account.book.balances else 0
