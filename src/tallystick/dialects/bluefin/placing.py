"""An order's way in: what was sent, read and verified, becomes a command; what cannot be executed is left to the venue.

The door sees to schema, token and signature and to nothing else: an unknown market, a price of 0, a signature that is
too old are acknowledged, and refused by an event (seeds/002, specs/bluefin.md §9).
"""

import time
from collections.abc import Callable
from typing import Final

from tallystick.dialects.bluefin.errors import FORBIDDEN, RequestError, wrong_signature
from tallystick.dialects.bluefin.exchange_info import IDS_ID
from tallystick.dialects.bluefin.hashes import bare_hash, order_hash
from tallystick.dialects.bluefin.login import Session, Wallets
from tallystick.dialects.bluefin.naming import names_of
from tallystick.dialects.bluefin.signatures import SignatureError, leverage_message, message_signer, order_message
from tallystick.dialects.bluefin.trade_wire import AdjustLeverage
from tallystick.dialects.bluefin.trade_wire import CancelOrders as SentCancel
from tallystick.dialects.bluefin.trade_wire import PlaceOrder as SentOrder
from tallystick.dialects.bluefin.words import SELF_TRADE_CODES, SIDE_CODES, TIME_IN_FORCE_CODES, OrderType
from tallystick.facts.codes import (
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    LIMIT_ORDER,
    MARKET_ORDER,
    POST_ONLY,
    REDUCE_ONLY,
    UNITS,
)
from tallystick.facts.commands import CancelOrders, ChangeLeverage, PlaceOrder
from tallystick.facts.venue import Instructions
from tallystick.venue.state import State

US_PER_MS: Final = 1000
_LIMITS: Final[tuple[OrderType, ...]] = ("LIMIT", "STOP_LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
_MARKETS: Final[tuple[OrderType, ...]] = ("MARKET", "STOP_MARKET", "STOP_LOSS_MARKET", "TAKE_PROFIT_MARKET")
_TAKE_PROFITS: Final[tuple[OrderType, ...]] = ("TAKE_PROFIT_LIMIT", "TAKE_PROFIT_MARKET")


def wall_us() -> int:
    return time.time_ns() // 1000


class Placing:
    """``wallets`` says who may act for whom, ``wall`` tells the microseconds since the epoch, by which wallets
    sign. Its methods raise RequestError."""

    def __init__(self, wallets: Wallets, wall: Callable[[], int] = wall_us) -> None:
        self._wallets: Final = wallets
        self._wall: Final = wall

    def order(self, sent: SentOrder, session: Session, state: State, now: int) -> tuple[str, PlaceOrder]:
        """The order's hash and the command; ``now`` is the venue's time."""
        fields = sent.signed_fields
        account = fields.account_address.lower()
        signer = self._signer(order_message(fields), sent.signature, session, account, fields.ids_id)
        digest = order_hash(fields)
        market = state.market_named.get(fields.symbol)
        number = 0 if market is None else market.number
        kind = LIMIT_ORDER if sent.type in _LIMITS else MARKET_ORDER if sent.type in _MARKETS else 0
        side = SIDE_CODES.get(fields.side, 0)
        trigger, when = _trigger(sent, side)
        time_in_force = TIME_IN_FORCE_CODES[sent.time_in_force]
        if kind == MARKET_ORDER and time_in_force == GOOD_TILL_TIME:  # immediate, whatever it says
            time_in_force = IMMEDIATE_OR_CANCEL
        flags = (POST_ONLY if sent.post_only else 0) | (REDUCE_ONLY if sent.reduce_only else 0)
        instructions = Instructions(
            int(fields.price_e9) if kind == LIMIT_ORDER else 0,
            time_in_force,
            flags,
            SELF_TRADE_CODES[sent.self_trade_prevention_type],
            fields.expires_at_millis * US_PER_MS,
            trigger,
            when,
            int(fields.leverage_e9),
            self._on_the_venues_clock(fields.signed_at_millis, now),
            names_of(sent, signer, market_is_known=market is not None),
        )
        if sent.twap_config is not None:
            kind = 0  # such orders are not carried out here
        owner = state.account_named.get(account)
        of = 0 if owner is None else owner.number
        command = PlaceOrder(
            of, number, side, kind, UNITS, int(fields.quantity_e9), digest, by=signer, instructions=instructions
        )
        return digest, command

    def cancel(self, sent: SentCancel, session: Session, state: State, *, standby: bool) -> CancelOrders:
        """Cancels are not signed: a token that trades is enough."""
        account, market = state.account_named.get(session.account), state.market_named.get(sent.symbol)
        names = tuple(bare_hash(each) for each in sent.order_hashes or ())
        return CancelOrders(
            (),
            session.signer,
            "" if market is not None else sent.symbol,
            account=0 if account is None else account.number,
            market=0 if market is None else market.number,
            names=names,
            standby=standby,
        )

    def leverage(self, sent: AdjustLeverage, session: Session, state: State) -> ChangeLeverage:
        fields = sent.signed_fields
        account = fields.account_address.lower()
        signer = self._signer(leverage_message(fields), sent.signature, session, account, fields.ids_id)
        owner, market = state.account_named.get(account), state.market_named.get(fields.symbol)
        return ChangeLeverage(
            0 if owner is None else owner.number,
            0 if market is None else market.number,
            int(fields.leverage_e9),
            signer,
        )

    def _signer(self, message: bytes, signature: str, session: Session, account: str, ids_id: str) -> str:
        """Who signed it: the account itself, or a wallet that acts for it; and it is for this exchange."""
        session.require_trading()
        if account != session.account:
            raise RequestError(403, FORBIDDEN, "This token is for another account.")
        if ids_id.lower() != IDS_ID:
            raise RequestError(
                401, "INVALID_SIGNATURE", "It is signed for another exchange: see idsId of /exchange/info."
            )
        try:
            signer = message_signer(message, signature)
        except SignatureError:
            raise wrong_signature() from None
        if signer != account and not self._wallets.may_act_for(signer, account):
            raise wrong_signature()
        return signer

    def _on_the_venues_clock(self, signed_at_millis: int, now: int) -> int:
        """When it was signed, in the venue's time: that of a sandbox may be far from the clocks that wallets have."""
        age = self._wall() - signed_at_millis * US_PER_MS
        return now - age


def _trigger(sent: SentOrder, side: int) -> tuple[int, int]:
    """The price that it stands by for, and from which side; (0, 0) for an order that does not.

    A stop loses on purpose: it buys when the price has risen, and sells when it has fallen. A take-profit is the other
    way round.
    """
    if sent.type in ("LIMIT", "MARKET") or sent.trigger_price_e9 is None:
        stands_by = sent.type not in ("LIMIT", "MARKET")
        return 0, AT_OR_ABOVE if stands_by else 0  # without its price it is misformed, which the venue says
    rising = (side == BUY) != (sent.type in _TAKE_PROFITS)
    return int(sent.trigger_price_e9), AT_OR_ABOVE if rising else AT_OR_BELOW
