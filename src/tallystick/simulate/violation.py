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
    # seeds/002, specs/bluefin.md §3: an exchange
    "turn": "the best price trades first, and of one price who came first",
    "crossed": "no buyer rests at a price at which a seller rests",
    "whole": "an order that is filled or killed is filled whole or not at all",
    "self trade": "nobody trades with themselves",
    "reduce only": "an order that only reduces never opens",
    "margin": "what an order or a trade opens is margined, and what is needed for that is not paid out",
    "result": "closing a position realises its share of the cost, and no position has no cost",
    "trigger": "an order that stands by is worked when its price was traded, and not before",
    "cancelled": "a cancel ends what it names and nothing else, and tells of each",
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
    # What goes out, docs/design.md §6.7: followers; webhooks at least once
    "followed": "a follower sees each event of its owner's once and in order, whatever broke",
    "delivered": "every event reaches every endpoint at least once, or stands in sight as failed",
    "sent": "attempts of one delivery are alike, signed, of a durable event, and not before the endpoint wants them",
    "ordered": "where order is asked for, no event of an order is sent before the one before it is over",
    # The client half, docs/design.md §5
    "intended": "an order is durable in the client's journal before its request leaves",
    "sent once": "what a strategy intended once is sent under one id, with the same terms however often",
    "grammar": "per order: Created, then fills, each once, then one end; what comes after it is marked late",
    "told": "a listener that goes on from its position has seen each event once and in order, whatever crashed",
    "client replay": "replay gives the state that the client's writer and readers have",
    "rest": "when the faults stop, the world comes to rest",
    # docs/design.md §6.10
    "halves": "when the faults stop, the two halves match",
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
