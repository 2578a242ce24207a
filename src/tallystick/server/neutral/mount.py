"""The venues of a host as the neutral API sees them: a row for each, with the ids that its dialect has on its wire."""

from tallystick.core.ids import IdCodec
from tallystick.dialects.sophic.view import View as SophicView
from tallystick.facts.venue import OrderPlaced
from tallystick.server.host import BLUEFIN, SOPHIC, Host
from tallystick.server.neutral.port import Venue


def venues(host: Host) -> list[Venue]:
    """All that it serves. Orders of an exchange are called by their hashes on its wire, and here as for operators."""
    sophic = SophicView(host.secret, SOPHIC)
    found = [Venue(SOPHIC, host.sophic.readers, host.index(SOPHIC), sophic.order_ids, sophic.trade_ids)]
    if host.bluefin is not None:
        orders, trades = IdCodec(host.secret, BLUEFIN, "ord"), IdCodec(host.secret, BLUEFIN, "trd")
        found.append(Venue(BLUEFIN, host.bluefin.readers, host.index(BLUEFIN), orders, trades, _order_hash))
    return found


def _order_hash(placed: OrderPlaced) -> str:
    return placed.client_key
