"""What the trade service reads and answers: orders, cancels, leverage, margin, wallets (specs/bluefin.md §1.6)."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from tallystick.dialects.bluefin.wire import (
    E9,
    Address,
    Millis,
    OrderHash,
    Received,
    Sent,
    SentAddress,
    SentE9,
    SentSignature,
    SentText,
    camel,
    within_u64,
)
from tallystick.dialects.bluefin.words import (
    MarginOperation,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

CANCELLED_HASHES_MAX: Final = 10


class OrderFields(Received, frozen=True, kw_only=True):
    """What of an order is hashed and signed; ``ids_id`` is the id of the exchange's data store on its chain."""

    symbol: SentText
    account_address: SentAddress
    price_e9: SentE9
    quantity_e9: SentE9
    side: Side
    leverage_e9: SentE9
    is_isolated: bool
    salt: SentE9
    ids_id: SentAddress
    expires_at_millis: Millis
    signed_at_millis: Millis

    def __post_init__(self) -> None:
        within_u64(priceE9=self.price_e9, quantityE9=self.quantity_e9, leverageE9=self.leverage_e9, salt=self.salt)


class TwapConfig(Struct, frozen=True, kw_only=True, rename=camel):
    """How an order would be spread over time; such orders are not carried out here."""

    sub_orders_count: SentText | UnsetType | None = UNSET
    running_time_in_minutes: SentText | UnsetType | None = UNSET


class PlaceOrder(Received, frozen=True, kw_only=True):
    """A new order. What is not in ``signed_fields`` is not covered by the signature."""

    signed_fields: OrderFields
    signature: SentSignature
    type: OrderType
    reduce_only: bool
    client_order_id: SentText | None = None
    post_only: bool | None = None
    time_in_force: TimeInForce | None = None
    trigger_price_e9: SentE9 | None = None
    self_trade_prevention_type: SelfTradePrevention | None = None
    twap_config: TwapConfig | None = None

    def __post_init__(self) -> None:
        within_u64(triggerPriceE9=self.trigger_price_e9)


class OrderAcknowledged(Sent, frozen=True, kw_only=True):
    """The order was read, and will be decided; what became of it is told by the account's stream."""

    order_hash: OrderHash


class CancelOrders(Received, frozen=True, kw_only=True):
    """Orders to cancel on a market: these, or all of them where no hashes are given. An empty list is refused, for one
    that a client forgot to fill would otherwise cancel everything. A hash may be any text: one that is nobody's is an
    event."""

    symbol: SentText
    order_hashes: Annotated[list[SentText], Meta(min_length=1, max_length=CANCELLED_HASHES_MAX)] | None = None


class StandbyOrdersCancelled(Sent, frozen=True, kw_only=True):
    """The standby orders that were cancelled; this cancel alone is answered with its outcome."""

    order_hashes: list[OrderHash]


class OpenOrder(Sent, frozen=True, kw_only=True):
    """An order that is open, or standing by."""

    order_hash: OrderHash
    symbol: str
    account_address: Address
    signer_address: Address
    price_e9: E9
    quantity_e9: E9
    filled_quantity_e9: E9
    side: Side
    leverage_e9: E9
    is_isolated: bool
    salt: str
    expires_at_millis: Millis
    signed_at_millis: Millis
    type: OrderType
    reduce_only: bool
    post_only: bool
    time_in_force: TimeInForce
    status: OrderStatus
    self_trade_prevention_type: SelfTradePrevention
    order_time_at_millis: Millis
    updated_at_millis: Millis
    client_order_id: str | UnsetType = UNSET
    trigger_price_e9: E9 | UnsetType = UNSET
    twap_config: TwapConfig | UnsetType = UNSET


class LeverageFields(Received, frozen=True, kw_only=True):
    """The leverage of an account on a market. Changing it cancels the account's open orders there."""

    account_address: SentAddress
    symbol: SentText
    leverage_e9: SentE9
    salt: SentE9
    ids_id: SentAddress
    signed_at_millis: Millis

    def __post_init__(self) -> None:
        within_u64(leverageE9=self.leverage_e9, salt=self.salt)


class AdjustLeverage(Received, frozen=True, kw_only=True):
    signed_fields: LeverageFields
    signature: SentSignature


class MarginFields(Received, frozen=True, kw_only=True):
    """Margin to move to or from an isolated position."""

    ids_id: SentAddress
    account_address: SentAddress
    symbol: SentText
    operation: MarginOperation
    quantity_e9: SentE9
    salt: SentE9
    signed_at_millis: Millis

    def __post_init__(self) -> None:
        within_u64(quantityE9=self.quantity_e9, salt=self.salt)


class AdjustMargin(Received, frozen=True, kw_only=True):
    signed_fields: MarginFields
    signature: SentSignature


class AuthorizationFields(Received, frozen=True, kw_only=True):
    """A wallet that may, or may no longer, act for an account; which of the two is the request's path."""

    account_address: SentAddress
    authorized_account_address: SentAddress
    salt: SentE9
    ids_id: SentAddress
    signed_at_millis: Millis

    def __post_init__(self) -> None:
        within_u64(salt=self.salt)


class AuthorizeWallet(Received, frozen=True, kw_only=True):
    signed_fields: AuthorizationFields
    signature: SentSignature
    alias: SentText | None = None


class WithdrawalFields(Received, frozen=True, kw_only=True):
    """An amount to take out; ``eds_id`` is the id of another data store on the exchange's chain."""

    asset_symbol: SentText
    account_address: SentAddress
    amount_e9: SentE9
    salt: SentE9
    eds_id: SentAddress
    signed_at_millis: Millis

    def __post_init__(self) -> None:
        within_u64(amountE9=self.amount_e9, salt=self.salt)


class Withdraw(Received, frozen=True, kw_only=True):
    signed_fields: WithdrawalFields
    signature: SentSignature
