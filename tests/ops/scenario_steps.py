"""Scenarios in text, carried out through the doors: what a row does, and what is to be seen after it.

A row is ``does | status | USD | ACME | why``. Of each asset Alice has the first amount settled; after ``+`` is what she
is owed, after ``-`` what she owes and after ``#`` what is reserved. What has a ``!`` is refused, for the code in the
last column, and changes nothing. That column else says what fails, how the order ended, or what it waits for.
"""

from collections.abc import Callable
from typing import Any

import httpx

from tests.ops.behind_the_doors import HOUR, Doors

Post = Callable[..., httpx.Response]


class Scenario:
    """One order of Alice's, from its first row to its last."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self.order = ""

    def do(self, text: str) -> str:
        """Carry out what a row does; the code of the refusal, or ``""``."""
        verb, *rest = text.split()
        if verb in ("buy", "sell"):
            given = self._doors.place(verb, rest[0])
            if not given.startswith("ord_"):
                return given
            self.order = given
            self._doors.sandbox("/clock/advance", seconds=0)
            return ""
        answer = self._send(verb, rest[0] if rest else "")
        if answer.status_code in (200, 201):
            # A request for many orders is carried out a slice at a time.
            self._doors.sandbox("/clock/advance", seconds=0)
            return ""
        assert answer.status_code == 409, answer.text
        return str(answer.json()["code"])

    def seen(self) -> list[str]:
        """Status, cash, units, and what is told of the order."""
        history = self._doors.look(f"/orders/{self.order}") if self.order else None
        status = "-" if history is None else "settled" if _is_settled(history) else history["order"]["status"]
        cash, units = _short(self._doors.balance("USD")), _short(self._doors.balance("ACME"))
        return [status, cash, units, "-" if history is None else _told(history)]

    def _send(self, verb: str, word: str) -> httpx.Response:
        ops, sandbox = self._doors.try_ops, self._doors.try_sandbox
        price, account, market = "/markets/ins_acme/price", "/accounts/acc_alice", "/markets/ins_acme"
        order, stage = f"/orders/{self.order}", {"stage": word}
        steps: dict[str, tuple[Post, str, dict[str, Any]]] = {
            "price": (sandbox, price, {"mode": "set", "price": word}),
            "freeze": (sandbox, price, {"mode": "freeze"}),
            "silence": (sandbox, price, {"mode": "silence"}),
            "wait": (sandbox, "/clock/advance", {"seconds": int(word) * HOUR if verb == "wait" else 0}),
            "hold": (sandbox, "/hold", stage),
            "release": (sandbox, "/release", stage),
            "execute": (sandbox, f"{order}/execute", {"quantity": word} if word else {}),
            "fail": (sandbox, f"{order}/fail", {"retriable": word == "retriable", "reason": "street_closed"}),
            "settle": (sandbox, f"/trades/{self._trade()}/settle", {}),
            "fail-settlement": (sandbox, f"/trades/{self._trade()}/fail-settlement", {"reason": "no_delivery"}),
            "clear": (ops, f"{order}/prerequisite", {"passed": True}),
            "deny": (ops, f"{order}/prerequisite", {"passed": False}),
            "cancel": (ops, f"{order}/cancel", {"reason": "asked_by_phone"}),
            "halt": (ops, f"{market}/halt", {}),
            "resume-market": (ops, f"{market}/resume", {"status": word or "buy_sell"}),
            "suspend": (ops, f"{account}/suspend", {}),
            "resume": (ops, f"{account}/resume", {}),
            "flags": (ops, f"{account}/flags", {"flags": word.split(",") if word else []}),
        }
        post, path, body = steps[verb]
        return post(path, **body)

    def _trade(self) -> str:
        trades = self._doors.order(self.order)["trades"] if self.order else []
        return str(trades[-1]["id"]) if trades else "none"


def _is_settled(history: Any) -> bool:
    order = history["order"]
    return bool(order["status"] == "filled" and order["final"] and order["trades"])


def _short(balance: str) -> str:
    """Without what is zero."""
    settled, *others = balance.split()
    signed = zip("+-#", others, strict=True)
    return " ".join([settled, *(f"{sign}{amount}" for sign, amount in signed if amount.strip("0."))])


def _told(history: Any) -> str:
    """What fails, else how it ended, else what it waits for."""
    order, ended = history["order"], history["ended"]
    failing = [trade["retry"] for trade in order["trades"] if trade["retry"]]
    retry = failing[0] if failing else order["retry"]
    if retry:
        return f"{retry['reason']} {retry['attempts']}"
    if ended:
        verdict = "short:" if ended["verdict"] == "closed_short" else ended["verdict"]
        return " ".join(word for word in (verdict, ended["reason"]) if word)
    return f"for {order['waits_for']['prerequisite']}" if order["waits_for"] else "-"


def scenarios(text: str) -> list[tuple[str, list[list[str]]]]:
    """Each scenario's sentence and the cells of its rows."""
    found = []
    for block in text.strip().split("\n\n"):
        sentence, *rows = block.splitlines()
        found.append((sentence, [[cell.strip() for cell in row.split("|")] for row in rows]))
    return found
