"""A transfer's reference: known again by the customers' accounts, for the last so many, through records and replay."""

from tallystick.facts.commands import Accepted, Exists, Refused, Transfer
from tallystick.facts.venue import decode, encode
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import dump, load, state_hash
from tallystick.venue.state import REFERENCES_MAX, State
from tests.stage import ALICE, BOB, STREET, WORLD_ACCOUNT, Stage


class Bank(Stage):
    """A stage where what was done before is an answer as any other."""

    through_records = True

    def send(self, payer: int, payee: int, amount: int, reference: str):
        self.now = max(self.now, self.state.time + 1)
        decision = self.engine.decide(Transfer(payer, payee, "USD", amount, reference=reference), self.now)
        self._keep(decision.entry)
        return decision.answer


SENT = [
    ("the first time it is made", (WORLD_ACCOUNT, ALICE, 500, "a"), Accepted, 500),
    ("the same again is not made again", (WORLD_ACCOUNT, ALICE, 500, "a"), Exists, 500),
    ("another amount under it is refused", (WORLD_ACCOUNT, ALICE, 501, "a"), Refused, 500),
    ("the other direction under it is refused", (ALICE, WORLD_ACCOUNT, 500, "a"), Refused, 500),
    ("another customer knows nothing of it", (WORLD_ACCOUNT, BOB, 500, "a"), Accepted, 500),
    ("without a reference each is made", (WORLD_ACCOUNT, ALICE, 500, ""), Accepted, 1000),
    ("without a reference each is made, again", (WORLD_ACCOUNT, ALICE, 500, ""), Accepted, 1500),
    ("between customers it is known to both", (ALICE, BOB, 100, "b"), Accepted, 1400),
    ("so neither may use it for something else", (WORLD_ACCOUNT, BOB, 100, "b"), Refused, 1400),
    ("the venue's own accounts remember none", (WORLD_ACCOUNT, STREET, 100, "b"), Accepted, 1400),
]


def test_a_reference_stands_for_one_transfer_of_its_customer() -> None:
    bank = Bank()
    before = bank.readers.accounts[ALICE].book.look(1).settled
    for sentence, transfer, kind, more in SENT:
        assert type(bank.send(*transfer)) is kind, sentence
        assert bank.readers.accounts[ALICE].book.look(1).settled == before + more, sentence
    replayed = State()
    for entry in bank.entries:
        fold(replayed, decode(encode(entry)))
    assert state_hash(replayed) == state_hash(bank.state) == state_hash(load(dump(bank.state)))


def test_the_last_so_many_are_known_and_those_before_them_not() -> None:
    bank = Bank()
    bank.through_records = False
    for number in range(REFERENCES_MAX + 1):
        assert type(bank.send(WORLD_ACCOUNT, ALICE, 1, f"r{number}")) is Accepted
    assert type(bank.send(WORLD_ACCOUNT, ALICE, 1, "r1")) is Exists
    assert list(load(dump(bank.state)).accounts[ALICE].transfers) == list(bank.state.accounts[ALICE].transfers)
    assert type(bank.send(WORLD_ACCOUNT, ALICE, 1, "r0")) is Accepted
