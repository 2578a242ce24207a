"""Statistics and lists of what was traded, against a list of everything."""

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from tallystick.dialects.bluefin.day_window import MINUTE_US, MINUTES, DayWindow
from tallystick.dialects.bluefin.market_data import MarketData
from tallystick.facts.commands import Quote
from tallystick.readers.readers import Readers
from tallystick.readers.tables import Tables
from tests.bluefin.hall import MARKET, Hall, plain
from tests.bluefin.strict_reader import StrictReader
from tests.exchange.floor import ETH

DAY_SECONDS = 24 * 60 * 60
TRADES = some.lists(some.tuples(some.integers(0, 300), some.integers(1, 9), some.integers(1, 9)), max_size=60)


@given(TRADES)
def test_the_window_is_what_a_list_of_everything_says(trades) -> None:
    """Each trade so many minutes after the one before it, at a price, of a quantity."""
    window, everything, now = DayWindow(), [], 0
    for number, (minutes, price, quantity) in enumerate(trades, 1):
        now += minutes * MINUTE_US + 1
        window.add(now, number, price, quantity, price * quantity)
        everything.append((now // MINUTE_US, number, price, quantity))
        oldest = now // MINUTE_US - MINUTES
        within = [each for each in everything if each[0] >= oldest]
        gone = [each for each in everything if each[0] < oldest]
        assert window.count == len(within)
        assert window.quantity == sum(each[3] for each in within)
        assert window.quote == sum(each[2] * each[3] for each in within)
        assert (window.high, window.low) == (max(each[2] for each in within), min(each[2] for each in within))
        assert window.before == (gone[-1][2] if gone else 0)
        assert window.first is not None
        assert window.last is not None
        assert (window.first.open, window.first.first_trade) == (within[0][2], within[0][1])
        assert (window.last.close, window.last.last_trade) == (within[-1][2], within[-1][1])


def trade(hall: Hall, at: float, quantity: float = 1) -> None:
    hall.sell("ann", quantity, at=at)
    hall.buy("bob", quantity, at=at)


def test_a_ticker_is_of_24_hours_and_an_older_price_is_what_it_closed_at() -> None:
    hall = Hall()
    trade(hall, 2990)
    hall.wait(DAY_SECONDS - 3600)
    trade(hall, 3100, 0.5)
    trade(hall, 3000, 0.25)
    ticker = hall.data.ticker(MARKET)
    assert (plain(ticker.open_price_24hr_e9), plain(ticker.low_price_24hr_e9), ticker.count_24hr) == (
        "2990",
        "2990",
        "3",
    )
    hall.wait(2 * 3600)
    ticker = hall.data.ticker(MARKET)
    assert [plain(each) for each in (ticker.open_price_24hr_e9, ticker.close_price_24hr_e9)] == ["3100", "2990"]
    assert [plain(each) for each in (ticker.high_price_24hr_e9, ticker.low_price_24hr_e9)] == ["3100", "3000"]
    assert [plain(each) for each in (ticker.volume_24hr_e9, ticker.quote_volume_24hr_e9)] == ["0.75", "2300"]
    assert [plain(each) for each in (ticker.price_change_24hr_e9, ticker.price_change_percent_24hr_e9)] == [
        "-100",
        "-3.2258",
    ]
    assert (ticker.first_id_24hr, ticker.last_id_24hr, ticker.count_24hr) == (2, 3, "2")
    assert plain(ticker.open_interest_e9) == "1.75"


def test_open_interest_falls_when_positions_are_closed() -> None:
    hall = Hall()
    trade(hall, 3000, 2)
    hall.sell("bob", 1, at=3000)
    hall.buy("cat", 1, at=3000)
    assert plain(hall.data.ticker(MARKET).open_interest_e9) == "2"
    hall.sell("bob", 0.5, at=3000)
    hall.buy("ann", 0.5, at=3000)
    assert plain(hall.data.ticker(MARKET).open_interest_e9) == "1.5"


def test_a_direction_is_against_the_price_before() -> None:
    hall = Hall()
    ways = []
    for price in (3000, 3001, 3001, 2999):
        hall.do(Quote(ETH, price * 10**9))
        ways.append(hall.data.ticker(MARKET).mark_price_direction)
    assert ways == [0, 1, 1, -1]


def test_trades_are_listed_newest_first_and_so_many_of_them() -> None:
    hall = Hall()
    for at in (3000, 3001, 3002):
        trade(hall, at)
    assert [plain(each.price_e9) for each in hall.data.trades(MARKET, 2)] == ["3002", "3001"]
    assert len(hall.data.trades(MARKET, 1000)) == 3


def test_what_is_read_back_at_a_start_is_what_was_known_before() -> None:
    hall = Hall()
    for at in (3000, 3003, 3001):
        trade(hall, at)
        hall.sell("cat", 0.01, at=at + 10)
    hall.buy("dan", 0.01, at=3010)
    again = MarketData(hall.desk, hall.data._view)
    again.start()
    assert again.trades(MARKET, 100) == hall.data.trades(MARKET, 100)
    before, after = hall.data.ticker(MARKET), again.ticker(MARKET)
    for name in (
        "volume_24hr_e9",
        "count_24hr",
        "high_price_24hr_e9",
        "open_interest_e9",
        "last_price_e9",
        "last_id_24hr",
    ):
        assert getattr(before, name) == getattr(after, name)


def test_trades_whose_orders_have_left_the_state_are_read_back_from_the_tables(tmp_path) -> None:
    hall = Hall()
    for at in (3000, 3003):
        trade(hall, at)
    hall.wait(3600)
    trade(hall, 3001)
    readers = Readers(tables=Tables(tmp_path / "tables.db"))
    for entry in hall.entries:
        readers.commit(entry)
    assert not {1, 2} & readers.state.trades.keys()
    hall.desk.readers = readers
    again = MarketData(hall.desk, hall.data._view)
    again.start()
    assert again.trades(MARKET, 100) == hall.data.trades(MARKET, 100)
    assert again.ticker(MARKET).count_24hr == "3"
    readers.tables.close()


def test_a_market_without_anything_reads_as_strict_clients_want_it() -> None:
    hall, reader = Hall(), StrictReader()
    for schema, shown in (
        ("TickerResponse", hall.data.ticker(MARKET)),
        ("OrderbookDepthResponse", hall.data.depth(MARKET, 500)),
    ):
        reader.read(schema, msgspec.json.encode(shown))
    assert hall.data.trades(MARKET, 10) == []
    assert [each.symbol for each in hall.data.tickers()] == [MARKET]
