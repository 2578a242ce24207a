"""What the exchange says of itself: its markets and their rules, complete, for strict clients read it whole
(specs/bluefin.md §1.4).

There is no chain behind this exchange: its ids are stand-ins of the right form, and the same on every machine, so that
an order that was signed for it is signed for no other.
"""

from hashlib import blake2b
from typing import Final

from tallystick.dialects.bluefin.market_wire import AssetConfig, ContractsConfig, ExchangeInfo, Operators
from tallystick.dialects.bluefin.market_wire import Market as ShownMarket
from tallystick.dialects.bluefin.view import ZERO, millis
from tallystick.dialects.bluefin.words import MarketStatus
from tallystick.facts.codes import NOT_TRADING
from tallystick.venue.positions import PARTS
from tallystick.venue.state import Market, State

NOTIONALS: Final = 10
UNBOUNDED: Final = str(10**18)


def stand_in(name: str) -> str:
    """An address that nobody has the key of."""
    return "0x" + blake2b(name.encode(), digest_size=32, person=b"tallystick").hexdigest()


IDS_ID: Final = stand_in("internal data store")
"""What orders are signed for."""
EDS_ID: Final = stand_in("external data store")


def exchange_info(state: State, now: int) -> ExchangeInfo:
    """As of ``now``, in the venue's microseconds."""
    markets = [market for market in state.markets.values() if market.contract is not None]
    currencies = {market.currency.number: market.currency for market in markets}
    return ExchangeInfo(
        assets=[
            AssetConfig(
                asset_type=stand_in(asset.name),
                symbol=asset.name,
                decimals=asset.scale,
                weight=str(PARTS),
                margin_available=True,
            )
            for asset in currencies.values()
        ],
        contracts_config=ContractsConfig(
            eds_id=EDS_ID,
            ids_id=IDS_ID,
            network="devnet",
            base_contract_address=stand_in("base contract"),
            current_contract_address=stand_in("current contract"),
            operators=Operators(
                admin=stand_in("admin"),
                operator=stand_in("operator"),
                sequencer=stand_in("sequencer"),
                funding=stand_in("funding"),
                fee=stand_in("fee"),
            ),
        ),
        markets=[shown_market(market) for market in markets],
        trading_gas_fee_e9=ZERO,
        server_time_at_millis=millis(now),
        timezone="UTC",
    )


def base_of(market: Market) -> str:
    """What is traded in it, as ETH in ETH-PERP."""
    return market.name.partition("-")[0]


def shown_market(market: Market) -> ShownMarket:
    """The market's terms. What this exchange does not have (funding, an insurance pool) is zero."""
    contract = market.contract
    assert contract is not None
    most = str(contract.quantity_max)
    status: MarketStatus = "MAINTENANCE" if market.status == NOT_TRADING else "ACTIVE"
    return ShownMarket(
        symbol=market.name,
        market_address=stand_in(f"market {market.name}"),
        status=status,
        base_asset_symbol=base_of(market),
        base_asset_name=market.title,
        base_asset_decimals=market.unit.scale,
        step_size_e9=str(market.increment),
        tick_size_e9=str(contract.tick),
        min_order_quantity_e9=str(market.quantity_min),
        max_limit_order_quantity_e9=most,
        max_market_order_quantity_e9=str(contract.market_quantity_max),
        min_order_price_e9=str(contract.price_min),
        max_order_price_e9=str(contract.price_max),
        maintenance_margin_ratio_e9=str(contract.maintenance_margin),
        initial_margin_ratio_e9=str(contract.initial_margin),
        insurance_pool_ratio_e9=ZERO,
        default_leverage_e9=str(contract.leverage),
        max_notional_at_open_e9=[UNBOUNDED] * NOTIONALS,
        min_trade_quantity_e9=str(market.increment),
        max_trade_quantity_e9=most,
        min_trade_price_e9=str(contract.price_min),
        max_trade_price_e9=str(contract.price_max),
        max_funding_rate_e9=ZERO,
        default_maker_fee_e9=str(contract.maker_fee),
        default_taker_fee_e9=str(contract.taker_fee),
        insurance_pool_address=stand_in("insurance pool"),
        fee_pool_address=stand_in("fee pool"),
        trading_start_time_at_millis=ZERO,
        mtb_long_e9=str(PARTS),
        mtb_short_e9=str(PARTS),
        delisting_price_e9=ZERO,
        isolated_only=False,
    )
