"""Whose is what: a client sees its own accounts and what is theirs; anything else does not exist for it."""

from collections.abc import Sequence

from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.errors import not_found
from tallystick.facts.codes import CUSTOMER
from tallystick.readers.readers import Readers
from tallystick.venue.state import Account, State
from tallystick.web.exchange import Request


def is_own(state: State, request: Request, account: int) -> bool:
    """Whether the account of this number is the request's client's."""
    found = state.accounts.get(account)
    return found is not None and found.role == CUSTOMER and found.owner == request.principal.client


def own_account(state: State, request: Request) -> Account:
    """The account that the path names. Raises RequestError 404."""
    account = state.account_named.get(request.params["account_id"])
    if account is None or not is_own(state, request, account.number):
        raise not_found("account")
    return account


def own_accounts(state: State, request: Request) -> Sequence[int]:
    """The numbers of the client's accounts, oldest first; those of the house are nobody's, whoever owns them."""
    owned = state.accounts_of_owner.get(request.principal.client, ())
    return [number for number in owned if is_own(state, request, number)]


def own_order(readers: Readers, account: Account, number: int) -> tuple[Order, list[Trade]] | None:
    """The order of this number with its trades, if it is the account's."""
    found = readers.order(number) if number else None
    return found if found is not None and found[0].account == account.number else None


def own_trade(readers: Readers, request: Request, number: int) -> tuple[Trade, Order] | None:
    """The trade of this number with the client's order in it, if there is one."""
    trade = readers.trade(number) if number else None
    found = None if trade is None else readers.order(trade.terms.order)
    if trade is None or found is None or not is_own(readers.state, request, found[0].account):
        return None
    return trade, found[0]
