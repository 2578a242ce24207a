"""What a venue that says sums has said of an order's fills, and what of them listeners were told."""


class Sums:
    """``told_notional``, ``matched_at``, ``matched``, ``consumed``, ``quantity``, ``notional`` and ``pending``: as in
    SumsBelieved. The fills that were told come to ``said_consumed``, ``said_quantity`` and ``said_notional``; so many
    of them (``unnamed``) were told under names of ours."""

    __slots__ = (
        "consumed",
        "matched",
        "matched_at",
        "notional",
        "pending",
        "quantity",
        "said_consumed",
        "said_notional",
        "said_quantity",
        "told_notional",
        "unnamed",
    )

    def __init__(self) -> None:
        self.told_notional = 0
        self.matched_at = 0
        self.matched = 0
        self.consumed = 0
        self.quantity = 0
        self.notional = 0
        self.pending = 0
        self.said_consumed = 0
        self.said_quantity = 0
        self.said_notional = 0
        self.unnamed = 0

    def say(self, trade: str, consumed: int, quantity: int, notional: int) -> None:
        """Listeners are told of a fill."""
        self.said_consumed += consumed
        self.said_quantity += quantity
        self.said_notional += notional
        if trade == self.next_name():
            self.unnamed += 1

    def resay(self, said: tuple[int, ...]) -> None:
        """This was told: the inverse of ``said``."""
        self.said_consumed, self.said_quantity, self.said_notional, self.unnamed = said

    def next_name(self) -> str:
        """What a fill without a name is told as."""
        return f"~{self.unnamed + 1}"

    def believed(self) -> tuple[int, ...]:
        """What follows from the evidence."""
        return (
            self.told_notional,
            self.matched_at,
            self.matched,
            self.consumed,
            self.quantity,
            self.notional,
            self.pending,
        )

    def said(self) -> tuple[int, ...]:
        """What was told."""
        return (self.said_consumed, self.said_quantity, self.said_notional, self.unnamed)
