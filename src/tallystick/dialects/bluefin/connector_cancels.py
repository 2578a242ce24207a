"""Cancelling at a Bluefin exchange: by market, at most ten hashes in a request, acknowledged and told by the stream.

Orders that stand by have a call of their own, which answers with those that it has cancelled.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tallystick.connect.errors import Refused, VenueError
from tallystick.connect.http import decoded
from tallystick.connect.port import Context
from tallystick.core.lifecycle import DONE, REFUSED, REQUESTED, UNKNOWN
from tallystick.dialects.bluefin.connector_reports import SeenHashes
from tallystick.dialects.bluefin.connector_session import TRADE, BluefinSession, check
from tallystick.dialects.bluefin.hashes import bare_hash
from tallystick.tracker.observations import ANSWER, CancelReport

CANCEL: Final = f"{TRADE}/orders/cancel"
CANCEL_STANDBY: Final = f"{CANCEL}/standby"


class Cancellable(NamedTuple):
    """An order by its hash, and where it is; ``stands_by`` if it may still wait for its trigger price."""

    market: str
    stands_by: bool
    order_hash: str


class Cancels:
    def __init__(self, session: BluefinSession, context: Context) -> None:
        self._session: Final = session
        self._context: Final = context

    async def orders(self, wanted: Sequence[Cancellable]) -> list[CancelReport]:
        """A report for each. Where all are in one market it raises what a request does."""
        groups: dict[tuple[str, bool], list[str]] = {}
        for each in wanted:
            groups.setdefault((each.market, each.stands_by), []).append(each.order_hash)
        reports: list[CancelReport] = []
        for (market, stands_by), hashes in groups.items():
            if reports:
                await self._context.turn()
            asked_at = self._context.now()
            try:
                done = await self._ask(market, hashes, stands_by=stands_by)
            except VenueError as error:
                if len(groups) == 1:
                    raise
                outcome = REFUSED if isinstance(error, Refused) else UNKNOWN
                reports += [self._report(each, asked_at, outcome, error.code) for each in hashes]
                continue
            reports += [self._report(each, asked_at, DONE if each in done else REQUESTED) for each in hashes]
        return reports

    async def market(self, market: str) -> None:
        """All that the account has there."""
        for path in (CANCEL_STANDBY, CANCEL):
            check(await self._session.request("PUT", path, {"symbol": market}))

    async def _ask(self, market: str, hashes: list[str], *, stands_by: bool) -> frozenset[str]:
        """The hashes that are cancelled by now. One that stood by may have been triggered, and is open."""
        done: frozenset[str] = frozenset()
        if stands_by:
            body = {"symbol": market, "orderHashes": hashes}
            answer = check(await self._session.request("PUT", CANCEL_STANDBY, body))
            done = frozenset(map(bare_hash, decoded(answer.body, SeenHashes).order_hashes))
        others = [each for each in hashes if each not in done]
        if stands_by and others:
            await self._context.turn()
        if others:
            check(await self._session.request("PUT", CANCEL, {"symbol": market, "orderHashes": others}))
        return done

    def _report(self, order_hash: str, as_of: int, outcome: int, reason: str = "") -> CancelReport:
        return CancelReport(self._context.venue, "", order_hash, as_of, ANSWER, outcome, reason)
