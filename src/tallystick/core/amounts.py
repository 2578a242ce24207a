"""Exact amounts: integers that carry a decimal scale, the rules by which they round, and their text.

An amount of 12345 at scale 2 is 123.45. Scales are 0 … ``SCALE_MAX``; the scale is known from the asset or the market,
so it is an argument and never stored with the amount. Nothing here is ever a float.
"""

from typing import Final

from mypy_extensions import i64

# --- Limits -----------------------------------------------------------------------------------------------------------

AMOUNT_DIGITS_MAX: Final = 78  # the digits of 2**256 - 1
SCALE_MAX: Final = 77
ECHO_CHARACTERS_MAX: Final = 40

# --- Rounding rules ---------------------------------------------------------------------------------------------------

FLOOR: Final = 0  # toward minus infinity
CEILING: Final = 1  # toward plus infinity
HALF_EVEN: Final = 2  # to the nearest, a tie to the even one: banker's rounding

ROUNDING_NAMES: Final = ("FLOOR", "CEILING", "HALF_EVEN")

# --- Codes of AmountError ---------------------------------------------------------------------------------------------

NOT_A_DECIMAL: Final = "not_a_decimal"
TOO_LONG: Final = "too_long"
TOO_MANY_DECIMALS: Final = "too_many_decimals"

# mypy cannot know that 10**n is an integer, and a look-up is faster than a power.
_POWERS_OF_TEN: Final[tuple[int, ...]] = tuple(int("1" + "0" * exponent) for exponent in range(AMOUNT_DIGITS_MAX + 1))
_WORD: Final = (1 << 62) - 1
_AMOUNT_LIMIT: Final[int] = _POWERS_OF_TEN[AMOUNT_DIGITS_MAX]


class AmountError(Exception):
    """A text that is no amount: ``code`` is one of the three above, ``detail`` a sentence its sender can act on."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


# --- Arithmetic -------------------------------------------------------------------------------------------------------


def divide(numerator: int, denominator: int, rounding: int) -> int:
    """``numerator / denominator`` as an integer; raises ZeroDivisionError, and ValueError for an unknown rule."""
    if rounding == FLOOR:
        return numerator // denominator
    if rounding == CEILING:
        return -(-numerator // denominator)
    if rounding != HALF_EVEN:
        raise ValueError(f"{rounding} is not a rounding rule")
    if denominator < 0:
        numerator = -numerator
        denominator = -denominator
    quotient = numerator // denominator
    twice_remainder = 2 * (numerator - quotient * denominator)
    if twice_remainder > denominator or (twice_remainder == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def multiply_divide(a: int, b: int, c: int, rounding: int) -> int:
    """``a * b / c``, rounded once."""
    if rounding == CEILING and 0 < b <= _WORD and 0 < c <= _WORD:
        most = _WORD // b
        if -most <= a <= most:  # compiled, the machine's own arithmetic, where nothing overflows
            left: i64 = a
            right: i64 = b
            divisor: i64 = c
            return -(-left * right // divisor)
    return divide(a * b, c, rounding)


def rescale(amount: int, from_scale: int, to_scale: int, rounding: int) -> int:
    """The same amount at another scale; ``rounding`` matters only where decimals are given up."""
    if to_scale >= from_scale:
        return amount * _POWERS_OF_TEN[to_scale - from_scale]
    return divide(amount, _POWERS_OF_TEN[from_scale - to_scale], rounding)


def is_multiple(amount: int, increment: int) -> bool:
    """Whether ``amount`` is a whole number of increments; raises ZeroDivisionError for an increment of 0."""
    return amount % increment == 0


# --- Text -------------------------------------------------------------------------------------------------------------


def parse(text: str, scale: int) -> int:
    """The amount that ``text`` writes, at ``scale``; raises AmountError.

    The grammar is ``-?digits[.digits]`` in ASCII: no exponent, plus, spaces, separators or bare point, and zero has no
    sign. Decimals beyond the scale must be zeros. Neither the text nor the amount has more than ``AMOUNT_DIGITS_MAX``
    digits, and the length is checked before the text is converted, because conversion takes quadratic time.
    """
    if len(text) > AMOUNT_DIGITS_MAX + 2:
        raise _too_long(text)
    negative = text.startswith("-")
    whole, point, decimals = (text[1:] if negative else text).partition(".")
    if not (text.isascii() and whole.isdigit() and (decimals.isdigit() or not point)):
        raise AmountError(NOT_A_DECIMAL, f"{_echo(text)} is not a decimal number; write it like 123.45")
    if len(whole) + len(decimals) > AMOUNT_DIGITS_MAX:
        raise _too_long(text)
    missing = scale - len(decimals)
    if missing < 0:
        decimals = _without_surplus(text, decimals, scale)
        missing = 0
    amount = int(whole + decimals) * _POWERS_OF_TEN[missing]
    if amount >= _AMOUNT_LIMIT:
        raise _too_long(text)
    if not negative:
        return amount
    if amount == 0:
        raise AmountError(NOT_A_DECIMAL, f"{_echo(text)} is zero with a sign; write it without the minus")
    return -amount


def render(amount: int, scale: int) -> str:
    """The text of ``amount`` with exactly ``scale`` decimals, the inverse of ``parse``: 10000 at 2 is "100.00"."""
    if scale < 1:
        _refuse_negative(scale)
        return str(amount)
    if amount < 0:
        return "-" + render(-amount, scale)
    digits = str(amount)
    if len(digits) <= scale:
        digits = digits.zfill(scale + 1)
    return digits[:-scale] + "." + digits[-scale:]


def _without_surplus(text: str, decimals: str, scale: int) -> str:
    _refuse_negative(scale)
    if decimals[scale:].strip("0"):
        detail = f"{_echo(text)} has too many decimals; the most that can be kept is {scale}"
        raise AmountError(TOO_MANY_DECIMALS, detail)
    return decimals[:scale]


def _refuse_negative(scale: int) -> None:
    if scale < 0:
        raise ValueError(f"a scale is 0 or more, not {scale}")


def _too_long(text: str) -> AmountError:
    return AmountError(TOO_LONG, f"{_echo(text)} is too long; an amount has at most {AMOUNT_DIGITS_MAX} digits")


def _echo(text: str) -> str:
    if len(text) > ECHO_CHARACTERS_MAX:
        return repr(text[:ECHO_CHARACTERS_MAX]) + "…"
    return repr(text)
