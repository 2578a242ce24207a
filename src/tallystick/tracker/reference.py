"""Venues and markets become known: each once, by its name, however often its connector says so."""

from tallystick.facts.client_terms import MarketListed, VenueJoined
from tallystick.tracker.draft import Draft
from tallystick.tracker.observations import ListMarket
from tallystick.tracker.state import Venue


def join_venue(draft: Draft, terms: VenueJoined) -> None:
    """The venue is here, or declares something else now."""
    state = draft.state
    known = state.venue_named.get(terms.name)
    joined = VenueJoined(
        len(state.venues) + 1 if known is None else known.number,
        0,
        terms.name,
        terms.completion,
        terms.late_us,
        terms.fills_wait_us,
        terms.lost_misses,
        terms.lost_after_us,
        terms.slack_us,
        terms.fills,
        terms.absent_lists,
        terms.absent_us,
    )
    if known is None or known.terms != joined:
        draft.emit(joined)


def list_market(draft: Draft, venue: Venue, market: ListMarket) -> None:
    """Orders may be for this market, under a number of ours."""
    markets = draft.state.markets
    for listed in markets.values():
        if listed.venue == venue.number and listed.name == market.name:
            return
    draft.emit(
        MarketListed(
            venue.number,
            0,
            len(markets) + 1,
            market.name,
            market.unit,
            market.currency,
            market.price_scale,
            market.unit_scale,
            market.cash_scale,
        )
    )
