"""Bodies that are no order: each is refused with all that is wrong with it, and nothing changes.

The module's fixture sees at its end that the account's orders, balances and positions are byte for byte what they were.
"""

import json
from typing import Any, NamedTuple

import pytest

from tests.sophic.customer import Customer, assert_error, order_body

GOOD: dict[str, Any] = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "100.00"}
SELL: dict[str, Any] = {"instrument": "ins_tbill", "order_type": "market", "side": "sell", "quantity": "1.00"}
DEEP = 100_000


class Bad(NamedTuple):
    """``params`` are the (path, code) of every fault; None where only the code is told."""

    title: str
    body: bytes
    params: list[tuple[str, str]] | None
    code: str = "invalid_request"


def changed(original: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps(original | fields).encode()


def without(original: dict[str, Any], *names: str) -> bytes:
    return json.dumps({name: value for name, value in original.items() if name not in names}).encode()


def bare(text: str) -> bytes:
    """The cash amount written as this JSON text."""
    return order_body("buy", "HERE").replace(b'"HERE"', text.encode("utf-8", "surrogatepass"))


MALFORMED = [("body", "malformed_json")]
NOT_AN_OBJECT = [("body", "invalid_param")]
BAD_CASH = [("body.cash_amount", "invalid_param")]
BAD_QUANTITY = [("body.quantity", "invalid_param")]

NO_JSON = [
    Bad("an empty body", b"", MALFORMED),
    Bad("only white space", b" \r\n\t", MALFORMED),
    Bad("an object that never ends", b'{"instrument": "ins_acme"', MALFORMED),
    Bad("a string that never ends", b'{"instrument": "ins_acme', MALFORMED),
    Bad("a trailing comma", b'{"instrument": "ins_acme",}', MALFORMED),
    Bad("single quotes", b"{'instrument': 'ins_acme'}", MALFORMED),
    Bad("keys without quotes", b"{instrument: 1}", MALFORMED),
    Bad("a comment", b"/* buy */" + order_body("buy", "1.00"), MALFORMED),
    Bad("something after the object", order_body("buy", "1.00") + b"x", MALFORMED),
    Bad("two objects", order_body("buy", "1.00") * 2, MALFORMED),
    Bad("a byte order mark", b"\xef\xbb\xbf" + order_body("buy", "1.00"), MALFORMED),
    Bad("UTF-16", order_body("buy", "1.00").decode().encode("utf-16"), MALFORMED),
    Bad("bytes that are not UTF-8", b'{"instrument": "\xff\xfe"}', MALFORMED),
    Bad("a raw NUL in a string", b'{"instrument": "ins\x00acme"}', MALFORMED),
    Bad("a raw line feed in a string", b'{"instrument": "ins\nacme"}', MALFORMED),
    Bad("an unknown escape", rb'{"instrument": "\x41"}', MALFORMED),
    Bad("a form instead of JSON", b"instrument=ins_acme&side=buy", MALFORMED),
    Bad("a lone high surrogate", rb'{"instrument": "\ud800"}', MALFORMED),
    Bad("a lone low surrogate", rb'{"instrument": "\udc00"}', MALFORMED),
    Bad("a lone surrogate in raw bytes", b'{"instrument": "\xed\xa0\x80"}', MALFORMED),
    Bad("a lone surrogate as a key", order_body("buy", "1.00")[:-1] + rb', "\ud800": 1}', MALFORMED),
    Bad("random bytes", bytes(range(256)), MALFORMED),
    Bad("NaN", bare("NaN"), MALFORMED),
    Bad("Infinity", bare("Infinity"), MALFORMED),
    Bad("-Infinity", bare("-Infinity"), MALFORMED),
    Bad("a number with a leading zero", bare("0100"), MALFORMED),
    Bad("a hexadecimal number", bare("0x10"), MALFORMED),
    Bad("arrays nested a hundred thousand deep", b"[" * DEEP + b"]" * DEEP, MALFORMED),
    Bad("arrays nested deep that never end", b"[" * DEEP, MALFORMED),
    Bad("objects nested a hundred thousand deep", b'{"a":' * DEEP + b"1" + b"}" * DEEP, MALFORMED),
    Bad("a field nested a hundred thousand deep", bare("[" * DEEP + "]" * DEEP), MALFORMED),
]

NO_STRINGS: list[Any] = [True, False, 0, 1, 1.5, [], {}, ["buy"], {"a": "b"}]

NO_ORDER = [
    Bad("null", b"null", NOT_AN_OBJECT),
    Bad("true", b"true", NOT_AN_OBJECT),
    Bad("a number", b"1", NOT_AN_OBJECT),
    Bad("a string", b'"buy"', NOT_AN_OBJECT),
    Bad("an array of an order", b"[" + order_body("buy", "1.00") + b"]", NOT_AN_OBJECT),
    Bad(
        "an empty object",
        b"{}",
        [("body.instrument", "required"), ("body.order_type", "required"), ("body.side", "required")],
    ),
    *[
        Bad(f"{name} is missing", without(GOOD, name), [(f"body.{name}", "required")])
        for name in ("instrument", "order_type", "side", "cash_amount")
    ],
    Bad("a sell without its quantity", without(SELL, "quantity"), [("body.quantity", "required")]),
    *[
        Bad(f"{name} is {value!r}", changed(GOOD, **{name: value}), [(f"body.{name}", "invalid_param")])
        for name in ("instrument", "order_type", "side")
        for value in [None, *NO_STRINGS]
    ],
    *[Bad(f"cash_amount is {value!r}", changed(GOOD, cash_amount=value), BAD_CASH) for value in NO_STRINGS],
    *[Bad(f"quantity is {value!r}", changed(SELL, quantity=value), BAD_QUANTITY) for value in NO_STRINGS],
    Bad("cash_amount is null", changed(GOOD, cash_amount=None), [("body.cash_amount", "required")]),
    Bad("quantity is null", changed(SELL, quantity=None), [("body.quantity", "required")]),
    Bad(
        "automatic_rollover is a string",
        changed(GOOD, automatic_rollover="yes"),
        [("body.automatic_rollover", "invalid_param")],
    ),
    Bad("order_type is unknown", changed(GOOD, order_type="limit"), [("body.order_type", "invalid_param")]),
    Bad("order_type in capitals", changed(GOOD, order_type="MARKET"), [("body.order_type", "invalid_param")]),
    Bad("side is unknown", changed(GOOD, side="short"), [("body.side", "invalid_param")]),
    Bad("side in capitals", changed(GOOD, side="BUY"), [("body.side", "invalid_param")]),
    Bad("side with a space", changed(GOOD, side="buy "), [("body.side", "invalid_param")]),
    Bad("side is empty", changed(GOOD, side=""), [("body.side", "invalid_param")]),
    Bad("an unknown field", changed(GOOD, price="1.00"), [("body.price", "unknown_field")]),
    Bad("a field in capitals", changed(GOOD, Side="buy"), [("body.Side", "unknown_field")]),
    Bad("a field with an empty name", changed(GOOD, **{"": 1}), [("body.", "unknown_field")]),
    Bad("a field of another's making", changed(GOOD, account="acc_other"), [("body.account", "unknown_field")]),
    Bad("a buy with a quantity too", changed(GOOD, quantity="1.00"), BAD_QUANTITY),
    Bad("a sell with a cash amount too", changed(SELL, cash_amount="1.00"), BAD_CASH),
    Bad(
        "a sell by cash amount",
        changed(GOOD, side="sell"),
        [("body.cash_amount", "invalid_param"), ("body.quantity", "required")],
    ),
    Bad(
        "a buy by quantity",
        changed(SELL, side="buy"),
        [("body.cash_amount", "required"), ("body.quantity", "invalid_param")],
    ),
    Bad(
        "several faults at once",
        b'{"order_type": "limit", "side": 5, "cash_amount": [], "surprise": 1, "automatic_rollover": "no"}',
        [
            ("body.automatic_rollover", "invalid_param"),
            ("body.cash_amount", "invalid_param"),
            ("body.instrument", "required"),
            ("body.order_type", "invalid_param"),
            ("body.side", "invalid_param"),
            ("body.surprise", "unknown_field"),
        ],
    ),
]

NO_AMOUNTS = {
    "empty": "",
    "a space": " ",
    "zero": "0",
    "zero with decimals": "0.00",
    "zero with a sign": "-0",
    "zero with a sign and decimals": "-0.00",
    "negative": "-1.00",
    "the least negative": "-0.01",
    "with a plus": "+1.00",
    "without a whole part": ".50",
    "without decimals after the point": "1.",
    "only a point": ".",
    "only a sign": "-",
    "with two points": "1.0.0",
    "with two signs": "--1",
    "with an exponent": "1e2",
    "with a capital exponent": "1E2",
    "with a thousands separator": "1,000.00",
    "with an underscore": "1_000",
    "with a decimal comma": "1,50",
    "with a leading space": " 1.00",
    "with a trailing line feed": "1.00\n",
    "with a NUL": "1.00\0",
    "hexadecimal": "0x10",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-inf": "-inf",
    "1e400": "1e400",
    "in Arabic digits": "١٠٠",
    "in full-width digits": "１００",
    "with a superscript": "1²",
    "with a currency": "$1.00",
    "with too many decimals": "1.0000001",
    "of 79 digits": "1" * 79,
    "of ten thousand digits": "1" * 10_000,
    "of ten thousand zeros": "0" * 10_000,
    "of ten thousand decimals": "1." + "0" * 10_000,
    "of half a million digits": "9" * 500_000,
}

NO_AMOUNT = [
    *[Bad(f"a cash amount {title}", changed(GOOD, cash_amount=text), BAD_CASH) for title, text in NO_AMOUNTS.items()],
    *[Bad(f"a quantity {title}", changed(SELL, quantity=text), BAD_QUANTITY) for title, text in NO_AMOUNTS.items()],
    Bad("a cash amount below a cent", changed(GOOD, cash_amount="1.001"), BAD_CASH),
    Bad("a cash amount that is all fees", changed(GOOD, cash_amount="0.01"), BAD_CASH),
    Bad("a quantity off the increment", changed(SELL, quantity="1.001"), BAD_QUANTITY),
    Bad("a quantity below the increment", changed(SELL, quantity="0.009999"), BAD_QUANTITY),
    Bad("a cash amount as the number -0", bare("-0"), BAD_CASH),
    Bad("a cash amount as the number 1e2", bare("1e2"), BAD_CASH),
    Bad("a cash amount as a number of 300 digits", bare("1" * 300), BAD_CASH),
]

NOT_ACCEPTABLE = [
    *[
        Bad(title, changed(GOOD, instrument=name), [("body.instrument", "not_found")], "not_found")
        for title, name in {
            "an instrument that does not exist": "ins_other",
            "an instrument without a name": "",
            "an instrument by its symbol": "ACME",
            "an instrument in capitals": "INS_ACME",
            "an instrument with a NUL": "ins_acme\0",
            "an instrument with a space": "ins_acme ",
            "an instrument that is a path": "../../secret.key",
            "an instrument that is SQL": "' OR 1=1 --",
            "an instrument of half a million characters": "i" * 500_000,
            "an instrument beyond the basic plane": "😀",
        }.items()
    ],
    Bad(
        "more cash than there is",
        changed(GOOD, cash_amount="100000.01"),
        [("body.cash_amount", "insufficient_funds")],
        "insufficient_funds",
    ),
    Bad(
        "the most digits an amount may have",
        changed(GOOD, cash_amount="9" * 76 + ".99"),
        [("body.cash_amount", "insufficient_funds")],
        "insufficient_funds",
    ),
    Bad(
        "more units than there are",
        changed(SELL, quantity="1000.01"),
        [("body.quantity", "insufficient_units")],
        "insufficient_units",
    ),
]

ALL = [*NO_JSON, *NO_ORDER, *NO_AMOUNT, *NOT_ACCEPTABLE]


@pytest.mark.parametrize("bad", ALL, ids=[each.title for each in ALL])
def test_it_is_refused_with_all_that_is_wrong(untouched: Customer, bad: Bad) -> None:
    assert_error(untouched.post(bad.body), 400, bad.code, bad.params)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1" * 10_000, "-" + "1" * 10_000, "1." + "1" * 10_000])
def test_a_number_beyond_all_bounds_is_refused(untouched: Customer, text: str) -> None:
    """Whether such a number is malformed or merely the wrong type, decoders disagree."""
    answer = untouched.post(bare(text))
    assert_error(answer, 400, "invalid_request")
    (param,) = answer.json()["params"]
    assert (param["path"], param["code"]) in [("body", "malformed_json"), *BAD_CASH]


def test_the_same_key_twice_is_refused(standing: Customer) -> None:
    """Readers disagree on which of the two counts: a proxy may have approved the one that the venue ignores."""
    body = order_body("buy", "1.00")
    for twice in (
        b'{"side": "sell",' + body[1:],
        body[:-1] + b', "cash_amount": "2.00"}',
        body[:-1] + rb', "cash\u005famount": "2.00"}',
    ):
        assert_error(standing.post(twice), 400, "invalid_request")
    assert standing.orders() == []


def test_every_fault_is_told_at_once_also_those_across_fields(untouched: Customer) -> None:
    faults = {
        b'{"order_type": "market", "side": "buy"}': [
            ("body.cash_amount", "required"),
            ("body.instrument", "required"),
        ],
        changed(GOOD, instrument=5, cash_amount="abc"): [
            ("body.cash_amount", "invalid_param"),
            ("body.instrument", "invalid_param"),
        ],
        changed(GOOD, cash_amount="-1.00", quantity="1.00"): [
            ("body.cash_amount", "invalid_param"),
            ("body.quantity", "invalid_param"),
        ],
        changed(SELL, order_type="limit", cash_amount="1.00"): [
            ("body.cash_amount", "invalid_param"),
            ("body.order_type", "invalid_param"),
        ],
    }
    for body, params in faults.items():
        assert_error(untouched.post(body), 400, "invalid_request", params)


def test_a_bad_amount_is_told_before_an_unknown_instrument(untouched: Customer) -> None:
    """invalid_request precedes not_found (specs/sophic.md §5), as far as the instrument's decimals do not matter."""
    answer = untouched.post(changed(GOOD, instrument="ins_other", cash_amount="abc"))
    assert_error(answer, 400, "invalid_request", BAD_CASH)


def test_an_error_is_short_however_long_the_request(untouched: Customer) -> None:
    for body in (
        changed(GOOD, **{f"field{number}": 1 for number in range(10_000)}),
        changed(GOOD, **{"f" * 500_000: 1}),
        changed(GOOD, instrument="i" * 500_000),
        changed(GOOD, cash_amount="9" * 500_000),
        changed(GOOD, side="s" * 500_000),
        changed(GOOD, order_type="t" * 500_000),
    ):
        answer = untouched.post(body)
        assert answer.status_code == 400
        assert len(answer.content) < 10_000


def test_a_rollover_that_is_not_offered_is_refused_rather_than_forgotten(standing: Customer) -> None:
    answer = standing.post(changed(GOOD, automatic_rollover=True))
    assert answer.status_code == 400 or answer.json()["automatic_rollover"] is True
