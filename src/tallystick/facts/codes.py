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

# How long an order is worked in a book: until it is filled, cancelled or expires; or against what rests there now, as
# much as there is; or all of it or nothing.
GOOD_TILL_TIME: Final = 1
IMMEDIATE_OR_CANCEL: Final = 2
FILL_OR_KILL: Final = 3
TIME_IN_FORCE_NAMES: Final = ("", "good_till_time", "immediate_or_cancel", "fill_or_kill")

# What else an order in a book is told, as bits.
POST_ONLY: Final = 1  # it only makes
REDUCE_ONLY: Final = 2  # it only closes a position
INSTRUCTION_NAMES: Final = ("post_only", "reduce_only")

# Self-trade prevention: which of two orders of one account is cancelled where they would trade with each other.
CANCEL_TAKER: Final = 1
CANCEL_MAKER: Final = 2
CANCEL_BOTH: Final = 3
SELF_TRADE_NAMES: Final = ("", "cancel_taker", "cancel_maker", "cancel_both")

# When a trigger price is reached: the market trades there or above, or there or below.
AT_OR_ABOVE: Final = 1
AT_OR_BELOW: Final = 2
TRIGGER_NAMES: Final = ("", "at_or_above", "at_or_below")

# The part of an order in a trade: it came and took, or it rested and made; 0 where nobody did either.
TAKER: Final = 1
MAKER: Final = 2
LIQUIDITY_NAMES: Final = ("", "taker", "maker")

# What an asset is: something that is owned, or a position (and what it cost), of which one may have less than nothing.
OWNED: Final = 1
POSITION: Final = 2
ASSET_KIND_NAMES: Final = ("", "owned", "position")

# Roles of ledger accounts. Every venue has one of each but customers, of which it has many.
CUSTOMER: Final = 1
WORLD: Final = 2  # where deposits come from and withdrawals go
COUNTERPARTY: Final = 3  # the other side of a broker's trades; at an exchange, of what positions bring
FEES: Final = 4
ROLE_NAMES: Final = ("", "customer", "world", "counterparty", "fees")

# What a PENDING order waits for.
PRICE_FEED: Final = 1
COMPLIANCE: Final = 2
TRIGGER: Final = 3  # a price that its market has to reach
PREREQUISITE_NAMES: Final = ("", "price_feed", "compliance", "trigger")

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
