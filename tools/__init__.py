"""Programs that keep the house in order; each one runs by itself and is part of ``make check``."""
