"""The venues of a host as the neutral API sees them: a row for each, with the ids that its dialect has on its wire."""

from tallystick.dialects.sophic.view import View as SophicView
from tallystick.server.host import SOPHIC, Host
from tallystick.server.neutral.port import Venue


def venues(host: Host) -> list[Venue]:
    """All that it serves."""
    sophic = SophicView(host.secret, SOPHIC)
    return [Venue(SOPHIC, host.sophic.readers, host.index(SOPHIC), sophic.order_ids, sophic.trade_ids)]
