"""Why an order of a Bluefin venue ends, is refused, or is not cancelled: its own words in lower case, as the journal
keeps them (specs/bluefin.md §2.4). The wire says them in capitals.
"""

from typing import Final

from tallystick.facts.codes import ACCOUNT_SUSPENDED, ORDER_CLOSED
from tallystick.facts.codes import MARKET_NOT_TRADING as NOT_TRADING

INSUFFICIENT_MARGIN: Final = "insufficient_margin"
DUPLICATE_ORDER: Final = "duplicate_order"
POST_ONLY_WOULD_TRADE: Final = "post_only_would_trade"
INVALID_SYMBOL: Final = "invalid_symbol"
SIGNED_AT_TOO_OLD: Final = "signed_at_too_old"
ORDER_EXPIRED: Final = "order_expired"
INVALID_LEVERAGE: Final = "invalid_leverage"
INVALID_INPUT: Final = "invalid_input"
PRICE_OUT_OF_BOUND: Final = "price_out_of_bound"
QUANTITY_OUT_OF_BOUND: Final = "quantity_out_of_bound"
PRICE_OUT_OF_TICK_SIZE: Final = "price_out_of_tick_size"
QUANTITY_OUT_OF_STEP_SIZE: Final = "quantity_out_of_step_size"
REDUCE_ONLY_WOULD_OPEN: Final = "reduce_only_would_open"
TOO_MANY_OPEN_ORDERS_ON_MARKET: Final = "too_many_open_orders_on_market"
USER_CANCELLED: Final = "user_cancelled"
USER_CANCELLED_ALL_ON_MARKET: Final = "user_cancelled_all_on_market"
USER_CANCELLED_ALL_STANDBY_ON_MARKET: Final = "user_cancelled_all_standby_on_market"
SELF_TRADE_PREVENTION: Final = "self_trade_prevention"
LEVERAGE_UPDATE: Final = "leverage_update"
ACCOUNT_NOT_FOUND: Final = "account_not_found"
MARKET_NOT_TRADING: Final = NOT_TRADING
INSUFFICIENT_LIQUIDITY: Final = "insufficient_liquidity"
ACCOUNT_DEAUTHORIZED: Final = "account_deauthorized"
TOO_MANY_MATCHES: Final = "too_many_matches"
MARGIN_CALL: Final = "margin_call"
INSUFFICIENT_BALANCE: Final = "insufficient_balance"

# Why a cancel fails.
ORDER_NOT_FOUND: Final = "order_not_found"
MARKET_NOT_FOUND: Final = "market_not_found"
NO_OPEN_ORDERS_ON_MARKET: Final = "no_open_orders_on_market"

_TRANSLATED: Final = {ACCOUNT_SUSPENDED: ACCOUNT_DEAUTHORIZED, ORDER_CLOSED: ORDER_NOT_FOUND}
_OWN: Final = frozenset(
    {
        *(INSUFFICIENT_MARGIN, DUPLICATE_ORDER, POST_ONLY_WOULD_TRADE, INVALID_SYMBOL, SIGNED_AT_TOO_OLD),
        *(ORDER_EXPIRED, INVALID_LEVERAGE, INVALID_INPUT, PRICE_OUT_OF_BOUND, QUANTITY_OUT_OF_BOUND),
        *(PRICE_OUT_OF_TICK_SIZE, QUANTITY_OUT_OF_STEP_SIZE, REDUCE_ONLY_WOULD_OPEN, TOO_MANY_OPEN_ORDERS_ON_MARKET),
        *(USER_CANCELLED, USER_CANCELLED_ALL_ON_MARKET, USER_CANCELLED_ALL_STANDBY_ON_MARKET),
        *(SELF_TRADE_PREVENTION, LEVERAGE_UPDATE, ACCOUNT_NOT_FOUND, MARKET_NOT_TRADING, INSUFFICIENT_LIQUIDITY),
        *(ACCOUNT_DEAUTHORIZED, TOO_MANY_MATCHES, MARGIN_CALL, INSUFFICIENT_BALANCE),
        *(ORDER_NOT_FOUND, MARKET_NOT_FOUND, NO_OPEN_ORDERS_ON_MARKET),
    }
)


def on_the_wire(reason: str) -> str:
    """The venue's own word, in capitals; what the engine says for every venue is translated.

    An operator's own words are for the journal: clients read one of a closed list.
    """
    word = _TRANSLATED.get(reason, reason)
    return word.upper() if word in _OWN else "UNSPECIFIED"
