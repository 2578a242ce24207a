"""Cash and units are promised once: what an accepted order needs is reserved, and nothing beyond it is accepted."""

from concurrent.futures import ThreadPoolExecutor

from tests.sophic.customer import Customer, assert_error


def test_a_buy_may_take_all_the_cash_and_not_a_cent_more(standing: Customer) -> None:
    assert_error(
        standing.try_place("buy", "100000.01"), 400, "insufficient_funds", [("body.cash_amount", "insufficient_funds")]
    )
    assert standing.orders() == []
    assert standing.place("buy", "100000.00")["status"] == "placed"
    assert standing.cash() == {
        "currency": "USD",
        "total": "100000.00",
        "available_for_trading": "0.00",
        "available_for_withdrawal": "0.00",
        "reserved": "100000.00",
    }
    assert_error(standing.try_place("buy", "0.02"), 400, "insufficient_funds")
    assert len(standing.orders()) == 1


def test_a_sell_may_take_all_the_units_and_not_an_increment_more(standing: Customer) -> None:
    assert_error(
        standing.try_place("sell", "50.000001"), 400, "insufficient_units", [("body.quantity", "insufficient_units")]
    )
    assert standing.place("sell", "50")["quantity"] == "50.000000"
    position = standing.position("ins_acme")
    assert (position["quantity"], position["available_for_trading"], position["reserved"]) == (
        "50.000000",
        "0.000000",
        "50.000000",
    )
    assert_error(standing.try_place("sell", "0.000001"), 400, "insufficient_units")
    assert standing.cash()["reserved"] == "0.00"


def test_of_eight_concurrent_buys_of_a_third_of_the_cash_three_are_accepted(standing: Customer) -> None:
    def buy(_: int) -> int:
        with Customer(standing.server) as own:
            answer = own.try_place("buy", "33333.33")
            if answer.status_code != 201:
                assert_error(answer, 400, "insufficient_funds")
            return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(buy, range(8)))
    assert sorted(statuses) == [201] * 3 + [400] * 5
    assert len(standing.orders()) == 3
    assert (standing.cash()["reserved"], standing.cash()["available_for_trading"]) == ("99999.99", "0.01")
    assert standing.cash()["total"] == "100000.00"


def test_concurrent_sells_of_the_same_units_are_accepted_once(standing: Customer) -> None:
    def sell(_: int) -> int:
        with Customer(standing.server) as own:
            return own.try_place("sell", "200", "ins_world").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(sell, range(8)))
    assert sorted(statuses) == [201] + [400] * 7
    assert standing.position("ins_world")["reserved"] == "200.000000"
