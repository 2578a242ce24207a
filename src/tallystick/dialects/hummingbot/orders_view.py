"""Several sets of orders seen as one mapping, which copies nothing to be asked for one of them.

Upstream builds a new dict of all orders at each access, so its updates cost more the more orders there are
(specs/hummingbot.md §5). Going through a view gives what it had at that moment.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Find = Callable[[str], Any]


class OrdersView(Mapping[str, Any]):
    """By client id: those of ``sets``, the earlier ones first; ``also`` finds others, which are not listed."""

    def __init__(self, *sets: Mapping[str, Any], also: Find | None = None) -> None:
        self._sets: Final = sets
        self._also: Final = also

    def __getitem__(self, key: str) -> Any:
        for orders in self._sets:
            order = orders.get(key)
            if order is not None:
                return order
        order = None if self._also is None else self._also(key)
        if order is None:
            raise KeyError(key)
        return order

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())

    def copy(self) -> dict[str, Any]:
        """Those that are listed."""
        return {key: self[key] for key in self._listed()}

    def __repr__(self) -> str:
        return f"OrdersView({self._listed()})"

    def _listed(self) -> list[str]:
        return list(dict.fromkeys(key for orders in self._sets for key in orders))


class OrdersByExchangeId(Mapping[str, Any]):
    """The same orders by the venue's id, as far as that is known. ``find`` gives the order that has an id."""

    def __init__(self, orders: OrdersView, find: Find) -> None:
        self._orders: Final = orders
        self._find: Final = find

    def __getitem__(self, key: str) -> Any:
        order = self._find(key)
        if order is None or order.client_order_id not in self._orders:
            raise KeyError(key)
        return order

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy())

    def __len__(self) -> int:
        return len(self.copy())

    def copy(self) -> dict[str, Any]:
        """Those that are listed."""
        return {order.exchange_order_id: order for order in self._orders.values() if order.exchange_order_id}
