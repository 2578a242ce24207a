"""What an account's owner reads: the account, its positions, the frames of its stream (specs/bluefin.md §2)."""

from typing import Annotated, Final, Generic, TypeVar

from msgspec import UNSET, Meta, UnsetType

from tallystick.dialects.bluefin.login_wire import TOKEN_CHARACTERS_MAX
from tallystick.dialects.bluefin.wire import E9, Address, Millis, OrderHash, Received, Sent, Trade
from tallystick.dialects.bluefin.words import (
    AccountEventReason,
    AccountStream,
    CancelFailure,
    CancelReason,
    Client,
    CommandFailure,
    FailedCommand,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    SubscriptionMethod,
    TimeInForce,
    TransactionType,
)

T = TypeVar("T")
STREAMS_MAX: Final = 64


class TradingFees(Sent, frozen=True, kw_only=True):
    """Rates of an account's own; ``is_applied`` says whether they, or the market's, are charged."""

    maker_fee_e9: E9
    taker_fee_e9: E9
    is_applied: bool


class Asset(Sent, frozen=True, kw_only=True):
    symbol: str
    quantity_e9: E9
    effective_balance_e9: E9
    max_withdraw_quantity_e9: E9
    updated_at_millis: Millis


class AuthorizedWallet(Sent, frozen=True, kw_only=True):
    """A wallet that may act for the account."""

    address: Address
    authorized_at_millis: Millis
    alias: str | UnsetType = UNSET


class AccountUpdate(Sent, frozen=True, kw_only=True):
    """An account's figures, in its currency; ``cross_unrealized_loss_e9`` is positive and means a loss."""

    trading_fees: TradingFees
    can_trade: bool
    can_deposit: bool
    can_withdraw: bool
    cross_effective_balance_e9: E9
    cross_margin_required_e9: E9
    total_order_margin_required_e9: E9
    margin_available_e9: E9
    cross_maintenance_margin_required_e9: E9
    cross_maintenance_margin_available_e9: E9
    cross_maintenance_margin_ratio_e9: E9
    cross_leverage_e9: E9
    cross_unrealized_pnl_e9: E9
    total_unrealized_pnl_e9: E9
    cross_unrealized_loss_e9: E9
    cross_account_value_e9: E9
    total_account_value_e9: E9
    updated_at_millis: Millis
    assets: list[Asset]
    authorized_accounts: list[Address]
    authorized_wallets: list[AuthorizedWallet]
    group_id: str | UnsetType = UNSET


class PositionUpdate(Sent, frozen=True, kw_only=True):
    """A position; ``size_e9`` is unsigned, its direction is ``side``."""

    symbol: str
    avg_entry_price_e9: E9
    client_set_leverage_e9: E9
    liquidation_price_e9: E9
    mark_price_e9: E9
    notional_value_e9: E9
    size_e9: E9
    unrealized_pnl_e9: E9
    side: Side
    margin_required_e9: E9
    maintenance_margin_e9: E9
    is_isolated: bool
    isolated_margin_e9: E9
    updated_at_millis: Millis


class Position(PositionUpdate, frozen=True, kw_only=True):
    """A position as the account shows it, with what funding has paid or cost."""

    funding_rate_payment_all_time_e9: E9
    funding_rate_payment_since_change_e9: E9
    funding_rate_payment_since_opened_e9: E9


class Account(AccountUpdate, frozen=True, kw_only=True):
    account_address: Address
    positions: list[Position]


# --- The stream. An order update has one of two shapes and no word for which (specs/bluefin.md §2.2): their fields must
# --- stay apart, for a client refuses a payload that fits both.


class AccountSubscription(Received, frozen=True, kw_only=True):
    """A client's frame; ``auth_token`` is for those that cannot send a header."""

    method: SubscriptionMethod
    data_streams: Annotated[list[AccountStream], Meta(max_length=STREAMS_MAX)]
    auth_token: Annotated[str, Meta(max_length=TOKEN_CHARACTERS_MAX)] | None = None

    def __repr__(self) -> str:
        return f"AccountSubscription({self.method!r}, {self.data_streams!r})"


class AccountFrame(Sent, Generic[T], frozen=True, kw_only=True):
    """What happened to an account, and in which cause."""

    event: AccountStream
    reason: AccountEventReason
    payload: T


class ActiveOrderUpdate(Sent, frozen=True, kw_only=True):
    """An order that lives or was filled, after what happened; ``filled_quantity_e9`` is of all its trades so far."""

    order_hash: OrderHash
    symbol: str
    account_address: Address
    price_e9: E9
    quantity_e9: E9
    filled_quantity_e9: E9
    side: Side
    leverage_e9: E9
    is_isolated: bool
    salt: str
    expires_at_millis: Millis
    signed_at_millis: Millis
    signer_address: Address
    type: OrderType
    reduce_only: bool
    post_only: bool
    time_in_force: TimeInForce
    status: OrderStatus
    self_trade_prevention_type: SelfTradePrevention
    created_at_millis: Millis
    updated_at_millis: Millis
    client_order_id: str | UnsetType = UNSET
    trigger_price_e9: E9 | UnsetType = UNSET
    client: Client | UnsetType = UNSET


class OrderCancellationUpdate(Sent, frozen=True, kw_only=True):
    """An order that was refused or cancelled, or a cancel that failed.

    A cancel that failed has its ``failure_to_cancel_reason``, and null for a reason by default, which the seed says and
    strict clients drop (specs/bluefin.md §9); its ``order_hash`` is what was asked for, empty if that was all orders.
    """

    order_hash: str
    symbol: str
    account_address: Address
    created_at_millis: Millis
    cancellation_reason: CancelReason | None
    remaining_quantity_e9: E9
    failure_to_cancel_reason: CancelFailure | None = None
    client_order_id: str | UnsetType = UNSET


class TradeUpdate(Sent, frozen=True, kw_only=True):
    """One trade, or what an order traded at once taken together."""

    trade: Trade


class TransactionUpdate(Sent, frozen=True, kw_only=True):
    """A change of a balance."""

    transaction_type: TransactionType
    amount_e9: E9
    executed_at_millis: Millis
    symbol: str | UnsetType = UNSET
    asset_symbol: str | UnsetType = UNSET
    trade_id: str | UnsetType = UNSET


class CommandFailureUpdate(Sent, frozen=True, kw_only=True):
    """A request that was acknowledged and then refused, and was not an order."""

    reason: str
    reason_code: CommandFailure
    failed_command_type: FailedCommand
    failed_command_type_code: FailedCommand
    failed_at_millis: Millis
