"""Events of several venues in one reading: each venue's whole and in order, whatever is said of the other's."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tallystick.core.lifecycle import TRADE_EXECUTED
from tallystick.deliver.feed import Happening, PositionUnknown
from tallystick.deliver.reading import Asked, Shown
from tallystick.deliver.stream_query import BadQuery
from tallystick.deliver.topic import RECENT
from tallystick.facts.venue import AccountChanged, CancelRequested, Entry, TradeSettled
from tallystick.readers.past import seen_now
from tallystick.server.neutral.events import Events, Wanted
from tallystick.server.neutral.floor import Floor
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.positions import Positions
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.source import NeutralReading, NeutralSource
from tallystick.server.neutral.view import View
from tests.neutral.exchange import MAKER, SECRET, TAKER, Exchange

ALL = Viewer(None)


class Scene:
    def __init__(self) -> None:
        self.one, self.two = Exchange("one"), Exchange("two")
        self.floor = Floor([self.two.venue, self.one.venue], SECRET)
        self.source = NeutralSource(self.floor)

    def reading(self, query: str = "after=start", viewer: Viewer = ALL, last: str = "") -> NeutralReading:
        return self.source.reading(Asked(query.encode(), last, {}), viewer)

    def pages(self, query: str = "", viewer: Viewer = ALL, limit: int = 7) -> list[dict[str, Any]]:
        """All there is, page by page."""

        async def read() -> list[Shown]:
            found: list[Shown] = []
            position = "start"
            while True:
                reading = self.reading(f"after={position}&limit={limit}&{query}".rstrip("&"), viewer)
                found += await reading.page()
                if reading.position == position:
                    return found
                position = reading.position

        return [json.loads(each.body) for each in asyncio.run(read())]


def run(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))  # type: ignore[arg-type]


def by_venue(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in events:
        found.setdefault(each["venue"], []).append(each["id"])
    return found


def test_a_stream_that_breaks_after_any_event_goes_on_with_what_it_has_not_shown() -> None:
    scene = Scene()
    for exchange in (scene.one, scene.two, scene.one):
        exchange.trade(exchange.place(MAKER), exchange.place(TAKER))
    everything = by_venue(scene.pages())
    assert [len(ids) for ids in everything.values()] == [10, 5]

    async def streamed(last: str, count: int) -> list[Shown]:
        found: list[Shown] = []
        with scene.reading(last=last) as reading:
            while len(found) < count:
                found += await reading.next(3)
        return found

    async def scenes() -> None:
        whole = await streamed("", 15)
        for cut in range(len(whole)):
            rest = await streamed(whole[cut - 1].id if cut else "start", len(whole) - cut)
            again = [json.loads(each.body) for each in [*whole[:cut], *rest]]
            assert by_venue(again) == everything

    run(scenes)


def test_what_is_new_comes_from_both_and_a_position_is_never_behind_what_was_shown() -> None:
    scene = Scene()

    async def story() -> None:
        with scene.reading(query="") as reading:
            waiting = asyncio.ensure_future(reading.next(10))
            await asyncio.sleep(0)
            assert not waiting.done()
            scene.two.place(MAKER)
            shown = list(await waiting)
            scene.one.place(MAKER)
            while len(shown) < 4:
                shown += await reading.next(10)
            position = reading.position
        assert sorted(json.loads(each.body)["venue"] for each in shown) == ["one", "one", "two", "two"]
        assert await scene.reading(f"after={position}").page() == []
        scene.one.place(MAKER)
        later = await scene.reading(f"after={position}").page()
        assert [json.loads(each.body)["venue"] for each in later] == ["one", "one"]

    run(story)


def test_one_that_lags_behind_what_is_kept_reads_the_journal_and_misses_nothing() -> None:
    scene = Scene()

    async def story() -> None:
        with scene.reading(query="") as slow, scene.reading(query="kind=order_opened") as picky:
            for _ in range(RECENT + 50):
                scene.one.place(MAKER, 1)
            found: list[Shown] = []
            while len(found) < 2 * (RECENT + 50):
                found += await slow.next(64)
            numbers = [json.loads(each.body)["order"] for each in found]
            assert numbers[::2] == numbers[1::2]
            assert len(set(numbers)) == RECENT + 50
            opened = await picky.next(10_000)
            assert {each.name for each in opened} == {"order_opened"}
            assert len(opened) == RECENT + 50

    run(story)


def test_routed_by_venue_account_order_and_kind() -> None:
    scene = Scene()
    for exchange in (scene.one, scene.two):
        exchange.trade(exchange.place(MAKER), exchange.place(TAKER))
    order = scene.one.venue.order_ids.text(1)
    assert set(by_venue(scene.pages("venue=two"))) == {"two"}
    assert set(by_venue(scene.pages("venue=two&venue=one"))) == {"one", "two"}
    about = scene.pages(f"order={order}")
    assert [each["kind"] for each in about] == ["order_placed", "order_opened", "trade_made"]
    assert {each["venue"] for each in about} == {"one"}
    kinds = scene.pages("kind=trade_made&kind=order_opened&account=acc_taker")
    assert [each["kind"] for each in kinds] == ["order_opened", "trade_made"] * 2


def test_what_is_of_others_is_neither_looked_at_while_new_nor_read_when_catching_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    looked_at: list[int] = []
    whole = Events.of

    def noted(self: Events, entry: Entry, wanted: Wanted) -> Iterator[Happening]:
        looked_at.append(entry.sequence)
        return whole(self, entry, wanted)

    monkeypatch.setattr(Events, "of", noted)
    with scene.reading(query="", viewer=Viewer("maker")):
        for _ in range(20):
            scene.one.place(TAKER, 1)
        assert looked_at == []
        scene.one.place(MAKER)
    mine = [scene.one.state.sequence - 1, scene.one.state.sequence]
    assert looked_at == mine
    looked_at.clear()
    order = scene.one.venue.order_ids.text(scene.one.orders)
    assert len(scene.pages(f"order={order}")) == 2
    assert set(looked_at) == set(mine)


def test_a_client_sees_its_own_side_of_a_trade_and_not_whose_the_other_is() -> None:
    scene = Scene()
    maker, taker = scene.one.place(MAKER), scene.one.place(TAKER)
    trade = scene.one.trade(maker, taker, 60, TRADE_EXECUTED)
    scene.one.let(TradeSettled(TAKER, taker, 1, trade))
    scene.one.let(CancelRequested(0, 0, 0, 1, 1, (maker, taker)))
    for name, own, others in (("maker", maker, taker), ("taker", taker, maker)):
        ids = scene.one.venue.order_ids
        events = scene.pages(viewer=Viewer(name))
        text = json.dumps(events)
        assert ids.text(own) in text
        assert ids.text(others) not in text
        assert f"acc_{name}" in text
        assert f"acc_{'taker' if name == 'maker' else 'maker'}" not in text
        trades = [each for each in events if "trade" in each]
        assert [(each["kind"], each["trade"]["status"]) for each in trades] == [
            ("trade_made", "executed"),
            ("trade_settled", "settled"),
        ]
        assert [[leg["order"] for leg in each["trade"]["legs"]] for each in trades] == [[ids.text(own)]] * 2
    everything = scene.pages()
    assert [len(each["trade"]["legs"]) for each in everything if "trade" in each] == [2, 2]
    assert everything[-1]["cancel"]["orders"] == [scene.one.venue.order_ids.text(each) for each in (maker, taker)]


def test_who_loses_an_account_hears_no_more_of_it_and_who_gets_it_hears_what_comes() -> None:
    scene = Scene()

    async def story() -> None:
        with (
            scene.reading(query="", viewer=Viewer("maker")) as before,
            scene.reading(query="", viewer=Viewer("heir")) as after,
        ):
            begin = after.position
            scene.one.place(MAKER)
            scene.one.let(AccountChanged(MAKER, 0, 0, 1, 0, "heir"))
            scene.one.place(MAKER)
            heard = await after.next(10)
            assert [each.name for each in heard] == ["order_placed", "order_opened"] * 2
            assert heard == await scene.reading(f"after={begin}", Viewer("heir")).page()
            assert await before.page() == []

    run(story)


def test_a_reader_that_wants_little_still_moves_on() -> None:
    """Else whoever reconnects would look through everything again."""
    scene = Scene()

    async def story() -> None:
        with scene.reading(query="kind=order_expired") as reading:
            begin = reading.position
            scene.one.place(MAKER)
            assert reading.position != begin
            assert await scene.reading(f"after={reading.position}").page() == []
        with scene.reading(query="kind=order_placed") as reading:
            scene.one.place(MAKER)
            assert len(await scene.reading(f"after={reading.position}").page()) == 2  # which it has not read yet
            scene.one.place(MAKER)
            assert len(await reading.next(1)) == 1
            assert len(await scene.reading(f"after={reading.position}&kind=order_placed").page()) == 1

    run(story)


def test_one_that_cannot_be_shown_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its readers are sent to the journal, and find the fault there themselves."""
    scene = Scene()
    whole = Events.of

    async def story() -> None:
        with scene.reading(query="") as reading:
            with monkeypatch.context() as faulty:
                faulty.setattr(Events, "of", lambda *_: 1 / 0)
                scene.one.place(MAKER)
                with pytest.raises(ZeroDivisionError):
                    await reading.next(10)
            assert Events.of is whole
            assert len(await reading.next(10)) == 2

    run(story)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=", "invalid_request"),
        ("after=one", "position_unknown"),
        ("after=one.", "position_unknown"),
        ("after=three.0000000000000", "position_unknown"),
        ("after=one.0000000000000", "position_unknown"),
        ("after=start~start", "position_unknown"),
        ("venue=three", "invalid_request"),
        ("account=acc_nobody", "invalid_request"),
        ("order=ord_0000000000000", "invalid_request"),
        ("venue=two&order=ONE", "invalid_request"),
        ("kind=order_lost", "invalid_request"),
        ("limit=0", "invalid_request"),
        ("limit=1001", "invalid_request"),
        ("since=now", "invalid_request"),
        ("colour=red", "invalid_request"),
        ("after=start&after=start", "invalid_request"),
    ],
)
def test_what_cannot_be_asked_for(query: str, code: str) -> None:
    scene = Scene()
    order = scene.one.venue.order_ids.text(scene.one.place(MAKER))
    with pytest.raises(BadQuery) as refused:
        scene.reading(query.replace("ONE", order))
    assert refused.value.code == code


