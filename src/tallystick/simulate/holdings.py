"""What each account has of each asset, in the auditor's books: four plain columns, keyed by (account, asset)."""

from collections import Counter
from typing import Final

Holding = tuple[int, int]


class Holdings:
    """``touched`` are the holdings that the present entry has changed, ``known`` those that ever were."""

    def __init__(self) -> None:
        self.settled: Final[Counter[Holding]] = Counter()
        self.receivable: Final[Counter[Holding]] = Counter()
        self.payable: Final[Counter[Holding]] = Counter()
        self.reserved: Final[Counter[Holding]] = Counter()
        self.touched: Final[dict[Holding, None]] = {}
        self.known: Final[set[Holding]] = set()

    def total(self, holding: Holding) -> int:
        """All that an account has of an asset: settled, owed to it, and owing."""
        return self.settled[holding] + self.receivable[holding] + self.payable[holding]

    def available(self, holding: Holding) -> int:
        """What may be spent on a buy: unsettled proceeds count."""
        return self.total(holding) - self.reserved[holding]

    def free(self, holding: Holding) -> int:
        """What may be sold or withdrawn: only what has settled counts."""
        return self.settled[holding] + self.payable[holding] - self.reserved[holding]

    def hold(self, holding: Holding, amount: int) -> None:
        """Reserve more, or less."""
        self.reserved[holding] += amount
        self._touch(holding)

    def transfer(self, payer: Holding, payee: Holding, amount: int) -> None:
        self._shift(self.settled, self.settled, payer, payee, amount)

    def owe(self, payer: Holding, payee: Holding, amount: int) -> None:
        self._shift(self.payable, self.receivable, payer, payee, amount)

    def discharge(self, payer: Holding, payee: Holding, amount: int) -> None:
        self.owe(payer, payee, -amount)
        self.transfer(payer, payee, amount)

    def _shift(
        self, less: Counter[Holding], more: Counter[Holding], payer: Holding, payee: Holding, amount: int
    ) -> None:
        less[payer] -= amount
        more[payee] += amount
        self._touch(payer)
        self._touch(payee)

    def _touch(self, holding: Holding) -> None:
        self.touched[holding] = None
        self.known.add(holding)
