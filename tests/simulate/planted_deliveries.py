"""Faults to plant in what goes out, each in one part of it; the rest is the real one."""

from tallystick.deliver.courier import Courier
from tallystick.deliver.feed import Page
from tallystick.deliver.reading import HubReading, HubSource
from tallystick.deliver.records import UNORDERED
from tallystick.deliver.schedule import Outcome
from tallystick.simulate.sending import DeliveryParts
from tests.simulate.planted import RevealedBeforeDurable


class PositionBeforeDeliveries(DeliveryParts):
    """What was reached is on record first, and then, in another transaction, what was made of it."""

    def courier(self, endpoint, means):
        return _PositionFirst(endpoint, means)


class _PositionFirst(Courier):
    async def _begin(self, found, reach):
        await self._means.recorder.do(reach)
        await super()._begin(found, lambda _connection: None)


class GivesUpInSilence(DeliveryParts):
    def courier(self, endpoint, means):
        return _Optimist(endpoint, means)


class _Optimist(Courier):
    def _judge(self, delivery, at, outcome):
        super()._judge(delivery, at, Outcome(200, 0) if delivery.tries >= 2 else outcome)


class ForgetsAtRestart(DeliveryParts):
    """What was under way is not looked for again."""

    def courier(self, endpoint, means):
        return _Forgetful(endpoint, means)


class _Forgetful(Courier):
    async def run(self):
        add, self._lane.add = self._lane.add, lambda delivery: None if delivery.attempts else add(delivery)
        await super().run()


class OrderIgnored(DeliveryParts):
    def courier(self, endpoint, means):
        return Courier(endpoint._replace(ordering=UNORDERED), means)


class OtherBytesAgain(DeliveryParts):
    def courier(self, endpoint, means):
        return _Reformatting(endpoint, means)


class _Reformatting(Courier):
    async def _attempt(self, delivery):
        await super()._attempt(delivery._replace(body=delivery.body + b" " * len(delivery.attempts)))


class FirstTimestampForEver(DeliveryParts):
    def courier(self, endpoint, means):
        return _Stale(endpoint, means)


class _Stale(Courier):
    def _headers(self, delivery, at):
        return super()._headers(delivery, delivery.created_at)


class RetryAfterIgnored(DeliveryParts):
    def courier(self, endpoint, means):
        return _Hasty(endpoint, means)


class _Hasty(Courier):
    def _judge(self, delivery, at, outcome):
        super()._judge(delivery, at, outcome._replace(retry_after=None))


class _Feed:
    """The real feed, for those who change one thing."""

    def __init__(self, feed) -> None:
        self._feed = feed

    def __getattr__(self, name):
        return getattr(self._feed, name)


class PagesLoseTheirLast(DeliveryParts):
    def feed(self, feed, process):
        return _Shortened(feed)


class _Shortened(_Feed):
    async def page(self, owner, after, limit):
        page = await self._feed.page(owner, after, limit)
        return Page(page.happenings[:-1] if len(page.happenings) > 5 else page.happenings, page.through)


class HandedOverTwice(DeliveryParts):
    def feed(self, feed, process):
        return _Twice(feed)


class _Twice(_Feed):
    def attach(self, sink):
        self._feed.attach(sink)
        self._feed.attach(sink)


class EverybodysEvents(DeliveryParts):
    def feed(self, feed, process):
        return _Indiscreet(feed)


class _Indiscreet(_Feed):
    async def page(self, owner, after, limit):
        return await self._feed.page(None, after, limit)


class CutOffTooFarAhead(DeliveryParts):
    """Who is cut off is told the newest position, and not its own."""

    def source(self, hub):
        return _Ahead(hub)


class _Ahead(HubSource):
    def reading(self, asked, viewer):
        found = super().reading(asked, viewer)
        found.__class__ = _AheadReading
        return found


class _AheadReading(HubReading):
    @property
    def position(self):
        return self._hub.feed.text(self._hub.feed.newest())


class SentBeforeDurable(DeliveryParts, RevealedBeforeDurable):
    pass
