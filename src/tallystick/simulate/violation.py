"""What the auditor can object to: the rules by name, and the objection."""

from typing import Final

RULES: Final = {
    # docs/design.md §6.1: acknowledged means durable
    "acknowledged": "what was answered as carried out stands in the journal, once, when it is answered",
    "revealed": "nothing is revealed that is not durable",
    "lost": "what was durable once stays, byte for byte, after every crash",
    "refused": "a refusal changed nothing, and there was a reason for it",
    "allowed": "nothing is carried out that there is a reason against",
    "answered": "every command is answered once, unless a crash came between",
    "once": "for a day a client key stands for one order, or for one refusal in the same words",
    "fenced": "a writer that was replaced writes nothing more",
    "stopped": "the venue stops for a fault of its storage and for nothing else",
    # docs/design.md §6.2: evidence is monotone
    "arrows": "a status moves along the lifecycle's arrows only",
    "numbers": "orders, trades, requests and accounts are numbered 1, 2, 3 …",
    "time": "venue time only grows",
    # seeds/004, specs/sophic.md §5: what an order waits for, and what ends it
    "waiting": "an order waits for a check or a price that it needs, and for nothing else",
    "held": "nothing goes by itself beyond a stage that is held",
    "due": "nothing goes on by itself before it is due",
    "reason": "an order ends early for a reason that there is",
    "closed short": "an order that has trades is closed short, and one that has none is cancelled",
    "halted": "no trade in a market, or for an account, that is stopped",
    "sweep": "a halt or a suspension ends every order that there was, and none that came after",
    # docs/design.md §6.3: the size equation, and the money of each trade
    "size": "consumed + pending never exceeds the size; what is left is released at the end",
    "price": "a trade is made at the price of its moment, or at an operator's, within the venue's limit",
    "quantity": "a quantity is a positive multiple of the increment",
    "notional": "quantity x price, half to even",
    "fees": "the fees on all of an order's trades are those of one, rounded up",
    "obligations": "a trade owes units for money and fees, and nothing moves before it settles",
    "settlement": "a trade settles when it is due, or when an operator says so, and an order when its last trade has",
    # docs/design.md §6.5: the ledger
    "balance": "each asset sums to zero over all accounts",
    "available": "no customer spends what is not there",
    "reserved": "what is reserved is what open orders need",
    # docs/design.md §6.6, §6.7: replay and subscribers
    "sequence": "entries are numbered 1, 2, 3 … and hold 1 to 1,024 events",
    "links": "an entry names, for each key it touches, the entry that touched it before",
    "replay": "replay, a snapshot too, gives the state that the writer and the readers have",
    "decided again": "the same commands at the same times give the same entries",
    "subscriber": "a subscriber sees each entry of its keys once and in order",
    "unforeseen": "nothing raises but what was provided for",
    # docs/design.md §6.10
    "finished": "when the faults stop, every order ends, every trade settles and every sweep finishes",
}


class Violation(Exception):
    """``rule`` is one of RULES, ``detail`` a sentence that shows the numbers."""

    def __init__(self, rule: str, detail: str) -> None:
        assert rule in RULES, rule
        super().__init__(rule, detail)
        self.rule = rule
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


def require(holds: bool, rule: str, detail: str) -> None:
    """Object unless it holds."""
    if not holds:
        raise Violation(rule, detail)
