"""The exchange's own words, spelt as its released clients read them (specs/bluefin.md §2), and their codes.

Each list is complete, for it judges what comes in. Why orders end is said in ``reasons``.
"""

from typing import Final, Literal

from tallystick.facts.codes import (
    BUY,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    SELL,
)

Side = Literal["LONG", "SHORT", "UNSPECIFIED"]
OrderType = Literal[
    "LIMIT",
    "MARKET",
    "STOP_LIMIT",
    "STOP_MARKET",
    "LIQUIDATION",
    "STOP_LOSS_MARKET",
    "TAKE_PROFIT_MARKET",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT_LIMIT",
    "BANKRUPTCY_LIQUIDATION",
    "TIME_WEIGHTED_AVERAGE_PRICE",
    "ADL",
    "UNSPECIFIED",
]
TimeInForce = Literal["GTT", "IOC", "FOK", "UNSPECIFIED"]
SelfTradePrevention = Literal["TAKER", "MAKER", "BOTH", "UNSPECIFIED"]
TradeType = Literal["ORDER", "LIQUIDATION", "DELEVERAGE", "UNSPECIFIED"]
MarketStatus = Literal["ACTIVE", "BETA", "MAINTENANCE", "DELISTED", "UNSPECIFIED"]
Network = Literal["mainnet", "testnet", "devnet"]
MarginOperation = Literal["ADD", "SUBTRACT"]
Client = Literal["WEB", "VERA"]
TransactionType = Literal[
    "TRANSFER",
    "DEPOSIT",
    "WITHDRAW",
    "REALIZED_PNL",
    "FUNDING_FEE",
    "TRADING_FEE",
    "TRADING_GAS_FEE",
    "BONUS",
    "UNSPECIFIED",
]

SIDES: Final[dict[int, Side]] = {BUY: "LONG", SELL: "SHORT"}
SIDE_CODES: Final[dict[Side, int]] = {"LONG": BUY, "SHORT": SELL}
"""An order that is UNSPECIFIED has no side, and is refused."""
TIMES_IN_FORCE: Final[dict[int, TimeInForce]] = {GOOD_TILL_TIME: "GTT", IMMEDIATE_OR_CANCEL: "IOC", FILL_OR_KILL: "FOK"}
TIME_IN_FORCE_CODES: Final[dict[TimeInForce | None, int]] = {
    "GTT": GOOD_TILL_TIME,
    "IOC": IMMEDIATE_OR_CANCEL,
    "FOK": FILL_OR_KILL,
    "UNSPECIFIED": GOOD_TILL_TIME,
    None: GOOD_TILL_TIME,
}
SELF_TRADE_PREVENTIONS: Final[dict[int, SelfTradePrevention]] = {
    CANCEL_TAKER: "TAKER",
    CANCEL_MAKER: "MAKER",
    CANCEL_BOTH: "BOTH",
}
SELF_TRADE_CODES: Final[dict[SelfTradePrevention | None, int]] = {
    "TAKER": CANCEL_TAKER,
    "MAKER": CANCEL_MAKER,
    "BOTH": CANCEL_BOTH,
    "UNSPECIFIED": CANCEL_MAKER,
    None: CANCEL_MAKER,
}

# --- What an order update says. PARTIALLY_FILLED_CANCELLED is the seed's spelling, served by a switch; no released
# --- client reads it (specs/bluefin.md §9).

OrderStatus = Literal[
    "STANDBY",
    "OPEN",
    "PARTIALLY_FILLED_OPEN",
    "PARTIALLY_FILLED_CANCELED",
    "PARTIALLY_FILLED_CANCELLED",
    "FILLED",
    "CANCELLED",
    "EXPIRED",
    "PARTIALLY_FILLED_EXPIRED",
    "UNSPECIFIED",
]

# --- Why an order was refused or ended, and why a cancel was not.

