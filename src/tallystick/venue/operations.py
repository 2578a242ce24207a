"""What every venue does alike: assets, markets, accounts, transfers, repeated requests, cancels of single orders."""

from collections.abc import Callable
from typing import Final

from tallystick.core.amounts import SCALE_MAX
from tallystick.core.lifecycle import is_closed
from tallystick.core.order import Order
from tallystick.facts.codes import (
    ACCOUNT_FLAG_NAMES,
    ACCOUNT_STATUS_NAMES,
    ACCOUNT_SUSPENDED,
    BUY_SELL,
    CUSTOMER,
    EXISTS_WITH_DIFFERENT_TERMS,
    FEES,
    INSUFFICIENT_FUNDS,
    INVALID_AMOUNT,
    INVALID_NAME,
    INVALID_ROLE,
    INVALID_SCALE,
    INVALID_SCOPE,
    INVALID_STATUS,
    MARKET_NOT_TRADING,
    NAME_TAKEN,
    NOT_TRADING,
    ORDER_CLOSED,
    OWNED,
    POSITION,
    ROLE_TAKEN,
    SAME_ACCOUNT,
    SCOPE_ACCOUNT,
    SCOPE_MARKET,
    SCOPE_ORDERS,
    SUSPENDED,
    TRADING_STATUS_NAMES,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ASSET,
    UNKNOWN_MARKET,
    UNKNOWN_ORDER,
)
from tallystick.facts.commands import (
    Accepted,
    Answer,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
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
    AccountChanged,
    AccountOpened,
    AssetDefined,
    CancelRefused,
    CancelRequested,
    Contract,
    MarketChanged,
    MarketDefined,
    OrderCancelled,
    OrderRefused,
    Transferred,
    VenueOpened,
)
from tallystick.venue.draft import Draft
from tallystick.venue.state import Account, Asset, Refusal, State

CANCELS_MAX: Final = 500  # with two facts for each they fit one entry
NAME_MAX: Final = 100
RETAIN_US_MIN: Final = 1_000_000
KEY_LIFE_US: Final = 24 * 3600 * 1_000_000  # for so long a key stands for the request it came with
PARTS: Final = 10**9  # rates and leverage are parts of it
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
    if command.kind != OWNED and command.kind != POSITION:
        return Refused(INVALID_STATUS, "An asset is owned or a position.", "kind")
    number = len(state.assets) + 1
    draft.emit(AssetDefined(0, 0, 0, number, command.name, command.scale, command.kind))
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
    if not BUY_SELL <= command.status <= NOT_TRADING:
        return Refused(INVALID_STATUS, "There is no such trading status.", "status")
    if command.quantity_min < 0 or command.cash_min < 0 or command.cash_increment < 0:
        return Refused(INVALID_AMOUNT, "Minimums and increments are not negative.", "quantity_min")
    if command.contract is not None:
        refused = _contract_refused(state, command.contract, unit, currency)
        if refused is not None:
            return refused
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
            command.status,
            command.pros_only,
            command.quantity_min,
            command.cash_min,
            command.cash_increment,
            command.traits,
            command.contract,
        )
    )
    return Accepted(number)


