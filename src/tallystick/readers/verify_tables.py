"""The tables of what has left, judged against the fold: up to their position they hold just that, and hold it right."""

from pathlib import Path
from typing import Any, Final, cast

import apsw
import msgspec

from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts import records
from tallystick.facts.records import TradeRecord
from tallystick.readers.tables import LAYOUT
from tallystick.venue.snapshot import order_record, refusal_record, trade_record
from tallystick.venue.state import Refusal, State

_ADVICE: Final = "The journal has it all: stop the server and make them anew with `tallystick journal rebuild`."
_KINDS: Final = ("orders", "trades", "refusals")
_COUNTED: Final = f"SELECT sequence, {', '.join(f'(SELECT count(*) FROM {kind})' for kind in _KINDS)} FROM position"
_ORDER: Final = "SELECT account, client_key, record FROM orders WHERE number = ?"
_TRADE: Final = "SELECT record FROM trades WHERE number = ?"
_REFUSAL: Final = "SELECT account, client_key, record FROM refusals WHERE number = ?"


class TablesAudit:
    """Reads a file that a server may be writing to: rows are only ever added, so those of the beginning stay.

    ``objection`` is a sentence about the first thing that is wrong, "" for none; nothing raises. ``orders`` is how many
    the file held when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self.objection = ""
        self.orders = 0
        self._position = 0
        self._counted: tuple[int, ...] = (0, 0, 0)
        self._found = [0, 0, 0]
        self._shared: set[int] = set()
        self._connection: apsw.Connection | None = None
        if not path.exists():
            return
        try:
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._connection.set_busy_timeout(5000)
            layout = self._connection.execute("PRAGMA user_version").get
            if layout == 0:
                return  # nothing is in it yet
            if layout != LAYOUT:
                self._object(f"they are of layout {layout}, this version's is {LAYOUT}")
                return
            self._position, *counted = cast("tuple[int, ...]", self._connection.execute(_COUNTED).get)
            self._counted = tuple(counted)
            self.orders = counted[0]
        except (apsw.Error, TypeError) as error:
            self._object(f"they cannot be read ({error})")

    def take(self, state: State) -> None:
        """What left with the state's last entry."""
        left, refusals = state.left or [], state.left_refusals or []
        if not (left or refusals) or state.sequence > self._position or self._connection is None or self.objection:
            return
        try:
            for order, trades in left:
                self._take_order(order, state.sequence)
                for trade in trades:
                    self._take_trade(trade, state.sequence)
            for refusal in refusals:
                self._take_refusal(refusal, state.sequence)
        except (apsw.Error, msgspec.MsgspecError) as error:
            self._object(f"what left with entry {state.sequence} cannot be read ({error})")
        self._shared = {number for number in self._shared if number in state.trades}

    def finish(self, last: int) -> None:
        """The journal, which ends at ``last``, has all been taken."""
        if self._position > last:
            self._object(f"they go to sequence {self._position}, and the journal ends at {last}")
        elif list(self._counted) != self._found:
            held = ", ".join(f"{count} {kind}" for count, kind in zip(self._counted, _KINDS, strict=True))
            self._object(f"they hold {held}; {', '.join(map(str, self._found))} have left")
        if self._connection is not None:
            self._connection.close()

    def _take_order(self, order: Order, sequence: int) -> None:
        row = self._row(_ORDER, order.number)
        terms = order.terms
        if row is None:
            self._object(f"order {order.number}, which left with entry {sequence}, is missing")
        elif row[:2] != (order.account, terms.client_key or None) or records.decode(row[2]) != order_record(order):
            self._object(f"order {order.number}, which left with entry {sequence}, is not as it was")
        else:
            self._found[0] += 1

    def _take_trade(self, trade: Trade, sequence: int) -> None:
        if trade.number in self._shared:
            return
        self._shared.add(trade.number)
        row = self._row(_TRADE, trade.number)
        if row is None:
            self._object(f"trade {trade.number}, which left with entry {sequence}, is missing")
        elif _settled(records.decode(row[0])) != _settled(trade_record(trade)):
            self._object(f"trade {trade.number}, which left with entry {sequence}, is not as it was")
        else:
            self._found[1] += 1

    def _take_refusal(self, refusal: Refusal, sequence: int) -> None:
        terms = refusal.terms
        row = self._row(_REFUSAL, terms.refusal)
        if row is None:
            self._object(f"refusal {terms.refusal}, which left with entry {sequence}, is missing")
        elif row[:2] != (terms.account, terms.client_key) or records.decode(row[2]) != refusal_record(refusal):
            self._object(f"refusal {terms.refusal}, which left with entry {sequence}, is not as it was")
        else:
            self._found[2] += 1

    def _row(self, statement: str, number: int) -> tuple[Any, ...] | None:
        assert self._connection is not None
        return self._connection.execute(statement, (number,)).fetchone()

    def _object(self, reason: str) -> None:
        if not self.objection:
            self.objection = f"The tables {self._path} are wrong: {reason}. {_ADVICE}"


def _settled(record: Any) -> Any:
    """The trade without its holders, of which there are fewer the later it was written."""
    return msgspec.structs.replace(record, holders=0) if type(record) is TradeRecord else record