CancelReason = Literal[
    "UNSPECIFIED",
    "INSUFFICIENT_MARGIN",
    "DUPLICATE_ORDER",
    "POST_ONLY_WOULD_TRADE",
    "INVALID_SYMBOL",
    "SIGNED_AT_TOO_OLD",
    "ORDER_EXPIRED",
    "INVALID_LEVERAGE",
    "INVALID_INPUT",
    "PRICE_OUT_OF_BOUND",
    "QUANTITY_OUT_OF_BOUND",
    "PRICE_OUT_OF_TICK_SIZE",
    "QUANTITY_OUT_OF_STEP_SIZE",
    "REDUCE_ONLY_WOULD_OPEN",
    "TOO_MANY_OPEN_ORDERS_ON_MARKET",
    "USER_CANCELLED",
    "USER_CANCELLED_ALL_ON_MARKET",
    "SELF_TRADE_PREVENTION",
    "LEVERAGE_UPDATE",
    "ACCOUNT_NOT_FOUND",
    "MARKET_NOT_TRADING",
    "INSUFFICIENT_LIQUIDITY",
    "POSITION_NOT_FOUND",
    "LIQUIDATION_OUT_OF_ORDER",
    "ACCOUNT_NOT_LIQUIDATABLE",
    "ORDER_NOT_REDUCING_POSITION",
    "USER_CANCELLED_ALL_STANDBY_ON_MARKET",
    "POSITION_EXCEEDS_MAX_OPEN_INTEREST",
    "ACCOUNT_DEAUTHORIZED",
    "TOO_MANY_MATCHES",
    "MARGIN_CALL",
    "INSUFFICIENT_BALANCE",
    "TRADE_QUANTITY_OUT_OF_BOUND",
    "MARKET_TAKE_BOUND_BREACHED",
    "ORDERS_EXCEED_MAX_OPEN_INTEREST",
]
CancelFailure = Literal[
    "ORDER_NOT_FOUND",
    "MARKET_NOT_FOUND",
    "ACCOUNT_NOT_FOUND",
    "NO_OPEN_ORDERS_ON_MARKET",
    "NO_FAILURE",
    "UNSPECIFIED",
]

# --- Streams.

SubscriptionMethod = Literal["Subscribe", "Unsubscribe"]
AccountStream = Literal[
    "AccountOrderUpdate",
    "AccountTradeUpdate",
    "AccountAggregatedTradeUpdate",
    "AccountPositionUpdate",
    "AccountUpdate",
    "AccountTransactionUpdate",
    "AccountCommandFailureUpdate",
]
AccountEventReason = Literal[
    "Deposit",
    "Withdraw",
    "OrderCreated",
    "OrderMatched",
    "OrderCancelled",
    "OrdersForMarketCancelled",
    "LeverageUpdated",
    "IsolatedMarginUpdated",
    "FundingRatePayment",
    "AccountGroupUpdated",
    "Unspecified",
]
MarketStream = Literal[
    "Recent_Trade",
    "Ticker",
    "Ticker_All",
    "Diff_Depth_10_ms",
    "Diff_Depth_200_ms",
    "Diff_Depth_500_ms",
    "Partial_Depth_5",
    "Partial_Depth_10",
    "Partial_Depth_20",
    "Oracle_Price",
    "Mark_Price",
    "Market_Price",
]
"""Those that are served; candlesticks are not."""
MarketEvent = Literal[
    "RecentTradesUpdates",
    "TickerUpdate",
    "TickerAllUpdate",
    "OraclePriceUpdate",
    "MarkPriceUpdate",
    "MarketPriceUpdate",
    "OrderbookDiffDepthUpdate",
    "OrderbookPartialDepthUpdate",
]
PriceSource = Literal["Oracle", "Mark", "Market"]
DepthLevel = Literal["5", "10", "20"]
CommandFailure = Literal[
    "UNSPECIFIED",
    "UNKNOWN_ADDRESS",
    "UNKNOWN_SYMBOL",
    "NO_POSITION",
    "INSUFFICIENT_BALANCE",
    "DUPLICATE_COMMAND_HASH",
    "INVALID_LEVERAGE",
    "UNKNOWN_MARKET",
    "WITHDRAW_ZERO",
    "UNEXPECTED",
]
FailedCommand = Literal["POSITION_ISOLATED_MARGIN_UPDATE", "POSITION_LEVERAGE_UPDATE", "WITHDRAW"]
