"""Orders: placing one, once however often it is asked for, and looking at them."""

from typing import Final

from tallystick.dialects.sophic.errors import RequestError, is_kept, not_found, refusal
from tallystick.dialects.sophic.idempotency import REPLAYED, client_key, fingerprint, read_key
from tallystick.dialects.sophic.ports import Desk
from tallystick.dialects.sophic.queries import Query
from tallystick.dialects.sophic.replay import first_sight
from tallystick.dialects.sophic.requests import read_amount, read_body, read_place_order
from tallystick.dialects.sophic.slices import in_slices
from tallystick.dialects.sophic.tenancy import own_account, own_order
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.wire import PlaceOrderBody
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER, SELL, UNITS
from tallystick.facts.commands import Accepted, Answer, PlaceOrder, Refused
from tallystick.readers.index import Index
from tallystick.venue.state import Account, State
from tallystick.web.exchange import Reply, Request, json_array, json_reply


class Orders:
    def __init__(self, desk: Desk, index: Index, view: View) -> None:
        self._desk: Final = desk
        self._index: Final = index
        self._view: Final = view
        self._refusals_told = desk.readers.state.refusals_made

    async def place(self, request: Request, query: Query) -> Reply:
        account = own_account(self._desk.readers.state, request)
        faults = query.faults
        key = read_key(request, faults)
        body = read_place_order(await read_body(request), faults)
        command = self._command(request, account, body, key)

        def render(answer: Answer, state: State) -> Reply | int:
            if isinstance(answer, Refused):
                raise self._refusal(answer, body.side, command, state)
            if not isinstance(answer, Accepted):
                return answer.number
            order = state.orders[answer.number]
            trades = [state.trades[made] for made in order.progress.trades]
            return json_reply(self._view.order(state, order, trades, order.placed), 201)

        answered = await self._desk.ask(command, render)
        return answered if isinstance(answered, Reply) else self._replay(answered)

    async def list(self, request: Request, query: Query) -> Reply:
        readers = self._desk.readers
        account = own_account(readers.state, request)
        page = query.page("order", lambda order_id: self._number(account, order_id))
        if page.backwards:
            numbers = readers.orders_after(account, page.after, page.limit + 1)
        else:
            numbers = readers.orders_before(account, page.before, page.limit + 1)
        is_last = len(numbers) <= page.limit
        del numbers[page.limit :]
        cursor = "" if is_last else self._view.order_ids.text(numbers[-1])
        if page.backwards:
            numbers.reverse()
        return json_array(await in_slices(numbers, self._render), query.link(page, cursor))

    async def retrieve(self, request: Request, query: Query) -> Reply:
        account = own_account(self._desk.readers.state, request)
        number = self._number(account, request.params["order_id"])
        if not number:
            raise not_found("order")
        query.check()
        return json_reply(self._render(number))

    def _command(self, request: Request, account: Account, body: PlaceOrderBody, key: str) -> PlaceOrder:
        """What is asked of the venue; of an instrument that does not exist too, for that refusal may go on record."""
        market = self._desk.readers.state.market_named.get(body.instrument)
        buy = body.side == "buy"
        size = 0
        if market is not None:
            if buy:
                size = read_amount(body.cash_amount or "", market.currency.scale, "body.cash_amount")
            else:
                size = read_amount(body.quantity or "", market.unit.scale, "body.quantity")
        return PlaceOrder(
            account.number,
            0 if market is None else market.number,
            BUY if buy else SELL,
            MARKET_ORDER,
            CASH if buy else UNITS,
            size,
            client_key(request, key) if key else "",
            fingerprint(request, body) if key else "",
        )

    def _refusal(self, refused: Refused, side: str, command: PlaceOrder, state: State) -> RequestError:
        error = refusal(refused, side)
        if command.client_key and is_kept(error) and self._was_told(command, state):
            error.headers[REPLAYED] = "true"
        return error

    def _was_told(self, command: PlaceOrder, state: State) -> bool:
        """Whether the refusal under this key was given before: refusals are numbered in the order they are told."""
        number = -state.accounts[command.account].keys.get(command.client_key, 0)
        if number <= self._refusals_told:  # 0 or less: it has left the state, so it is old
            return True
        self._refusals_told = number
        return False

    def _replay(self, number: int) -> Reply:
        """The first answer again."""
        readers = self._desk.readers
        found = readers.order(number)
        assert found is not None, f"order {number} is nowhere"
        order, trades = first_sight(self._index, found[0])
        return json_reply(self._view.order(readers.state, order, trades, order.placed), 201, {REPLAYED: "true"})

    def _number(self, account: Account, order_id: str) -> int:
        """The number of the account's order with this id, 0 if it has none such."""
        number = self._view.order_ids.number(order_id)
        return number if own_order(self._desk.readers, account, number) is not None else 0

    def _render(self, number: int) -> bytes:
        readers = self._desk.readers
        found = readers.order(number)
        assert found is not None, f"order {number} is nowhere"
        return self._view.order(readers.state, *found, self._desk.now())
