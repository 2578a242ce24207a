"""Scenarios as tables in text: each row is what is done, and then what is there to be seen, and what was said.

A row: what is done | the status of every order | Alice's cash | her units | the facts, in their order. Cash and units
are settled, receivable, payable and reserved; two dots for what is as it was in the row before. A refused command says
``! code``. A row in which nothing is done goes on with the facts of the row before.
"""

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from tallystick.core.amounts import parse, render
from tallystick.facts import codes
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    Hold,
    Refused,
    SettleTrade,
)
from tallystick.facts.venue import Entry
from tallystick.venue.calendar import DAY_US, date_text, day_number
from tests.stage import ACME, ALICE, BOB, PRICE_SCALE, SECOND, UNIT_SCALE, Stage

WHO = {"alice": ALICE, "bob": BOB}


class Play:
    """A stage on which the verbs of a table are performed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def perform(self, row: str) -> str:
        """Do it; what the facts, or the refusal, said."""
        verb, *words = row.split()
        seen = len(self.stage.entries)
        answer = getattr(self, verb)(*words)
        said = [spoken(event, entry, index) for entry in self.stage.entries[seen:] for index, event in numbered(entry)]
        if isinstance(answer, Refused):
            said.append(f"! {answer.code}")
        return ", ".join(said) or "-"

    # --- The public's verbs ---

    def buy(self, cash: str, key: str = "") -> Any:
        return self.stage.buy(cash, client_key=key, fingerprint=key and cash)

    def sell(self, quantity: str, key: str = "") -> Any:
        return self.stage.sell(quantity, client_key=key, fingerprint=key and quantity)

    def quote(self, price: str) -> None:
        self.stage.quote(price)

    def wait(self, seconds: str) -> None:
        self.stage.wait(float(seconds))

    def until(self, date: str, time: str) -> None:
        """Wait until then, UTC."""
        year, month, day = map(int, date.split("-"))
        hours, minutes = map(int, time.split(":"))
        then = day_number(year, month, day) * DAY_US + (hours * 60 + minutes) * 60 * SECOND
        self.stage.wait((then - self.stage.now) / SECOND)

    # --- Operators' and testers' verbs ---

    def market(self, status: str) -> Any:
        return self._ask(ChangeMarket(ACME, codes.TRADING_STATUS_NAMES.index(status), "op", "said so"))

    def account(self, status: str, who: str = "alice") -> Any:
        return self._ask(ChangeAccount(WHO[who], codes.ACCOUNT_STATUS_NAMES.index(status), by="op"))

    def flags(self, *names: str) -> Any:
        bits = sum(1 << codes.ACCOUNT_FLAG_NAMES.index(name) for name in names)
        return self._ask(ChangeAccount(ALICE, flags=bits, by="op"))

    def clear(self, order: str) -> Any:
        return self._ask(ClearPrerequisite(int(order), True, "op"))

    def object(self, order: str) -> Any:
        return self._ask(ClearPrerequisite(int(order), False, "op"))

    def cancel(self, *orders: str) -> Any:
        return self._ask(CancelOrders(tuple(map(int, orders)), "op", "asked"))

    def fail(self, order: str, reason: str = "") -> Any:
        return self._ask(FailExecution(int(order), True, "op", reason))

    def refuse(self, order: str, reason: str = "") -> Any:
        return self._ask(FailExecution(int(order), False, "op", reason))

    def part(self, order: str, quantity: str = "0", price: str = "0") -> Any:
        return self._ask(ExecutePart(int(order), parse(quantity, UNIT_SCALE), parse(price, PRICE_SCALE), "op"))

    def settle(self, trade: str) -> Any:
        return self._ask(SettleTrade(int(trade), False, "op"))

    def unsettle(self, trade: str, reason: str = "") -> Any:
        return self._ask(SettleTrade(int(trade), True, "op", reason))

    def hold(self, stage: str, market: str = "acme") -> Any:
        return self._ask(Hold(codes.STAGE_NAMES.index(stage), ACME if market == "acme" else 0))

    def release(self, stage: str, market: str = "acme") -> Any:
        return self._ask(Hold(codes.STAGE_NAMES.index(stage), ACME if market == "acme" else 0, True))

    def _ask(self, command: Any) -> Any:
        answer = self.stage.do(command)
        self.stage.wake()
        return answer

    # --- What is to be seen ---

    def statuses(self) -> str:
        state = self.stage.readers
        shown = []
        for number, order in state.orders.items():
            done = order.is_settled() and order.progress.trades
            shown.append("SETTLED" if done else self.stage.status(number))
        runs = [(status, len(list(run))) for status, run in groupby(shown)]
        return " ".join(status if count == 1 else f"{status}*{count}" for status, count in runs) or "-"


def numbered(entry: Entry) -> list[tuple[int, Any]]:
    return list(enumerate(entry.events))


SPOKEN: dict[str, Callable[[Any], str]] = {
    "MarketChanged": lambda it: f"market {codes.TRADING_STATUS_NAMES[it.status]}",
    "AccountChanged": lambda it: f"account {codes.ACCOUNT_STATUS_NAMES[it.status]}",
    "OrderPlaced": lambda it: f"placed {it.order}",
    "OrderWaiting": lambda it: f"{it.order} waits for {codes.PREREQUISITE_NAMES[it.prerequisite]}",
    "PrerequisiteCleared": lambda it: f"{it.order} cleared {codes.PREREQUISITE_NAMES[it.prerequisite]}",
    "OrderOpened": lambda it: f"{it.order} opened",
    "OrderFilled": lambda it: f"{it.order} filled {codes.VERDICT_NAMES[it.verdict]} {it.reason}".rstrip(),
    "OrderCancelled": lambda it: f"{it.order} cancelled {it.reason}",
    "OrderRefused": lambda it: f"refused {it.client_key} {it.code}",
    "OrderSettled": lambda it: f"{it.order} settled",
    "TradeMade": lambda it: (
        f"{it.order} trade {brief(render(it.legs[0].quantity, UNIT_SCALE))} at {brief(render(it.price, PRICE_SCALE))}"
    ),
    "TradeSettled": lambda it: f"trade {it.trade} settled",
    "CancelRequested": lambda it: f"cancel {codes.SCOPE_NAMES[it.scope]}",
    "CancelRefused": lambda it: f"{it.order} kept {it.reason}",
    "CancelFinished": lambda _it: "cancel finished",
}


def spoken(event: Any, entry: Entry, index: int) -> str:
    """The fact in a few words."""
    kind = type(event).__name__
    if kind == "ExecutionFailed":
        return f"{event.order} failed {event.reason}, again in {(event.due - entry.time) / SECOND:g}"
    if kind == "SettlementFailed":
        return f"trade {event.trade} unsettled {event.reason}, again in {(event.due - entry.time) / SECOND:g}"
    return SPOKEN[kind](event)


def brief(amounts: str) -> str:
    """Amounts without the zeros at their end."""
    return re.sub(r"(\.\d*?)0+\b", r"\1", amounts).replace(". ", " ").rstrip(".")


def scenarios(text: str) -> list[Any]:
    """Each block of the text as a parameter, named by its sentence."""
    found = []
    for block in text.strip().split("\n\n"):
        sentence, *lines = block.splitlines()
        rows: list[list[str]] = []
        for line in lines:
            row = [cell.strip() for cell in line.split("|")]
            if row[0]:
                rows.append(row)
            else:
                rows[-1][-1] += f" {row[-1]}"
        found.append(pytest.param(rows, id=sentence))
    return found


def play(stage: Stage, rows: list[list[str]]) -> None:
    """Perform every row and hold what is seen against it."""
    performer, cash, units = Play(stage), "", ""
    for does, statuses, cash_now, units_now, says in rows:
        said = performer.perform(does)
        cash = cash if cash_now == ".." else cash_now
        units = units if units_now == ".." else units_now
        shown = (performer.statuses(), brief(stage.cash()), brief(stage.units()), said)
        assert shown == (statuses, cash, units, says), does


def value_dates(stage: Stage) -> list[str]:
    """The value date of every trade in the state."""
    return [date_text(trade.terms.value_date) for trade in stage.readers.trades.values()]
