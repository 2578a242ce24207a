"""How long to wait before something that failed is tried again: twice as long each time, up to a most."""

from typing import Final

_DOUBLINGS_MAX: Final = 62


def back_off(first: int, failures: int, most: int) -> int:
    """The wait after ``failures`` failures before the one that just happened; all times in one unit."""
    doublings = failures if failures < _DOUBLINGS_MAX else _DOUBLINGS_MAX
    wait = first << doublings
    return wait if wait < most else most
