"""An account's figures, where they are easily wrong."""

import msgspec

from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.rules import BluefinRules
from tallystick.dialects.bluefin.view import View
from tallystick.facts.codes import CUSTOMER, WORLD
from tallystick.facts.commands import DefineAsset, OpenAccount, OpenVenue, Quote, Transfer
from tallystick.venue.engine import Engine
from tests.bluefin.hall import E9, Hall, plain
from tests.bluefin.strict_reader import StrictReader
from tests.exchange.floor import ETH


def test_an_account_that_has_funds_before_there_is_a_market_has_figures() -> None:
    engine = Engine(BluefinRules(Policy()))
    commands = (
        OpenVenue("venue", "check"),
        DefineAsset("USDC", 9),
        OpenAccount("world", WORLD),
        OpenAccount("ann", CUSTOMER),
        Transfer(1, 2, "USDC", 5 * E9),
    )
    for now, command in enumerate(commands, 1):
        engine.decide(command, now * 100)
    shown = View(lambda: engine.ambient).account(engine.state, engine.state.account_named["ann"])
    StrictReader().read("Account", msgspec.json.encode(shown))
    assert (shown.assets, shown.total_account_value_e9) == ([], "0")


def test_a_position_is_worth_what_is_quoted_and_its_entry_price_is_positive_when_it_is_short() -> None:
    hall = Hall()
    hall.sell("ann", 2, at=3000)
    hall.buy("bob", 2, at=3000)
    hall.do(Quote(ETH, 3010 * E9))
    view = View(lambda: hall.engine.ambient)
    figures = {}
    for name in ("ann", "bob"):
        account = hall.venue.state.account_named[name]
        held = view.position_update(hall.venue.state, account, hall.venue.state.markets[ETH])
        update = view.account_update(hall.venue.state, account)
        figures[name] = [
            held.side,
            *map(plain, (held.size_e9, held.avg_entry_price_e9, held.unrealized_pnl_e9)),
            *map(plain, (update.cross_unrealized_pnl_e9, update.cross_unrealized_loss_e9)),
        ]
    assert figures == {
        "ann": ["SHORT", "2", "3000", "-20", "-20", "20"],
        "bob": ["LONG", "2", "3000", "20", "20", "0"],
    }