def _contract_refused(state: State, contract: Contract, unit: Asset, currency: Asset) -> Refused | None:
    """What is wrong with the terms of a perpetual contract, if anything is."""
    basis = state.assets.get(contract.basis)
    if basis is None or basis is unit or basis.kind != POSITION or unit.kind != POSITION or currency.kind != OWNED:
        return Refused(UNKNOWN_ASSET, "Define the contract's unit and its basis as positions first.", "contract")
    if basis.scale != currency.scale:
        return Refused(INVALID_SCALE, "The basis counts in the currency, so it has the currency's scale.", "contract")
    for market in state.markets.values():  # two markets' positions would be one, with the cost of both
        if market.unit in (unit, basis) or market.basis in (unit.number, basis.number):
            return Refused(INVALID_AMOUNT, f"The contract of {market.name!r} has this unit or basis.", "contract")
    if contract.tick <= 0 or not 0 < contract.price_min <= contract.price_max:
        return Refused(
            INVALID_AMOUNT, "Prices are positive, in ticks, and the least is not above the most.", "contract"
        )
    if contract.quantity_max <= 0 or contract.market_quantity_max <= 0:
        return Refused(INVALID_AMOUNT, "The most that may be ordered is positive.", "contract")
    if not 0 <= contract.maintenance_margin <= contract.initial_margin <= PARTS or contract.initial_margin == 0:
        return Refused(INVALID_AMOUNT, "Margins are parts of 10**9, maintenance at most the initial one.", "contract")
    if contract.leverage * contract.initial_margin > PARTS * PARTS:
        return Refused(INVALID_AMOUNT, "The leverage is at most 1 / the initial margin.", "contract")
    if contract.leverage < PARTS or abs(contract.maker_fee) > PARTS or abs(contract.taker_fee) > PARTS:
        return Refused(INVALID_AMOUNT, "Leverage is 10**9 (once) or more, and a fee at most all.", "contract")
    return None


def change_market(draft: Draft, command: ChangeMarket) -> Answer:
    """Change what the market takes orders for; a halt is also a request to end the orders that it has."""
    state = draft.state
    market = state.markets.get(command.market)
    if market is None:
        return Refused(UNKNOWN_MARKET, "There is no such market.", "market")
    if not BUY_SELL <= command.status <= NOT_TRADING:
        names = ", ".join(TRADING_STATUS_NAMES[1:])
        return Refused(INVALID_STATUS, f"A trading status is one of: {names}.", "status")
    if market.status == command.status:
        return Exists(market.number)
    draft.emit(MarketChanged(0, 0, market.number, command.status))
    if command.status == NOT_TRADING:
        request = CancelRequested(
            0, 0, market.number, state.requests_made + 1, SCOPE_MARKET, (), state.orders_made, MARKET_NOT_TRADING
        )
        draft.emit(request)
    return Accepted(market.number)


def open_account(draft: Draft, command: OpenAccount) -> Answer:
    state = draft.state
    if command.name in state.account_named:
        return Refused(NAME_TAKEN, f"There is an account {command.name!r} already.", "name")
    if not 0 < len(command.name) <= NAME_MAX:
        return Refused(INVALID_NAME, f"A name has 1 to {NAME_MAX} characters.", "name")
    if not CUSTOMER <= command.role <= FEES:
        return Refused(INVALID_ROLE, "There is no such role.", "role")
    if command.role != CUSTOMER and command.role in state.account_of_role:
        return Refused(ROLE_TAKEN, "There is an account of this role already, and there is only one.", "role")
    if not 0 <= command.flags < 1 << len(ACCOUNT_FLAG_NAMES):
        return Refused(INVALID_STATUS, "There is no such flag.", "flags")
    number = len(state.accounts) + 1
    draft.emit(AccountOpened(number, 0, 0, command.name, command.role, command.owner, command.flags))
    return Accepted(number)


def change_account(draft: Draft, command: ChangeAccount) -> Answer:
    """Change what a customer's account is; suspending it is also a request to end the orders that it has."""
    state = draft.state
    account = state.accounts.get(command.account)
    if account is None or account.role != CUSTOMER:
        return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "account")
    status = account.status if command.status is None else command.status
    flags = account.flags if command.flags is None else command.flags
    owner = account.owner if command.owner is None else command.owner
    if not 0 < status < len(ACCOUNT_STATUS_NAMES):
        return Refused(INVALID_STATUS, "An account is active or suspended.", "status")
    if not 0 <= flags < 1 << len(ACCOUNT_FLAG_NAMES):
        return Refused(INVALID_STATUS, "There is no such flag.", "flags")
    if (status, flags, owner) == (account.status, account.flags, account.owner):
        return Exists(account.number)
    was = account.status
    draft.emit(AccountChanged(account.number, 0, 0, status, flags, owner))
    if status == SUSPENDED and was != SUSPENDED:
        request = CancelRequested(
            account.number, 0, 0, state.requests_made + 1, SCOPE_ACCOUNT, (), state.orders_made, ACCOUNT_SUSPENDED
        )
        draft.emit(request)
    return Accepted(account.number)


