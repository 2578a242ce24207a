"""Tallystick: one deterministic order lifecycle for both parties."""

__version__ = "0.1.0"
