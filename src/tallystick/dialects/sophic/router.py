"""Finding a request's route by its path, one segment at a time; routes are few and paths short."""

from collections.abc import Iterable
from typing import Final

from tallystick.dialects.sophic.routes import Route

_NO_ROUTES: Final[dict[str, Route]] = {}


class _Node:
    """``named`` leads on from any other segment that is not empty, which is then called ``name``."""

    __slots__ = ("literals", "name", "named", "routes")

    def __init__(self) -> None:
        self.literals: Final[dict[str, _Node]] = {}
        self.named: _Node | None = None
        self.name = ""
        self.routes: Final[dict[str, Route]] = {}


class Paths:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._root: Final = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                node = _grow(node, segment)
            node.routes[route.method] = route

    def find(self, path: str) -> tuple[dict[str, Route], dict[str, str]]:
        """The routes at ``path``, by method, and what it names; no routes where there is no such path."""
        params: dict[str, str] = {}
        node = self._root
        for segment in path.split("/")[1:]:
            found = node.literals.get(segment)
            if found is None:
                found = node.named
                if found is None or not segment:
                    return _NO_ROUTES, params
                params[node.name] = segment
            node = found
        return node.routes, params


def _grow(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    node.name = segment[1:-1]
    node.named = node.named or _Node()
    return node.named
