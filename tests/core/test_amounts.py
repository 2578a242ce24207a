"""Amounts against decimal.Decimal and fractions.Fraction, and every text that must not become one."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core import amounts
from tallystick.core.amounts import CEILING, FLOOR, HALF_EVEN, AmountError

LARGEST = 10**amounts.AMOUNT_DIGITS_MAX - 1
UINT256_MAX = 2**256 - 1
WEI_MAX = "115792089237316195423570985008687907853269984665640564039457.584007913129639935"

any_amount = st.one_of(st.integers(-LARGEST, LARGEST), st.integers(-(10**6), 10**6))
any_scale = st.integers(0, amounts.SCALE_MAX)
any_rounding = st.sampled_from((FLOOR, CEILING, HALF_EVEN))

# round() of a Fraction is banker's rounding.
EXACTLY: dict[int, Callable[[Fraction], int]] = {FLOOR: floor, CEILING: ceil, HALF_EVEN: round}
DECIMAL_ROUNDING = {FLOOR: ROUND_FLOOR, CEILING: ROUND_CEILING, HALF_EVEN: ROUND_HALF_EVEN}

DIVISIONS = """
    numerator  denominator | FLOOR  CEILING  HALF_EVEN
            5            2 |     2        3          2
            7            2 |     3        4          4
           -5            2 |    -3       -2         -2
           -7            2 |    -4       -3         -4
            5           -2 |    -3       -2         -2
            1            3 |     0        1          0
            2            3 |     0        1          1
           -1            3 |    -1        0          0
            6            3 |     2        2          2
            0            9 |     0        0          0
