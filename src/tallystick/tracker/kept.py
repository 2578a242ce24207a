"""An integer that stays the very object that it came as."""

from typing import TypeAlias

Kept: TypeAlias = int | bool
"""Compiled code would else take its value out, and make an object of it again for each fact that says it."""
