"""What there is to say against a command, by the auditor's books: why it must be refused, or that it exists."""

from typing import Any, Final

from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    ACTIVE,
    BELOW_MINIMUM,
    BUY_FORBIDDEN,
    BUY_ONLY,
    BUYS_FORBIDDEN,
    COMPLIANCE,
    CURRENCY_NOT_HELD,
    EXISTS_WITH_DIFFERENT_TERMS,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    INVALID_ORDER_TYPE,
    INVALID_SCOPE,
    INVALID_STATUS,
    MARKET_NOT_TRADING,
    NOT_TRADING,
    ORDER_NOT_EXECUTING,
    ORDER_NOT_WAITING,
    PRICE_UNKNOWN,
    PROFESSIONAL,
    PROFESSIONAL_REQUIRED,
    SAME_ACCOUNT,
    SELL_FORBIDDEN,
    SELL_ONLY,
    SELLS_FORBIDDEN,
    SUSPENDED,
    TRADE_NOT_EXECUTED,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ASSET,
    UNKNOWN_MARKET,
    UNKNOWN_ORDER,
    UNKNOWN_TRADE,
)
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    Hold,
    PlaceOrder,
    Quote,
    SettleTrade,
    Transfer,
)
from tallystick.simulate.arithmetic import nearest, tradeable
from tallystick.simulate.books import BUY, CASH, UNITS, Books

NOTHING: Final = ""
EXISTS: Final = "it exists"

# specs/sophic.md §5: refusals that stand under their client key.
ON_RECORD: Final = (
    *(UNKNOWN_MARKET, MARKET_NOT_TRADING, ACCOUNT_SUSPENDED, BUY_FORBIDDEN, SELL_FORBIDDEN, PROFESSIONAL_REQUIRED),
    *(CURRENCY_NOT_HELD, INSUFFICIENT_FUNDS, INSUFFICIENT_UNITS),
)


def reasons(books: Books, command: Any) -> tuple[str, ...]:
    """Each of these is a right answer to the command: NOTHING is against it, it EXISTS, or the code of a refusal.

    It is one, but where the venue may have forgotten by now what is over. Empty if nobody here can tell.
    """
    kind = type(command)
    return _REASONS[kind](books, command) if kind in _REASONS else ()


def _order(books: Books, command: PlaceOrder) -> tuple[str, ...]:
    if not books.is_customer(command.account):
        return (UNKNOWN_ACCOUNT,)
    used = books.used(command.account, command.client_key)
    if used is not None:
        if used["fingerprint"] != command.fingerprint:
            return (EXISTS_WITH_DIFFERENT_TERMS,)
        return (EXISTS,) if used["order"] else (used["refused"][0],)
    if command.order_type != 1:
        return (INVALID_ORDER_TYPE,)
    if command.market not in books.markets:
        return (UNKNOWN_MARKET,)
    return (_form(books, command) or _forbidden(books, command) or _lacking(books, command),)


def _form(books: Books, command: PlaceOrder) -> str:
    market, size = books.markets[command.market], command.size
    unit = (command.account, market["unit"])
    if command.side == BUY:
        if command.kind != CASH or size <= 0 or tradeable(size, books.terms.fee_bps) <= 0:
            return INVALID_AMOUNT
        if market["cash_increment"] and size % market["cash_increment"]:
            return INVALID_AMOUNT
        return BELOW_MINIMUM if size < market["cash_min"] and books.total(unit) == 0 else NOTHING
    if command.kind != UNITS or size <= 0 or size % market["increment"]:
        return INVALID_AMOUNT
    everything = size == max(0, books.free(unit))
    return BELOW_MINIMUM if size < market["quantity_min"] and not everything else NOTHING


def _forbidden(books: Books, command: PlaceOrder) -> str:
    market, account = books.markets[command.market], books.accounts[command.account]
    if market["status"] == NOT_TRADING:
        return MARKET_NOT_TRADING
    if account["status"] == SUSPENDED:
        return ACCOUNT_SUSPENDED
    if command.side == BUY:
        if market["status"] == SELL_ONLY or account["flags"] & BUYS_FORBIDDEN:
            return BUY_FORBIDDEN
    elif market["status"] == BUY_ONLY or account["flags"] & SELLS_FORBIDDEN:
        return SELL_FORBIDDEN
    return PROFESSIONAL_REQUIRED if market["pros_only"] and not account["flags"] & PROFESSIONAL else NOTHING


def _lacking(books: Books, command: PlaceOrder) -> str:
    market = books.markets[command.market]
    if command.side == BUY:
        cash = (command.account, market["currency"])
        if cash not in books.known:
            return CURRENCY_NOT_HELD
        return NOTHING if command.size <= books.available(cash) else INSUFFICIENT_FUNDS
    return NOTHING if command.size <= books.free((command.account, market["unit"])) else INSUFFICIENT_UNITS


