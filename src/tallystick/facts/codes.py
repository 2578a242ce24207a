"""The words that facts and commands use, as stable numbers, and the codes of refusals.

A number never changes its meaning; a new meaning is a new number. The names are for people and for the neutral wire;
a venue's own words live in its dialect.
"""

from typing import Final

# Sides.
BUY: Final = 1
SELL: Final = 2
SIDE_NAMES: Final = ("", "buy", "sell")

# What an order's size counts (docs/design.md §2): units of the market, cash of its currency, or a maker's stake.
UNITS: Final = 1
CASH: Final = 2
STAKE: Final = 3
SIZE_KIND_NAMES: Final = ("", "units", "cash", "stake")

# Order types.
MARKET_ORDER: Final = 1
LIMIT_ORDER: Final = 2
ORDER_TYPE_NAMES: Final = ("", "market", "limit")

# Roles of ledger accounts. Every venue has one of each but customers, of which it has many.
CUSTOMER: Final = 1
WORLD: Final = 2  # where deposits come from and withdrawals go
COUNTERPARTY: Final = 3  # the street: the other side of a broker's trades
FEES: Final = 4
ROLE_NAMES: Final = ("", "customer", "world", "counterparty", "fees")

# What a PENDING order waits for.
PRICE_FEED: Final = 1
COMPLIANCE: Final = 2
PREREQUISITE_NAMES: Final = ("", "price_feed", "compliance")

# What a market takes orders for.
BUY_SELL: Final = 1
BUY_ONLY: Final = 2
SELL_ONLY: Final = 3
NOT_TRADING: Final = 4
TRADING_STATUS_NAMES: Final = ("", "buy_sell", "buy_only", "sell_only", "not_trading")

# Whether an account may do anything.
ACTIVE: Final = 1
SUSPENDED: Final = 2
ACCOUNT_STATUS_NAMES: Final = ("", "active", "suspended")

# What is particular about an account, as bits.
PROFESSIONAL: Final = 1
BUYS_FORBIDDEN: Final = 2
SELLS_FORBIDDEN: Final = 4
REVIEWED: Final = 8  # each of its orders waits for a compliance check
ACCOUNT_FLAG_NAMES: Final = ("professional", "buys_forbidden", "sells_forbidden", "reviewed")

# Where an order can be held: before it is submitted, until a prerequisite is cleared, before it trades, before a trade
# settles.
PLACED_STAGE: Final = 1
PENDING_STAGE: Final = 2
EXECUTING_STAGE: Final = 3
SETTLEMENT_STAGE: Final = 4
STAGE_NAMES: Final = ("", "placed", "pending", "executing", "settlement")

# Why the station that executes says FILLED.
EXACT: Final = 1  # nothing is left
WITHIN_TOLERANCE: Final = 2
BELOW_INCREMENT: Final = 3  # what is left cannot buy one increment
CLOSED_SHORT: Final = 4  # it cannot be completed and, having trades, is not cancelled
VERDICT_NAMES: Final = ("", "exact", "within_tolerance", "below_increment", "closed_short")

# What a cancel request covers.
SCOPE_ORDERS: Final = 1
SCOPE_MARKET: Final = 2
SCOPE_ACCOUNT: Final = 3
SCOPE_NAMES: Final = ("", "orders", "market", "account")

# Refusals: a command that was not carried out. Nothing changed.
UNKNOWN_ACCOUNT: Final = "unknown_account"
UNKNOWN_ASSET: Final = "unknown_asset"
UNKNOWN_MARKET: Final = "unknown_market"
UNKNOWN_ORDER: Final = "unknown_order"
ORDER_CLOSED: Final = "order_closed"
ORDER_HAS_TRADES: Final = "order_has_trades"
SAME_ACCOUNT: Final = "same_account"
NAME_TAKEN: Final = "name_taken"
INVALID_AMOUNT: Final = "invalid_amount"
INVALID_ORDER_TYPE: Final = "invalid_order_type"
INVALID_NAME: Final = "invalid_name"
INVALID_ROLE: Final = "invalid_role"
ROLE_TAKEN: Final = "role_taken"
NOT_OPERATING: Final = "not_operating"
INVALID_SCALE: Final = "invalid_scale"
INVALID_SCOPE: Final = "invalid_scope"
MARKET_NOT_TRADING: Final = "market_not_trading"
ACCOUNT_SUSPENDED: Final = "account_suspended"
BUY_FORBIDDEN: Final = "buy_forbidden"
SELL_FORBIDDEN: Final = "sell_forbidden"
PROFESSIONAL_REQUIRED: Final = "professional_required"
CURRENCY_NOT_HELD: Final = "currency_not_held"
BELOW_MINIMUM: Final = "below_minimum"
ORDER_NOT_WAITING: Final = "order_not_waiting"
ORDER_NOT_EXECUTING: Final = "order_not_executing"
UNKNOWN_TRADE: Final = "unknown_trade"
TRADE_NOT_EXECUTED: Final = "trade_not_executed"
PRICE_UNKNOWN: Final = "price_unknown"
INVALID_STATUS: Final = "invalid_status"
INSUFFICIENT_FUNDS: Final = "insufficient_funds"
INSUFFICIENT_UNITS: Final = "insufficient_units"
EXISTS_WITH_DIFFERENT_TERMS: Final = "exists_with_different_terms"

# Why the venue itself ends an order.
BELOW_ONE_INCREMENT: Final = "below_increment"
PREREQUISITE_FAILED: Final = "prerequisite_failed"
PREREQUISITE_TIMED_OUT: Final = "prerequisite_timed_out"

# Refusals of the whole venue, for now: try again later.
OVERLOADED: Final = "overloaded"
STORAGE_UNAVAILABLE: Final = "storage_unavailable"
DISK_LOW: Final = "disk_low"
UNAVAILABLE: Final = (OVERLOADED, STORAGE_UNAVAILABLE, DISK_LOW)

# Neither done nor refused, as far as is known: ask before it is repeated.
OUTCOME_UNKNOWN: Final = "outcome_unknown"
