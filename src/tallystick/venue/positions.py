"""Positions in perpetual contracts, kept in the ledger: what an account holds, what it cost, and what that binds.

A position is the balance of the market's unit, less than nothing when it is short; what it cost, or brought, is the
balance of the contract's basis with the sign turned. A trade moves both between its parties. What a party closes makes
a result: it is settled at once in the market's currency with the counterparty, who takes the basis over in exchange. So
every asset always adds up to nothing, and a position of zero has cost zero.
"""

from typing import Final

from tallystick.core.amounts import CEILING, HALF_EVEN, divide, multiply_divide
from tallystick.core.keys import Number
from tallystick.facts.codes import BUY
from tallystick.facts.venue import Contract, Obligation
from tallystick.venue.ambient import Ambient
from tallystick.venue.state import Account, Market, State

PARTS: Final = 10**9  # rates and leverage are parts of it
_OBLIGATION: Final = Obligation


def position(account: Account, market: Market) -> int:
    """The quantity held, less than zero when short."""
    balance = account.book.balances.get(market.unit.number)
    return 0 if balance is None else balance.settled


def cost(account: Account, market: Market, basis: Number) -> int:
    """What the position cost; less than zero is what a short one brought."""
    balance = account.book.balances.get(basis)
    return 0 if balance is None else -balance.settled


def closable(account: Account, market: Market, side: int) -> int:
    """How much an order of that side could close of the position."""
    held = position(account, market)
    return max(0, -held) if side == BUY else max(0, held)


def worth_of(market: Market, quantity: int, price: int) -> int:
    """Quantity x price as money, half to even. In whole increments and ticks mostly, so that the numbers stay small."""
    step = market.step_worth
    if step:
        increment, tick = market.increment, market.tick
        if quantity % increment == 0 and price % tick == 0:
            return quantity // increment * (price // tick) * step
    return divide(quantity * price, market.parity, HALF_EVEN)


def result_of(account: Account, market: Market, basis: Number, side: int, quantity: int, notional: int) -> int:
    """What a fill of ``quantity`` worth ``notional`` makes of the position: profit, or less than zero a loss.

    The part that closes realises its share of the cost, half-even; the part that opens realises nothing.
    """
    held = position(account, market)
    closes = min(quantity, closable(account, market, side))
    if closes == 0:
        return 0
    paid = cost(account, market, basis)
    share = paid if closes == abs(held) else multiply_divide(paid, closes, abs(held), HALF_EVEN)
    worth = notional if closes == quantity else multiply_divide(notional, closes, quantity, HALF_EVEN)
    return -share - worth if side == BUY else worth - share


def fee_of(notional: int, rate: int) -> int:
    """The fee on ``notional``, rounded in the venue's favour; less than zero is a rebate."""
    return multiply_divide(notional, rate, PARTS, CEILING)


def margin_of(notional: int, leverage: int, contract: Contract) -> int:
    """The initial margin of ``notional``: its share by the leverage, and never less than the contract's rate of it."""
    by_leverage = multiply_divide(notional, PARTS, leverage, CEILING)
    return max(by_leverage, multiply_divide(notional, contract.initial_margin, PARTS, CEILING))


def margin_at(notional: int, leverage: int) -> int:
    """The same, at a leverage that the contract allows, whose share is never less than the contract's rate."""
    if leverage % PARTS == 0:  # the same again, in smaller numbers
        return -(-notional // (leverage // PARTS))
    return -(-notional * PARTS // leverage)


def leverage_of(account: Account, market: Market, contract: Contract) -> int:
    """What the account chose for the market, or the contract's own."""
    return chosen_leverage(account, market)


def chosen_leverage(account: Account, market: Market) -> int:
    """What the account chose for the market, or the market's own."""
    chosen = account.leverage.get(market.number) if account.leverage else None
    return market.leverage if chosen is None else chosen


def mark_price(market: Market, ambient: Ambient) -> int:
    """What positions are worth: the price that is quoted, else that of the last trade; 0 for neither."""
    return ambient.price(market.number) or market.traded


def free_collateral(state: State, ambient: Ambient, account: Account, currency: Number) -> int:
    """What is there to open with: collateral and unrealised results, less what positions and orders bind."""
    balances = account.book.balances
    of = balances.get(currency)
    if of is None:
        return 0
    free = of.settled - of.reserved
    if len(balances) == 1:
        return free
    for market in state.markets.values():
        units = balances.get(market.unit.number) if market.contract is not None else None
        if units is None or units.settled == 0 or market.currency.number != currency:
            continue
        paid = cost(account, market, market.basis)
        mark = mark_price(market, ambient)
        if mark:
            free += worth_of(market, units.settled, mark) - paid
        free -= margin_at(abs(paid), chosen_leverage(account, market))
    return free


def lacking(account: Account, market: Market, side: int, quantity: int, worth: int, fee: int, posted: int) -> int:
    """What a fill would bind beyond what it posts: the margin of the part that opens, and the fee.

    A fill that only closes lacks nothing, whatever the account has.
    """
    opens = quantity - closable(account, market, side)
    if opens <= 0:
        return 0
    opened = worth if opens >= quantity else multiply_divide(worth, opens, quantity, CEILING)
    return margin_at(opened, chosen_leverage(account, market)) + max(fee, 0) - posted


def owe_fill(
    owed: list[Obligation],
    buyer: Number,
    seller: Number,
    market: Market,
    basis: Number,
    quantity: Number,
    worth: Number,
) -> None:
    """The position and its cost change hands between the parties of a trade."""
    owed.append(_OBLIGATION(seller, buyer, market.unit.number, quantity))
    if worth:
        owed.append(_OBLIGATION(buyer, seller, basis, worth))


def owe_result(
    owed: list[Obligation], account: Number, clearing: Number, currency: Number, basis: Number, result: int
) -> None:
    """What one party realises, settled with the clearing account."""
    if result > 0:
        owed.append(_OBLIGATION(clearing, account, currency, result))
        owed.append(_OBLIGATION(account, clearing, basis, result))
    elif result < 0:
        owed.append(_OBLIGATION(account, clearing, currency, -result))
        owed.append(_OBLIGATION(clearing, account, basis, -result))


def owe_fee(owed: list[Obligation], account: Number, house: Number, currency: Number, fee: int) -> None:
    """A fee to the house, or a rebate from it."""
    if fee > 0:
        owed.append(_OBLIGATION(account, house, currency, fee))
    elif fee < 0:
        owed.append(_OBLIGATION(house, account, currency, -fee))
