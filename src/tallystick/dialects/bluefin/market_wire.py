"""What anybody may read: the exchange's markets, their books and tickers, and the frames of the market stream."""

from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta

from tallystick.dialects.bluefin.wire import E9, Address, Millis, Received, Sent, SentText, Trade
from tallystick.dialects.bluefin.words import (
    DepthLevel,
    MarketEvent,
    MarketStatus,
    MarketStream,
    Network,
    PriceSource,
    SubscriptionMethod,
)

T = TypeVar("T")
MARKETS_MAX: Final = 64
STREAMS_MAX: Final = 64
Direction = Annotated[int, Meta(ge=-1, le=1)]
Level = tuple[E9, E9]
"""A price, and the quantity at it."""


# --- The exchange (specs/bluefin.md §1.4). Strict clients refuse it whole if anything is missing.


class Operators(Sent, frozen=True, kw_only=True):
    admin: Address
    operator: Address
    sequencer: Address
    funding: Address
    fee: Address


class ContractsConfig(Sent, frozen=True, kw_only=True):
    """Ids on the exchange's chain; orders are signed for ``ids_id``."""

    eds_id: Address
    ids_id: Address
    network: Network
    base_contract_address: Address
    current_contract_address: Address
    operators: Operators


class AssetConfig(Sent, frozen=True, kw_only=True):
    asset_type: str
    symbol: str
    decimals: int
    weight: str
    margin_available: bool


class Market(Sent, frozen=True, kw_only=True):
    """A market and its rules; ``trading_start_time_at_millis`` alone of all times is a string.

    ``max_notional_at_open_e9`` has the largest notional at a leverage of 1, of 2, and so on.
    """

    symbol: str
    market_address: Address
    status: MarketStatus
    base_asset_symbol: str
    base_asset_name: str
    base_asset_decimals: int
    step_size_e9: E9
    tick_size_e9: E9
    min_order_quantity_e9: E9
    max_limit_order_quantity_e9: E9
    max_market_order_quantity_e9: E9
    min_order_price_e9: E9
    max_order_price_e9: E9
    maintenance_margin_ratio_e9: E9
    initial_margin_ratio_e9: E9
    insurance_pool_ratio_e9: E9
    default_leverage_e9: E9
    max_notional_at_open_e9: list[E9]
    min_trade_quantity_e9: E9
    max_trade_quantity_e9: E9
    min_trade_price_e9: E9
    max_trade_price_e9: E9
    max_funding_rate_e9: E9
    default_maker_fee_e9: E9
    default_taker_fee_e9: E9
    insurance_pool_address: Address
    fee_pool_address: Address
    trading_start_time_at_millis: str
    mtb_long_e9: E9
    mtb_short_e9: E9
    delisting_price_e9: E9
    isolated_only: bool


class ExchangeInfo(Sent, frozen=True, kw_only=True):
    assets: list[AssetConfig]
    contracts_config: ContractsConfig
    markets: list[Market]
    trading_gas_fee_e9: E9
    server_time_at_millis: Millis
    timezone: str


class Depth(Sent, frozen=True, kw_only=True):
    """The best levels of a book, best first; the best prices and quantities are "0" on a side that is empty."""

    symbol: str
    last_update_id: int
    updated_at_millis: Millis
    response_sent_at_millis: Millis
    best_bid_price_e9: E9
    best_bid_quantity_e9: E9
    best_ask_price_e9: E9
    best_ask_quantity_e9: E9
    bids_e9: list[Level]
    asks_e9: list[Level]


class TickerUpdate(Sent, frozen=True, kw_only=True):
    """A market at a glance; a direction is -1, 0 or 1 against the price before."""

    symbol: str
    last_quantity_e9: E9
    last_time_at_millis: Millis
    last_price_e9: E9
    last_funding_rate_e9: E9
    next_funding_time_at_millis: Millis
    avg_funding_rate_8hr_e9: E9
    oracle_price_e9: E9
    oracle_price_direction: Direction
    mark_price_e9: E9
    mark_price_direction: Direction
    market_price_e9: E9
    market_price_direction: Direction
    best_bid_price_e9: E9
    best_bid_quantity_e9: E9
    best_ask_price_e9: E9
    best_ask_quantity_e9: E9
    open_interest_e9: E9
    high_price_24hr_e9: E9
    low_price_24hr_e9: E9
    volume_24hr_e9: E9
    quote_volume_24hr_e9: E9
    close_price_24hr_e9: E9
    open_price_24hr_e9: E9
    close_time_24hr_at_millis: Millis
    open_time_24hr_at_millis: Millis
    first_id_24hr: int
    last_id_24hr: int
    count_24hr: str
    price_change_24hr_e9: E9
    price_change_percent_24hr_e9: E9
    updated_at_millis: Millis


class Ticker(TickerUpdate, frozen=True, kw_only=True):
    estimated_funding_rate_e9: E9


# --- The stream.


class MarketStreams(Received, frozen=True, kw_only=True):
    """Streams of one market; the symbol is empty for Ticker_All."""

    symbol: SentText
    streams: Annotated[list[MarketStream], Meta(max_length=STREAMS_MAX)]


class MarketSubscription(Received, frozen=True, kw_only=True):
    """A client's frame."""

    method: SubscriptionMethod
    data_streams: Annotated[list[MarketStreams], Meta(max_length=MARKETS_MAX)]


class MarketFrame(Sent, Generic[T], frozen=True, kw_only=True):
    event: MarketEvent
    payload: T


class RecentTrades(Sent, frozen=True, kw_only=True):
    trades: list[Trade]


class AllTickers(Sent, frozen=True, kw_only=True):
    ticker_all: list[TickerUpdate]


class PriceUpdate(Sent, frozen=True, kw_only=True):
    symbol: str
    price_e9: E9
    source: PriceSource
    updated_at_millis: Millis


class DiffDepth(Sent, frozen=True, kw_only=True):
    """Levels that have changed, each with its quantity now, "0" where it is gone; ids are of the changes in it."""

    symbol: str
    updated_at_millis: Millis
    bids_e9: list[Level]
    asks_e9: list[Level]
    first_update_id: int
    last_update_id: int


class PartialDepth(Sent, frozen=True, kw_only=True):
    """The best ``depth_level`` levels of each side."""

    symbol: str
    updated_at_millis: Millis
    bids_e9: list[Level]
    asks_e9: list[Level]
    orderbook_update_id: int
    depth_level: DepthLevel