"""


@pytest.mark.parametrize("row", DIVISIONS.strip().splitlines()[1:])
def test_each_rule_rounds_its_own_way(row: str) -> None:
    given_part, expected_part = row.split("|")
    numerator, denominator = map(int, given_part.split())
    rules = (FLOOR, CEILING, HALF_EVEN)
    assert [amounts.divide(numerator, denominator, rule) for rule in rules] == list(map(int, expected_part.split()))


def test_each_rule_has_its_name() -> None:
    assert [amounts.ROUNDING_NAMES[rule] for rule in (FLOOR, CEILING, HALF_EVEN)] == ["FLOOR", "CEILING", "HALF_EVEN"]


@pytest.mark.parametrize("rounding", [-1, 3])
def test_an_unknown_rule_is_refused(rounding: int) -> None:
    with pytest.raises(ValueError, match="not a rounding rule"):
        amounts.divide(1, 2, rounding)


@pytest.mark.parametrize("rounding", [FLOOR, CEILING, HALF_EVEN])
def test_nothing_is_divided_by_zero(rounding: int) -> None:
    with pytest.raises(ZeroDivisionError):
        amounts.divide(1, 0, rounding)


@given(any_amount, any_amount.filter(bool), any_rounding)
def test_divide_is_the_rounded_fraction(numerator: int, denominator: int, rounding: int) -> None:
    assert amounts.divide(numerator, denominator, rounding) == EXACTLY[rounding](Fraction(numerator, denominator))


@given(any_amount, st.integers(-50, 50).filter(bool), any_rounding)
def test_divide_meets_ties_as_often_as_not(half: int, denominator: int, rounding: int) -> None:
    expected = EXACTLY[rounding](Fraction(half, 2))
    assert amounts.divide(half * denominator, 2 * denominator, rounding) == expected


@given(any_amount, any_amount, any_amount.filter(bool), any_rounding)
def test_multiply_divide_rounds_once(a: int, b: int, c: int, rounding: int) -> None:
    assert amounts.multiply_divide(a, b, c, rounding) == EXACTLY[rounding](Fraction(a) * b / c)


@given(any_amount, any_scale, any_scale, any_rounding)
def test_rescale_is_what_decimal_quantizes_to(amount: int, from_scale: int, to_scale: int, rounding: int) -> None:
    with localcontext(Context(prec=400)):
        quantized = (
            Decimal(amount).scaleb(-from_scale).quantize(Decimal(1).scaleb(-to_scale), DECIMAL_ROUNDING[rounding])
        )
        assert amounts.rescale(amount, from_scale, to_scale, rounding) == int(quantized.scaleb(to_scale))


@given(st.integers(-(10**30), 10**30), st.integers(0, 18), st.integers(0, 18))
def test_rescale_to_more_decimals_and_back_is_exact(amount: int, scale: int, more: int) -> None:
    finer = amounts.rescale(amount, scale, scale + more, FLOOR)
    assert amounts.rescale(finer, scale + more, scale, FLOOR) == amount


@pytest.mark.parametrize(
    ("amount", "increment", "expected"),
    [(0, 5, True), (15, 5, True), (-15, 5, True), (16, 5, False), (-1, 5, False), (7, 1, True)],
)
def test_a_multiple_is_a_whole_number_of_increments(amount: int, increment: int, expected: bool) -> None:
    assert amounts.is_multiple(amount, increment) is expected


TEXTS = [
    ("a plain number", "123.45", 2, 12345),
    ("fewer decimals than the scale", "123.4", 2, 12340),
    ("no decimals at all", "123", 2, 12300),
    ("scale zero", "123", 0, 123),
    ("a negative number", "-0.05", 2, -5),
    ("zero", "0.00", 2, 0),
    ("leading zeros", "007.50", 2, 750),
    ("surplus decimals that are zeros", "1.5000", 2, 150),
    ("surplus zeros at scale zero", "1.000", 0, 1),
    ("the largest uint256 in wei", WEI_MAX, 18, UINT256_MAX),
    ("the largest uint256 itself", str(UINT256_MAX), 0, UINT256_MAX),
    ("the smallest step at the largest scale", "0." + "0" * 76 + "1", 77, 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "scale", "amount"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_parse_reads(text: str, scale: int, amount: int) -> None:
    assert amounts.parse(text, scale) == amount


NOT_DECIMALS = [
    ("nothing", ""),
    ("a minus alone", "-"),
    ("a point alone", "."),
    ("a minus and a point", "-."),
    ("no digit before the point", ".5"),
    ("no digit after the point", "1."),
    ("two points", "1.2.3"),
    ("two minuses", "--1"),
    ("a minus after the point", "1.-5"),
    ("a minus at the end", "1-"),
    ("a plus", "+1"),
    ("zero with a minus", "-0"),
    ("zero with a minus and decimals", "-0.00"),
    ("a space before", " 1"),
    ("a space after", "1 "),
    ("a line end after", "1\n"),
    ("a NUL after", "1\0"),
    ("an exponent", "1e5"),
    ("an exponent that would fill the memory", "1e400"),
    ("a thousands separator", "1,000"),
    ("Python's underscore", "1_000"),
    ("hexadecimal", "0x10"),
    ("not a number", "NaN"),
    ("infinity", "Infinity"),
    ("an Arabic digit three", "٣"),
    ("an Arabic digit three after the point", "1.٣"),
    ("a superscript two", "²"),
    ("a fullwidth one", "１"),
    ("a typographic minus", "−1"),
    ("half a surrogate pair", "\ud800"),
    ("a word", "all"),
]


@pytest.mark.parametrize("text", [row[1] for row in NOT_DECIMALS], ids=[row[0] for row in NOT_DECIMALS])
def test_parse_refuses_what_is_not_a_decimal(text: str) -> None:
    with pytest.raises(AmountError) as caught:
        amounts.parse(text, 2)
    assert caught.value.code == amounts.NOT_A_DECIMAL


TOO_LONG = [
    ("79 digits", "1" * 79, 0),
    ("79 digits, the last a surplus zero", "1" * 78 + ".0", 0),
    ("10,000 digits", "9" * 10_000, 0),
    ("10,000 zeros", "0" * 10_000, 0),
    ("10,000 letters", "e" * 10_000, 0),
    ("78 digits that the scale makes 96", "1" * 78, 18),
]


@pytest.mark.parametrize(("text", "scale"), [row[1:] for row in TOO_LONG], ids=[row[0] for row in TOO_LONG])
def test_parse_refuses_more_digits_than_an_amount_has(text: str, scale: int) -> None:
    with pytest.raises(AmountError) as caught:
        amounts.parse(text, scale)
    assert caught.value.code == amounts.TOO_LONG


@pytest.mark.parametrize(
    ("text", "scale", "detail"),
    [
        ("1.005", 2, "'1.005' has too many decimals; the most that can be kept is 2"),
        ("1.15", 1, "'1.15' has too many decimals; the most that can be kept is 1"),
        ("1.5", 0, "'1.5' has too many decimals; the most that can be kept is 0"),
        ("1.0000001", 6, "'1.0000001' has too many decimals; the most that can be kept is 6"),
    ],
)
def test_parse_refuses_decimals_that_the_scale_cannot_keep(text: str, scale: int, detail: str) -> None:
    with pytest.raises(AmountError) as caught:
        amounts.parse(text, scale)
    assert (caught.value.code, caught.value.detail, str(caught.value)) == (amounts.TOO_MANY_DECIMALS, detail, detail)


@pytest.mark.parametrize("text", ["x" * 60, "x" * 10_000, "1" * 79, "0." + "1" * 60])
def test_a_refusal_echoes_at_most_40_characters(text: str) -> None:
    with pytest.raises(AmountError) as caught:
        amounts.parse(text, 2)
    assert text[:40] in caught.value.detail
    assert text[:41] not in caught.value.detail


def test_a_refusal_shows_what_cannot_be_seen_as_an_escape() -> None:
    with pytest.raises(AmountError, match=r"^'1\\x00\\u202e' is not a decimal number"):
        amounts.parse("1\0\u202e", 2)


@pytest.mark.parametrize("amount", [0, 1, -1])
def test_a_negative_scale_is_a_fault_of_the_program(amount: int) -> None:
    with pytest.raises(ValueError, match="a scale is 0 or more"):
        amounts.render(amount, -1)
    with pytest.raises(ValueError, match="a scale is 0 or more"):
        amounts.parse("1", -1)


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [
        (10_000, 2, "100.00"),
        (100, 0, "100"),
        (0, 2, "0.00"),
        (0, 0, "0"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (50, 2, "0.50"),
        (100, 2, "1.00"),
        (-12345, 2, "-123.45"),
        (-7, 0, "-7"),
        (1, 18, "0.000000000000000001"),
    ],
)
def test_render_writes_every_decimal_of_the_scale(amount: int, scale: int, text: str) -> None:
    assert amounts.render(amount, scale) == text


@given(any_amount, any_scale)
def test_render_writes_what_decimal_writes(amount: int, scale: int) -> None:
    assert amounts.render(amount, scale) == f"{Decimal(amount).scaleb(-scale, Context(prec=100)):.{scale}f}"


@given(any_amount, any_scale)
def test_parse_is_the_inverse_of_render(amount: int, scale: int) -> None:
    assert amounts.parse(amounts.render(amount, scale), scale) == amount


@given(st.text(alphabet="0123456789.-+eE_ ٣", max_size=12), st.integers(0, 6))
def test_parse_reads_the_exact_value_or_refuses(text: str, scale: int) -> None:
    try:
        amount = amounts.parse(text, scale)
    except AmountError:
        return
    assert Fraction(amount, 10**scale) == Fraction(text)
