"""Where a sandbox's prices come from: ``walk``, ``fixed``, or recordings in a folder."""

from pathlib import Path

from tallystick.dialects.sophic.sandbox import fixed_prices, replayed_prices, walking_prices
from tallystick.venue.prices import PriceSource


class BadPrices(Exception):
    """There are no such prices; the sentence says which file or folder is wrong, and how."""


def price_sources(prices: str) -> dict[str, PriceSource]:
    """The sources that ``prices`` names, by instrument. Raises BadPrices."""
    if prices == "walk":
        return walking_prices()
    if prices == "fixed":
        return fixed_prices()
    folder = Path(prices)
    if not folder.is_dir():
        raise BadPrices(f"must be walk, fixed or a folder of CSV files; there is no folder {prices}")
    recordings: dict[str, str] = {}
    for file in sorted(folder.glob("*.csv")):
        try:
            recordings[file.stem] = file.read_text("utf-8")
        except UnicodeDecodeError:
            raise BadPrices(f"{file} is not UTF-8 text") from None
        except OSError as error:
            raise BadPrices(f"{file} cannot be read: {error.strerror or error}") from None
    if not recordings:
        raise BadPrices(f"there is no CSV file in {folder}; name them after instruments: ins_acme.csv")
    try:
        return replayed_prices(recordings)
    except ValueError as error:
        raise BadPrices(f"{folder}/{error}") from None
