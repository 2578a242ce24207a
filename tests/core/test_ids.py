"""Ids: a permutation that can be turned back, tells nothing, and never changes between versions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.ids import NUMBER_MAX, IdCodec

SECRET = bytes(range(32))
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ORDERS = IdCodec(SECRET, "sandbox", "order")

any_number = st.one_of(st.integers(1, NUMBER_MAX), st.integers(1, 10_000))

# These lines must never change: the ids are in journals and in other people's files.
GOLDEN = """
    venue    kind   number               id
    sandbox  order  1                    order_dxr5zpd2bmgb8
    sandbox  order  2                    order_7gxhm140pbzt1
    sandbox  order  3                    order_fd2w6gmd17wf7
    sandbox  order  1000000              order_4tjtp4rj9fkp1
    sandbox  order  4294967296           order_ddfyydng8kxd2
    sandbox  order  9223372036854775807  order_aq3s13w28w8ea
    sandbox  trade  1                    trade_cj19mtes486jx
    sophic   order  1                    order_2bfbp0heqmekv
"""


@pytest.mark.parametrize("row", GOLDEN.strip().splitlines()[1:])
def test_ids_never_change(row: str) -> None:
    venue, kind, number, text = row.split()
    codec = IdCodec(SECRET, venue, kind)
    assert codec.text(int(number)) == text
    assert codec.number(text) == int(number)


def value_of(text: str) -> int:
    value = 0
    for character in text.removeprefix("order_"):
        value = value * 32 + ALPHABET.index(character)
    return value


def text_of(value: int) -> str:
    return "order_" + "".join(ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))


@given(any_number)
def test_number_is_the_inverse_of_text(number: int) -> None:
    assert ORDERS.number(ORDERS.text(number)) == number


@given(st.integers(0, 2**64 - 1))
def test_every_value_of_64_bits_is_the_id_of_one_number_or_of_none(value: int) -> None:
    text = text_of(value)
    number = ORDERS.number(text)
    assert number == 0 or ORDERS.text(number) == text


@pytest.mark.parametrize("first", [1, 2**32 - 1000, 2**40, NUMBER_MAX - 1999])
def test_no_two_numbers_share_an_id(first: int) -> None:
    assert len({ORDERS.text(number) for number in range(first, first + 2000)}) == 2000


def test_the_text_is_the_kind_and_13_characters_of_lowercase_crockford() -> None:
    prefix, _, characters = ORDERS.text(1).partition("_")
    assert prefix == "order"
    assert len(characters) == 13
    assert set(characters) <= set(ALPHABET)


def test_consecutive_numbers_show_no_order() -> None:
    texts = [ORDERS.text(number) for number in range(1, 2001)]
    values = [value_of(text) for text in texts]
    rising = sum(after > before for before, after in pairwise(values))
    assert 800 < rising < 1200
    assert all(before[6:12] != after[6:12] for before, after in pairwise(texts))
    assert all(before[-6:] != after[-6:] for before, after in pairwise(texts))


def test_every_bit_is_set_in_half_of_the_ids() -> None:
    values = [value_of(ORDERS.text(number)) for number in range(1, 2001)]
    for bit in range(64):
        assert 800 < sum(value >> bit & 1 for value in values) < 1200


@pytest.mark.parametrize(
    "other",
    [
        IdCodec(SECRET, "sandbox", "trade"),
        IdCodec(SECRET, "sophic", "order"),
        IdCodec(bytes(range(1, 33)), "sandbox", "order"),
    ],
    ids=["another kind", "another venue", "another secret"],
)
def test_ids_differ_for(other: IdCodec) -> None:
    texts = {ORDERS.text(number)[6:] for number in range(1, 1001)}
    assert texts.isdisjoint(other.text(number)[6:] for number in range(1, 1001))


def test_venue_and_kind_cannot_be_mistaken_for_one_another() -> None:
    assert IdCodec(SECRET, "a", "bc").text(1)[3:] != IdCodec(SECRET, "ab", "c").text(1)[2:]


KNOWN = ORDERS.text(1)
FOREIGN = [
    ("nothing", ""),
    ("the kind alone", "order_"),
    ("another kind", KNOWN.replace("order", "trade")),
    ("no kind", KNOWN[6:]),
    ("one character too few", KNOWN[:-1]),
    ("one character too many", KNOWN + "0"),
    ("capitals, which Crockford would forgive", KNOWN.upper()),
    ("capitals after the kind", "order_" + KNOWN[6:].upper()),
    ("the letter l, which Crockford reads as 1", "order_l" + KNOWN[7:]),
    ("the letter o, which Crockford reads as 0", KNOWN[:-1] + "o"),
    ("the letter i", KNOWN[:-1] + "i"),
    ("the letter u", KNOWN[:-1] + "u"),
    ("a hyphen", KNOWN[:10] + "-" + KNOWN[11:]),
    ("a space", KNOWN[:-1] + " "),
    ("an Arabic digit", KNOWN[:-1] + "٣"),
    ("a fullwidth first character", "order_１" + KNOWN[7:]),
    ("half a surrogate pair", KNOWN[:-1] + "\ud800"),
    ("a NUL", KNOWN[:-1] + "\0"),
    ("65 bits", "order_g" + "0" * 12),
    ("all ones", "order_" + "z" * 13),
]


@pytest.mark.parametrize("text", [row[1] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_what_is_not_an_id_has_no_number(text: str) -> None:
    assert ORDERS.number(text) == 0


@given(st.one_of(st.text(), st.text(alphabet=ALPHABET + "ilouZ_é", min_size=13, max_size=13).map("order_".__add__)))
def test_no_text_raises_and_only_ids_have_numbers(text: str) -> None:
    number = ORDERS.number(text)
    assert number == 0 or ORDERS.text(number) == text


@pytest.mark.parametrize("number", [0, -1, NUMBER_MAX + 1, 2**64])
def test_a_number_out_of_range_has_no_id(number: int) -> None:
    with pytest.raises(ValueError, match=r"1 to 2\*\*63 - 1"):
        ORDERS.text(number)


@pytest.mark.parametrize("secret", [b"", bytes(15), bytes(65)])
def test_a_secret_is_neither_short_nor_longer_than_the_hash_takes(secret: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        IdCodec(secret, "sandbox", "order")


@pytest.mark.parametrize("kind", ["", "Order", "or_der", "order1", "ordre\0", "é"])
def test_a_kind_is_lowercase_letters(kind: str) -> None:
    with pytest.raises(ValueError, match="lowercase letters"):
        IdCodec(SECRET, "sandbox", kind)
