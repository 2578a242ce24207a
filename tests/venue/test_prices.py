"""Price sources: fixed, walking, replayed, and the files they are replayed from."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.venue.prices import (
    LAP_INTERVALS,
    FixedPrice,
    PriceCsvError,
    PriceSource,
    RandomWalk,
    ReplayedPrices,
    parse_price_csv,
    splitmix64,
)

SECOND = 1_000_000


def walk(seed: int = 7, start: int = 10_000, step: int = 5, floor: int = 1, start_time_us: int = 0) -> RandomWalk:
    return RandomWalk(seed, start, step, SECOND, floor, start_time_us)


def test_a_fixed_price_is_the_price_at_any_time() -> None:
    source: PriceSource = FixedPrice(12_345)
    assert {source.price(time_us) for time_us in (-1, 0, 10**18)} == {12_345}


# --- The walk ---------------------------------------------------------------------------------------------------------


def test_the_generator_gives_the_published_numbers() -> None:
    assert [splitmix64(1234567, index) for index in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_a_walk_is_the_same_in_every_version() -> None:
    source = RandomWalk(seed=7, start=100, step=3, interval_us=SECOND)
    assert [source.price(at * SECOND) for at in range(12)] == [100, 99, 99, 96, 96, 98, 101, 103, 100, 103, 100, 103]


def test_a_walk_has_no_price_before_it_begins_and_then_its_start() -> None:
    source = walk(start_time_us=5 * SECOND)
    assert source.price(5 * SECOND - 1) == 0
    assert source.price(5 * SECOND) == source.price(6 * SECOND - 1) == 10_000


def test_a_price_holds_for_its_interval() -> None:
    source = walk()
    for at in range(100):
        assert source.price(at * SECOND) == source.price(at * SECOND + SECOND - 1)


def test_walks_of_other_seeds_differ() -> None:
    paths = {tuple(walk(seed).price(at * SECOND) for at in range(30)) for seed in range(50)}
    assert len(paths) == 50


def test_a_walk_moves_both_ways_by_every_size_of_step() -> None:
    source = walk(step=2)
    path = [source.price(at * SECOND) for at in range(LAP_INTERVALS)]
    assert {after - before for before, after in pairwise(path)} == {-2, -1, 0, 1, 2}


def test_no_move_exceeds_the_step_across_laps_and_at_the_floor() -> None:
    source = RandomWalk(seed=3, start=12, step=5, interval_us=1, floor=10)
    path = [source.price(at) for at in range(5 * LAP_INTERVALS)]
    assert min(path) == 10
    assert max(abs(after - before) for before, after in pairwise(path)) == 5


def test_each_lap_begins_at_the_start_and_goes_its_own_way() -> None:
    source = walk()
    laps = [[source.price((lap * LAP_INTERVALS + at) * SECOND) for at in range(50)] for lap in range(5)]
    assert {lap[0] for lap in laps} == {10_000}
    assert len({tuple(lap) for lap in laps}) == 5


@given(st.lists(st.integers(-SECOND, 10**10 * SECOND), max_size=8), st.integers())
def test_a_walk_tells_the_same_price_however_far_and_in_whatever_order_it_is_asked(times: list[int], seed: int) -> None:
    asked_before = walk(seed)
    assert [asked_before.price(time_us) for time_us in times] == [walk(seed).price(time_us) for time_us in times]


# --- Recordings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_us", "once", "looped"),
    [(9, 0, 0), (10, 100, 100), (19, 100, 100), (20, 200, 200), (49, 200, 200), (50, 300, 300), (79, 300, 300),
     (80, 300, 100), (90, 300, 200), (120, 300, 300), (150, 300, 100), (10 + 70 * 10**9, 300, 100)],
)  # fmt: skip
def test_a_recorded_price_holds_until_the_next(time_us: int, once: int, looped: int) -> None:
    assert ReplayedPrices((10, 20, 50), (100, 200, 300)).price(time_us) == once
    assert ReplayedPrices((10, 20, 50), (100, 200, 300), loop=True).price(time_us) == looped


def test_a_recording_of_one_price_loops_on_that_price() -> None:
    source = ReplayedPrices([10], [100], loop=True)
    assert [source.price(time_us) for time_us in (9, 10, 10**15)] == [0, 100, 100]


def test_a_silent_feed_has_no_price() -> None:
    source = ReplayedPrices([10, 20, 30], [100, 0, 101])
    assert [source.price(time_us) for time_us in (15, 25, 35)] == [100, 0, 101]


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("a price is 0", lambda: FixedPrice(-1)),
    ("1 <= floor <= start", lambda: walk(start=5, floor=6)),
    ("1 <= floor <= start", lambda: walk(floor=0)),
    ("step >= 0", lambda: walk(step=-1)),
    ("interval >= 1", lambda: RandomWalk(1, 10, 1, 0)),
    ("a price for each time", lambda: ReplayedPrices((), ())),
    ("a price for each time", lambda: ReplayedPrices((1, 2), (5,))),
    ("increase", lambda: ReplayedPrices((2, 1), (5, 5))),
    ("increase", lambda: ReplayedPrices((1, 1), (5, 5))),
    ("a price is 0", lambda: ReplayedPrices((1, 2), (5, -5))),
]


@pytest.mark.parametrize(("words", "build"), REFUSED)
def test_numbers_that_make_no_source_are_refused(words: str, build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=words):
        build()


# --- Files ------------------------------------------------------------------------------------------------------------

READABLE = [
    ("microseconds", "10,1.00\n20,2.50\n"),
    ("a heading", "time,price\n10,1.00\n20,2.50\n"),
    ("a heading in capitals with spaces", "Time, Price\n10, 1.00\n20, 2.50\n"),
    ("ISO times", "1970-01-01T00:00:00.000010Z,1\n1970-01-01T00:00:00.000020+00:00,2.5\n"),
    ("ISO times with a space", "1970-01-01 00:00:00.000010Z,1\n1970-01-01 00:00:00.000020Z,2.5\n"),
    ("Windows line ends, a byte order mark, quotes", '\ufefftime,price\r\n"10","1.00"\r\n"20","2.50"\r\n'),
    ("empty lines and no last line end", "\n\ntime,price\n\n10,1.00\n\n20,2.50"),
]


@pytest.mark.parametrize("text", [row[1] for row in READABLE], ids=[row[0] for row in READABLE])
def test_a_file_is_read(text: str) -> None:
    source = parse_price_csv(text, 2)
    assert [source.price(time_us) for time_us in (9, 10, 19, 20, 99)] == [0, 100, 100, 250, 250]


def test_a_file_can_loop() -> None:
    assert parse_price_csv("10,1\n20,2\n", 0, loop=True).price(30) == 1


def test_an_iso_time_is_the_microsecond_it_names() -> None:
    source = parse_price_csv("2024-03-01T12:00:00Z,7", 0)
    assert [source.price(1_709_294_400_000_000 - 1), source.price(1_709_294_400_000_000)] == [0, 7]


UNREADABLE = [
    ("nothing", "", 1, "no_rows"),
    ("a heading alone", "time,price\n", 1, "no_rows"),
    ("empty lines alone", "\n\n", 2, "no_rows"),
    ("one column", "10,1\n20\n", 2, "not_two_columns"),
    ("three columns", "10,1,buy\n", 1, "not_two_columns"),
    ("a second heading", "time,price\ntime,price\n", 2, "not_a_time"),
    ("a time without a zone", "2024-03-01T12:00:00,1\n", 1, "not_a_time"),
    ("a time of another zone", "2024-03-01T12:00:00+01:00,1\n", 1, "not_a_time"),
    ("a date alone", "2024-03-01,1\n", 1, "not_a_time"),
    ("a day that does not exist", "2024-02-30T12:00:00Z,1\n", 1, "not_a_time"),
    ("seconds with a fraction", "1709294400.5,1\n", 1, "not_a_time"),
    ("a time of 19 digits", "1709294400000000000,1\n", 1, "not_a_time"),
    ("Arabic digits", "٣,1\n", 1, "not_a_time"),
    ("half a surrogate pair", "\ud800,1\n", 1, "not_a_time"),
    ("a price that is a word", "time,price\n10,1\n20,high\n", 3, "not_a_decimal"),
    ("an empty price", "10,\n", 1, "not_a_decimal"),
    ("a price with too many decimals", "\n10,1.005\n", 2, "too_many_decimals"),
    ("a negative price", "10,-1\n", 1, "negative"),
    ("a time that comes twice", "10,1\n10,1\n", 2, "not_in_order"),
    ("a time that goes back", "10,1\n20,1\n\n15,1\n", 4, "not_in_order"),
    ("a quote that is not closed", '10,1\n20,"1\n', 2, "not_csv"),
]


@pytest.mark.parametrize(("text", "line", "code"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_a_file_that_cannot_be_used_is_refused_with_its_line(text: str, line: int, code: str) -> None:
    with pytest.raises(PriceCsvError) as caught:
        parse_price_csv(text, 2)
    assert (caught.value.line, caught.value.code) == (line, code)
    assert str(caught.value) == f"line {line}: {caught.value.detail}"