def test_a_position_from_the_future_is_unknown() -> None:
    """As after a backup was restored: nobody is to miss what comes under the same numbers."""
    scene, later = Scene(), Scene()
    later.one.place(MAKER)
    position = later.reading(query="").position
    with pytest.raises(BadQuery) as refused:
        scene.reading(f"after={position}")
    assert refused.value.code == "position_unknown"


def test_positions_are_vectors_in_the_open() -> None:
    positions = Positions(["two", "one"], SECRET)
    for numbers in ({}, {"one": 1}, {"two": 5}, {"one": 2**62, "two": 1}):
        assert positions.read(positions.text(numbers)) == numbers
    assert positions.text({"one": 0}) == "start"
    assert positions.text({"two": 1, "one": 1}) == positions.text({"one": 1, "two": 1})
    both = positions.text({"one": 7, "two": 7})
    one, two = both.split("~")
    for forged in (f"{one}~{one}", f"{both}~", both.upper(), "", "~"):
        with pytest.raises(PositionUnknown):
            positions.read(forged)
    swapped = positions.text({"one": 7}).replace("one", "two")
    assert swapped != two


def test_an_order_is_shown_with_what_its_venues_own_protocol_calls_it() -> None:
    scene = Scene()
    scene.one.place(MAKER)
    venue = scene.one.venue
    hashed = Venue("one", venue.readers, venue.index, venue.order_ids, venue.trade_ids, lambda placed: "0xabc")
    for each, wire_id in ((venue, venue.order_ids.text(1)), (hashed, "0xabc")):
        seen = seen_now(venue.readers, 1)
        assert seen is not None
        assert View(each).order(seen, ALL).wire_id == wire_id
        page = asyncio.run(NeutralSource(Floor([each], SECRET)).reading(Asked(b"after=start", "", {}), ALL).page())
        assert json.loads(page[0].body)["terms"]["wire_id"] == wire_id


def test_since_begins_at_a_time_at_each_venue() -> None:
    scene = Scene()
    scene.one.place(MAKER)
    events = scene.pages()

    async def story() -> None:
        for at, event in enumerate(events):
            found = await scene.reading(f"since={event['time']}").page()
            assert [json.loads(each.body)["id"] for each in found] == [each["id"] for each in events[at:]]

    run(story)


def test_a_topic_is_shared_by_those_who_want_the_same_and_ends_with_the_last() -> None:
    scene = Scene()
    place = scene.floor.places[0]
    wanted = Wanted(Viewer("maker"))
    first, second = place.feed.cursor(wanted, 0), place.feed.cursor(wanted, 0)
    assert len(place.feed._topics) == 1
    first.close()
    first.close()
    assert len(place.feed._topics) == 1
    second.close()
    assert not place.feed._topics
    assert len(scene.one.readers.dispatcher._by_key) == 1  # the one that follows owners
