"""Orders' lives made of a seed: run it as a program, and it prints what came of them as JSON. No test by itself.

A venue says everything a venue can say, right and wrong, in any order, for as long as it takes.
"""

import json
import random
import sys
from hashlib import sha256
from typing import Any

import msgspec

from tallystick.cli.build_info import is_compiled
from tallystick.facts.client import decode, encode
from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, BY_STATUS
from tallystick.tracker.agenda import Question
from tallystick.tracker.fold import fold
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    AllFills,
    Amendment,
    Cancel,
    CancelReport,
    Gap,
    Kill,
    NotFound,
    OpenOrders,
    OrderReport,
    Position,
    Refusal,
    Release,
    TradeReport,
    Unanswered,
)
from tallystick.tracker.snapshot import state_hash
from tallystick.tracker.state import State
from tests.tracker.desk import BEGIN, SECOND, VENUE, Desk, check_grammar, fill, place, profile

STATUSES = (0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 7, -1)
SIZE = 2**66  # quantities leave 64 bits


class Lives:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        completion = (BY_STATUS, BY_BOTH, BY_FILLS)[seed % 3]
        terms = profile(completion, late_us=60 * SECOND, fills_wait_us=20 * SECOND, slack_us=SECOND)
        terms = msgspec.structs.replace(terms, absent_lists=1 + seed % 2, absent_us=SECOND)
        self.desk = Desk(terms, thorough=False)
        self.questions: list[Question] = []

    def step(self, number: int) -> None:
        desk = self.desk
        desk.now += self.random.randrange(2 * SECOND)
        if number % 5 == 0:
            desk.do(place(SIZE, f"c{number}", SIZE // 1000))
        recent = max(0, number // 5 * 5 - 5 * self.random.randrange(12))
        desk.do(self.observation(recent))
        if self.random.random() < 0.2:
            desk.wake()
            self.questions += desk.tracker.questions(desk.now, 20)
        if number % 997 == 0:
            desk.restart()
        if number % 1_000 == 999:  # its connector has learned to read sums, or names
            terms = desk.state.venues[VENUE].terms
            desk.join(msgspec.structs.replace(terms, fills=(terms.fills + 1) % 3))

    def observation(self, number: int) -> Any:
        chance = self.random
        ids = chance.choice(((f"c{number}", ""), ("", f"v{number}"), (f"c{number}", f"v{number}")))
        as_of = self.desk.now - chance.choice((0, 0, 0, 1, 7, 45)) * SECOND
        trade = f"t{number}.{chance.randrange(5)}"
        amount = SIZE * chance.choice((1, 2, 2, 3, 4, -1)) // 8
        kind = chance.choices(range(12), (30, 40, 6, 4, 4, 8, 8, 2, 2, 2, 2, 3))[0]
        if kind == 0:
            status = chance.choice(STATUSES)
            said, pending = chance.choice((-1, amount)), chance.choice((-1, 0, SIZE // 8))
            return OrderReport(VENUE, *ids, as_of, STREAM, status, said, word="odd", notional=said, pending=pending)
        if kind == 1:
            return fill(trade, amount, as_of, *ids, state=chance.choice((0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 7)))
        if kind == 2:
            return TradeReport(VENUE, "", "", as_of, STREAM, trade, chance.randrange(4))
        if kind == 3:
            return Refusal(VENUE, f"c{number}", "", as_of, SUBMIT, "no")
        if kind == 4:
            return Unanswered(VENUE, f"c{number}", "", as_of, SUBMIT, "timeout")
        if kind == 5:
            return CancelReport(VENUE, *ids, as_of, ANSWER, chance.randrange(5), "why")
        if kind == 6:
            return NotFound(VENUE, *ids, as_of, ANSWER)
        if kind == 7:
            listed = [OrderReport(VENUE, "", f"v{max(0, number - back)}", as_of, SNAPSHOT, 3) for back in (0, 5, 10)]
            return OpenOrders(VENUE, as_of, listed, [], chance.random() < 0.5)
        if kind == 8 and ids[0] in self.desk.state.venues[VENUE].by_client:
            return Cancel(VENUE, f"c{number}")
        if kind == 10:
            return AllFills(VENUE, *ids, as_of, ANSWER)
        if kind == 11:
            return Amendment(VENUE, *ids, as_of, STREAM, SIZE * chance.choice((0, 2, 8, 9, 12)) // 8, 100 + number % 3)
        about_all = (
            Gap(VENUE, "orders", as_of),
            Position(VENUE, "orders", str(number)),
            Kill(VENUE, str(number % 3)),
            Release(VENUE),
        )
        return chance.choice(about_all)


def live(seed: int, steps: int) -> dict[str, Any]:
    """What came of it, as values that JSON can hold."""
    lives = Lives(seed)
    for number in range(steps):
        lives.step(number)
    desk = lives.desk
    check_grammar(desk.entries)
    again = State()
    journal = sha256()
    kinds: dict[str, int] = {}
    for entry in desk.entries:
        body = encode(entry)
        journal.update(body)
        fold(again, decode(body))
        for event in entry.events:
            kinds[type(event).__name__] = kinds.get(type(event).__name__, 0) + 1
    return {
        "compiled": is_compiled(),
        "journal": journal.hexdigest(),
        "states": [state_hash(desk.state), state_hash(again)],
        "kinds": kinds,
        "questions": [(each.what, each.order, each.attempt, each.asked_at - BEGIN) for each in lives.questions],
    }


if __name__ == "__main__":
    print(json.dumps(live(int(sys.argv[1]), int(sys.argv[2]))))
