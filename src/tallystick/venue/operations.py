"""What every venue does alike: assets, markets, accounts, transfers, repeated requests, cancels of single orders."""

from typing import Final

from tallystick.core.amounts import SCALE_MAX
from tallystick.core.lifecycle import is_closed
from tallystick.facts.codes import (
    CUSTOMER,
    EXISTS_WITH_DIFFERENT_TERMS,
    FEES,
    INSUFFICIENT_FUNDS,
    INVALID_AMOUNT,
    INVALID_NAME,
    INVALID_ROLE,
    INVALID_SCALE,
    INVALID_SCOPE,
    NAME_TAKEN,
    ORDER_CLOSED,
    SAME_ACCOUNT,
    SCOPE_ORDERS,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ASSET,
    UNKNOWN_ORDER,
)
from tallystick.facts.commands import (
    Accepted,
    Answer,
    CancelOrders,
    DefineAsset,
    DefineMarket,
    Exists,
    Known,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Refused,
    Transfer,
)
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    CancelRefused,
    CancelRequested,
    MarketDefined,
    OrderCancelled,
    Transferred,
    VenueOpened,
)
from tallystick.venue.draft import Draft

CANCELS_MAX: Final = 500  # with two facts for each they fit one entry
NAME_MAX: Final = 100
RETAIN_US_MIN: Final = 1_000_000
RETIRE_MAX: Final = 64  # more than an entry completes on average, so that what is done does leave


def open_venue(draft: Draft, command: OpenVenue) -> Answer:
    if draft.state.name:
        return Refused(NAME_TAKEN, f"This is the journal of {draft.state.name!r} already.", "name")
    if command.retain_us < RETAIN_US_MIN:
        return Refused(INVALID_AMOUNT, "What is done must stay at hand for at least a second.", "retain_us")
    draft.emit(VenueOpened(0, 0, 0, command.name, command.key_check, command.retain_us, RETIRE_MAX))
    return Accepted(1)


def define_asset(draft: Draft, command: DefineAsset) -> Answer:
    state = draft.state
    if command.name in state.asset_named:
        return Refused(NAME_TAKEN, f"There is an asset {command.name!r} already.", "name")
    if not 0 < len(command.name) <= NAME_MAX:
        return Refused(INVALID_NAME, f"A name has 1 to {NAME_MAX} characters.", "name")
    if not 0 <= command.scale <= SCALE_MAX:
        return Refused(INVALID_SCALE, f"A scale is from 0 to {SCALE_MAX}.", "scale")
    number = len(state.assets) + 1
    draft.emit(AssetDefined(0, 0, 0, number, command.name, command.scale))
    return Accepted(number)


def define_market(draft: Draft, command: DefineMarket) -> Answer:
    state = draft.state
    if command.name in state.market_named:
        return Refused(NAME_TAKEN, f"There is a market {command.name!r} already.", "name")
    unit = state.asset_named.get(command.unit)
    if unit is None:
        return Refused(UNKNOWN_ASSET, "Define the unit's asset first.", "unit")
    currency = state.asset_named.get(command.currency)
    if currency is None:
        return Refused(UNKNOWN_ASSET, "Define the currency's asset first.", "currency")
    if command.increment <= 0:
        return Refused(INVALID_AMOUNT, "The increment is positive.", "increment")
    if not 0 < len(command.name) <= NAME_MAX:
        return Refused(INVALID_NAME, f"A name has 1 to {NAME_MAX} characters.", "name")
    if not 0 <= command.price_scale <= SCALE_MAX:
        return Refused(INVALID_SCALE, f"A scale is from 0 to {SCALE_MAX}.", "price_scale")
    if unit.scale + command.price_scale < currency.scale:
        return Refused(INVALID_SCALE, "The price needs more decimals to be worth whole money.", "price_scale")
    number = len(state.markets) + 1
    draft.emit(
        MarketDefined(
            0,
            0,
            number,
            command.name,
            command.symbol,
            command.title,
            unit.number,
            currency.number,
            command.price_scale,
            command.increment,
        )
    )
    return Accepted(number)


def open_account(draft: Draft, command: OpenAccount) -> Answer:
    state = draft.state
    if command.name in state.account_named:
        return Refused(NAME_TAKEN, f"There is an account {command.name!r} already.", "name")
    if not 0 < len(command.name) <= NAME_MAX:
        return Refused(INVALID_NAME, f"A name has 1 to {NAME_MAX} characters.", "name")
    if not CUSTOMER <= command.role <= FEES:
        return Refused(INVALID_ROLE, "There is no such role.", "role")
    number = len(state.accounts) + 1
    draft.emit(AccountOpened(number, 0, 0, command.name, command.role))
    return Accepted(number)


def transfer_funds(draft: Draft, command: Transfer) -> Answer:
    """Move settled funds. A customer cannot pay more than is settled and free."""
    state = draft.state
    asset = state.asset_named.get(command.asset)
    if asset is None:
        return Refused(UNKNOWN_ASSET, f"There is no asset {command.asset!r}.", "asset")
    payer, payee = state.accounts.get(command.payer), state.accounts.get(command.payee)
    if payer is None:
        return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "payer")
    if payee is None:
        return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "payee")
    if payer is payee:
        return Refused(SAME_ACCOUNT, "Payer and payee are the same account.", "payee")
    if command.amount <= 0:
        return Refused(INVALID_AMOUNT, "The amount is positive.", "amount")
    if payer.role == CUSTOMER and payer.book.look(asset.number).available_settled < command.amount:
        return Refused(INSUFFICIENT_FUNDS, "The account has less than that settled and free.", "amount")
    draft.emit(Transferred(payee.number, 0, 0, payer.number, payee.number, asset.number, command.amount))
    return Accepted(payee.number)


def repetition(draft: Draft, command: PlaceOrder, known: Known) -> Answer | None:
    """The answer to a request whose client key was used before; None if it is new."""
    if not command.client_key:
        return None
    number = draft.state.accounts[command.account].keys.get(command.client_key, 0)
    fingerprint = draft.state.orders[number].terms.fingerprint if number else known.fingerprint
    number = number or known.order
    if not number:
        return None
    if fingerprint != command.fingerprint:
        return Refused(EXISTS_WITH_DIFFERENT_TERMS, "This key was used for another request.", "client_key")
    return Exists(number)


def cancel_orders(draft: Draft, command: CancelOrders, keep_traded: str = "") -> Answer:
    """Cancel single orders, with an outcome for each.

    ``keep_traded``, when given, is the reason for which an order that has trades is not cancelled.
    """
    state = draft.state
    if not 0 < len(command.orders) <= CANCELS_MAX:
        return Refused(INVALID_SCOPE, f"Name 1 to {CANCELS_MAX} orders.", "orders")
    for number in command.orders:
        if number not in state.orders:
            return Refused(UNKNOWN_ORDER, "There is no such order.", "orders")
    request = state.requests_made + 1
    draft.emit(CancelRequested(0, 0, 0, request, SCOPE_ORDERS, command.orders))
    for number in dict.fromkeys(command.orders):
        order = state.orders[number]
        account, market = order.account, order.market
        if is_closed(order.status):
            draft.emit(CancelRefused(account, number, market, request, ORDER_CLOSED))
        elif keep_traded and order.progress.trades:
            draft.emit(CancelRefused(account, number, market, request, keep_traded))
        else:
            draft.emit(OrderCancelled(account, number, market, order.leaves, order.voidable, command.reason, request))
    return Accepted(request)