def transfer_funds(draft: Draft, command: Transfer, spendable: Callable[[Draft, Account, Asset], int]) -> Answer:
    """Move settled funds, once for each reference. A customer cannot pay more than is ``spendable``."""
    state = draft.state
    asset = state.asset_named.get(command.asset)
    if asset is None:
        return Refused(UNKNOWN_ASSET, f"There is no asset {command.asset!r}.", "asset")
    if asset.kind == POSITION:
        return Refused(INVALID_STATUS, "A position changes hands by trades, with what it cost.", "asset")
    payer, payee = state.accounts.get(command.payer), state.accounts.get(command.payee)
    if payer is None:
        return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "payer")
    if payee is None:
        return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "payee")
    if payer is payee:
        return Refused(SAME_ACCOUNT, "Payer and payee are the same account.", "payee")
    if command.amount <= 0:
        return Refused(INVALID_AMOUNT, "The amount is positive.", "amount")
    repeated = _repeated_transfer(command, payer, payee, asset)
    if repeated is not None:
        return repeated
    if payer.role == CUSTOMER and spendable(draft, payer, asset) < command.amount:
        return Refused(INSUFFICIENT_FUNDS, "The account has less than that settled and free.", "amount")
    draft.emit(
        Transferred(payee.number, 0, 0, payer.number, payee.number, asset.number, command.amount, command.reference)
    )
    return Accepted(payee.number)


def _repeated_transfer(command: Transfer, payer: Account, payee: Account, asset: Asset) -> Answer | None:
    """The answer to a transfer whose reference one of the customers knows; None if it is new, or has none."""
    for account in (payer, payee):
        before = account.transfers.get(command.reference)
        if before is not None:
            terms = (payer.number, payee.number, asset.number, command.amount)
            if terms == (before.payer, before.payee, before.asset, before.amount):
                return Exists(payee.number)
            return Refused(EXISTS_WITH_DIFFERENT_TERMS, "This reference was used for another transfer.", "reference")
    return None


def repetition(draft: Draft, command: PlaceOrder, account: Account, known: Known) -> Answer | None:
    """The answer to a request whose client key was used in the last KEY_LIFE_US; None if it is new.

    What was accepted exists; what was refused is refused in the same words.
    """
    if not command.client_key:
        return None
    used = known_by_key(draft.state, account, command.client_key, draft.started) or known
    if not used.since or used.since + KEY_LIFE_US <= draft.started:
        return None
    if used.fingerprint != command.fingerprint:
        return Refused(EXISTS_WITH_DIFFERENT_TERMS, "This key was used for another request.", "client_key")
    return Exists(used.order) if used.refused is None else used.refused


def refuse(draft: Draft, command: PlaceOrder, refused: Refused) -> Refused:
    """The refusal; on record when the request came under its owner's key."""
    if command.client_key:
        draft.emit(
            OrderRefused(
                command.account,
                0,
                0 if refused.code == UNKNOWN_MARKET else command.market,
                draft.state.refusals_made + 1,
                command.client_key,
                command.fingerprint,
                refused.code,
                refused.detail,
                refused.field,
            )
        )
    return refused


def known_by_key(state: State, account: Account, client_key: str, time: int) -> Known | None:
    """What the account's owner used the key for in the KEY_LIFE_US before ``time``, if that is in the state.

    An earlier use says nothing: a later one may have left the state before it.
    """
    number = account.keys.get(client_key, 0)
    if number == 0:
        return None
    used = known_order(state.orders[number]) if number > 0 else known_refusal(state.refusals[-number])
    return used if used.since + KEY_LIFE_US > time else None


def known_order(order: Order) -> Known:
    """The order as what is known of its key."""
    return Known(order.number, order.terms.fingerprint, order.placed)


def known_refusal(refusal: Refusal) -> Known:
    """The refusal as what is known of its key."""
    terms = refusal.terms
    return Known(0, terms.fingerprint, refusal.made, Refused(terms.code, terms.detail, terms.field))


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