def _transfer(books: Books, command: Transfer) -> tuple[str, ...]:
    asset = next((number for number, known in books.assets.items() if known["name"] == command.asset), None)
    if asset is None:
        return (UNKNOWN_ASSET,)
    if command.payer not in books.accounts or command.payee not in books.accounts:
        return (UNKNOWN_ACCOUNT,)
    if command.payer == command.payee:
        return (SAME_ACCOUNT,)
    if command.amount <= 0:
        return (INVALID_AMOUNT,)
    for account in filter(books.is_customer, (command.payer, command.payee)):
        before = books.references.get((account, command.reference))
        if before is not None:
            same = before == (command.payer, command.payee, asset, command.amount)
            return (EXISTS if same else EXISTS_WITH_DIFFERENT_TERMS,)
    if books.is_customer(command.payer) and books.free((command.payer, asset)) < command.amount:
        return (INSUFFICIENT_FUNDS,)
    return (NOTHING,)


def _market(books: Books, command: ChangeMarket) -> tuple[str, ...]:
    if command.market not in books.markets:
        return (UNKNOWN_MARKET,)
    if not 1 <= command.status <= NOT_TRADING:
        return (INVALID_STATUS,)
    return (EXISTS if books.markets[command.market]["status"] == command.status else NOTHING,)


def _account(books: Books, command: ChangeAccount) -> tuple[str, ...]:
    if not books.is_customer(command.account):
        return (UNKNOWN_ACCOUNT,)
    account = books.accounts[command.account]
    if command.status not in (None, ACTIVE, SUSPENDED) or not 0 <= (command.flags or 0) < 16:
        return (INVALID_STATUS,)
    asked = {name: getattr(command, name) for name in ("status", "flags", "owner")}
    same = all(value is None or value == account[name] for name, value in asked.items())
    return (EXISTS if same else NOTHING,)


def _clear(books: Books, command: ClearPrerequisite) -> tuple[str, ...]:
    order = books.orders.get(command.order)
    if order is None:
        return (UNKNOWN_ORDER,)
    waits = order["status"] == "pending" and (not command.passed or order["waits_for"] == COMPLIANCE)
    return _of_order(order, NOTHING if waits else ORDER_NOT_WAITING)


def _part(books: Books, command: ExecutePart) -> tuple[str, ...]:
    order = books.orders.get(command.order)
    if order is None:
        return (UNKNOWN_ORDER,)
    if order["status"] != "executing":
        return _of_order(order, ORDER_NOT_EXECUTING)
    halted, suspended = books.stopped_by(order)
    if halted or suspended:
        return (MARKET_NOT_TRADING if halted else ACCOUNT_SUSPENDED,)
    price = command.price or books.price(order["market"])
    if price is None:
        return ()
    if price <= 0:
        return (PRICE_UNKNOWN,)
    most = books.possible(order, price)
    quantity = command.quantity or most
    whole = 0 < quantity <= most and quantity % books.markets[order["market"]]["increment"] == 0
    good = whole and nearest(books.value(order["market"], quantity, price)) > 0
    return (NOTHING if good else INVALID_AMOUNT,)


def _fail(books: Books, command: FailExecution) -> tuple[str, ...]:
    order = books.orders.get(command.order)
    if order is None:
        return (UNKNOWN_ORDER,)
    return _of_order(order, NOTHING if order["status"] == "executing" else ORDER_NOT_EXECUTING)


def _settle(books: Books, command: SettleTrade) -> tuple[str, ...]:
    trade = books.trades.get(command.trade)
    if trade is None:
        return (UNKNOWN_TRADE,)
    return (NOTHING,) if trade["status"] == "executed" else (TRADE_NOT_EXECUTED, UNKNOWN_TRADE)


def _cancel(books: Books, command: CancelOrders) -> tuple[str, ...]:
    if not 0 < len(command.orders) <= 500:
        return (INVALID_SCOPE,)
    named = [books.orders.get(number) for number in command.orders]
    if None in named:
        return (UNKNOWN_ORDER,)
    over = any(order is not None and order["status"] in {"settled", "cancelled"} for order in named)
    return (NOTHING, UNKNOWN_ORDER) if over else (NOTHING,)


def _hold(books: Books, command: Hold) -> tuple[str, ...]:
    if not 1 <= command.stage <= 4:
        return (INVALID_STATUS,)
    return (NOTHING if command.market in books.markets or command.market == 0 else UNKNOWN_MARKET,)


def _quote(books: Books, command: Quote) -> tuple[str, ...]:
    if command.market not in books.markets:
        return (UNKNOWN_MARKET,)
    return (NOTHING if command.price >= 0 else INVALID_AMOUNT,)


def _of_order(order: dict[str, Any], reason: str) -> tuple[str, ...]:
    """An order that is over may be unknown by now."""
    return (reason, UNKNOWN_ORDER) if order["status"] in {"settled", "cancelled"} else (reason,)


_REASONS: Final[dict[type, Any]] = {
    PlaceOrder: _order,
    Transfer: _transfer,
    ChangeMarket: _market,
    ChangeAccount: _account,
    ClearPrerequisite: _clear,
    ExecutePart: _part,
    FailExecution: _fail,
    SettleTrade: _settle,
    CancelOrders: _cancel,
    Hold: _hold,
    Quote: _quote,
}
