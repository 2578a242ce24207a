"""Requests that are wrong outside of their body: too large, unknown paths, tokens, methods, queries, no HTTP at all.

The module's fixture sees at its end that the account's orders, balances and positions are byte for byte what they were.
"""

import json
from contextlib import suppress
from typing import NamedTuple

import pytest

from tests.sophic.customer import Customer, assert_error, order_body
from tests.sophic.raw_http import connect, exchange, post_head

MEGABYTE = 1024 * 1024
READS = ("/orders", "/cash-balances", "/positions", "/orders/ord_0000000000000")


class Size(NamedTuple):
    title: str
    chunks: list[bytes]
    status: int
    code: str


UNKNOWN = order_body("buy", "1.00", "ins_other")

SIZES = [
    Size(
        "exactly one MiB is read",
        [post_head(f"content-length: {MEGABYTE}"), UNKNOWN.ljust(MEGABYTE)],
        400,
        "not_found",
    ),
    Size(
        "exactly one MiB in chunks is read",
        [post_head("transfer-encoding: chunked"), b"100000\r\n", UNKNOWN.ljust(MEGABYTE), b"\r\n0\r\n\r\n"],
        400,
        "not_found",
    ),
    Size(
        "one byte more is too large",
        [post_head(f"content-length: {MEGABYTE + 1}"), UNKNOWN.ljust(MEGABYTE + 1)],
        413,
        "request_too_large",
    ),
    Size(
        "one byte more in chunks is too large",
        [post_head("transfer-encoding: chunked"), b"100001\r\n", UNKNOWN.ljust(MEGABYTE + 1), b"\r\n0\r\n\r\n"],
        413,
        "request_too_large",
    ),
    Size("a size alone is enough", [post_head("content-length: 1048577")], 413, "request_too_large"),
    Size("a size of eighteen digits", [post_head("content-length: " + "9" * 18)], 413, "request_too_large"),
    Size(
        "a chunk that never comes to an end",
        [post_head("transfer-encoding: chunked"), b"7fffffff\r\n", b" " * (MEGABYTE + 1)],
        413,
        "request_too_large",
    ),
    Size(
        "many small chunks",
        [post_head("transfer-encoding: chunked"), *[b"400\r\n" + b" " * 1024 + b"\r\n"] * 1025],
        413,
        "request_too_large",
    ),
    Size(
        "a wrong token is told before the size",
        [post_head("content-length: 1048577", token="wrong")],
        401,
        "unauthorized",
    ),
]


@pytest.mark.parametrize("size", SIZES, ids=[each.title for each in SIZES])
def test_a_body_has_at_most_one_mebibyte(untouched: Customer, size: Size) -> None:
    answer = exchange(untouched.server.url, size.chunks)
    assert answer is not None
    assert answer.status == size.status
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)["code"] == size.code


GARBAGE = {
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "random bytes": bytes(range(128, 256)) + b"\r\n\r\n",
    "no method": b"\r\n\r\n\r\nx\r\n\r\n",
    "an unknown method": b"PLACE /sophic/accounts/acc_demo/orders HTTP/1.1\r\nhost: venue\r\n\r\n",
    "a version of the future": b"GET /healthz HTTP/9.9\r\nhost: venue\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\nhost venue\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nhost: ve\0nue\r\n\r\n",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nhost : venue\r\n\r\n",
    "a length that is no number": post_head("content-length: ten"),
    "a negative length": post_head("content-length: -1"),
    "a length in superscript": post_head("content-length: \u00b2"),
    "a length of a thousand digits": post_head("content-length: " + "9" * 1000),
    "two lengths": post_head("content-length: 2", "content-length: 3") + b"{}",
    "a length and chunks": post_head("content-length: 2", "transfer-encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n",
    "a chunk of no size": post_head("transfer-encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk of too large a size": post_head("transfer-encoding: chunked") + b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n",
    "a path beyond ASCII": b"GET /sophic/accounts/\xff\xfe/orders HTTP/1.1\r\nhost: venue\r\n\r\n",
    "an encoding nobody knows": post_head("transfer-encoding: braille") + b"{}",
}


@pytest.mark.parametrize("title", GARBAGE)
def test_what_is_not_http_is_refused_and_the_next_is_served(untouched: Customer, title: str) -> None:
    answer = exchange(untouched.server.url, [GARBAGE[title]])
    assert answer is None or 400 <= answer.status < 500
    health = exchange(untouched.server.url, [b"GET /healthz HTTP/1.1\r\nhost: venue\r\n\r\n"])
    assert health is not None
    assert health.status == 200


def test_a_head_that_never_ends_is_cut_off(untouched: Customer) -> None:
    """Bodies are bounded, so heads must be: nothing else bounds the memory of a connection."""
    endless = b"x-filler: " + b"a" * MEGABYTE + b"\r\n"
    for start in (b"GET /healthz HTTP/1.1\r\n", b"GET /" + b"a" * MEGABYTE):
        with connect(untouched.server.url) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(start + endless * 8)
            connection.settimeout(1)
            try:
                heard = connection.recv(64)
            except ConnectionResetError:
                continue
            except TimeoutError:
                pytest.fail("it took eight MiB of head and waits for more")
            assert heard == b"" or heard.startswith((b"HTTP/1.1 431", b"HTTP/1.1 414", b"HTTP/1.1 400"))


def test_a_customer_who_leaves_in_the_middle_has_ordered_nothing(untouched: Customer) -> None:
    body = order_body("buy", "1.00")
    for sent in (
        b"POST /sophic",
        post_head(f"content-length: {len(body)}")[:-2],
        post_head(f"content-length: {len(body)}"),
        post_head(f"content-length: {len(body) + 1}") + body,
        post_head("transfer-encoding: chunked") + b"%x\r\n%s\r\n" % (len(body), body),
    ):
        with connect(untouched.server.url) as connection:
            connection.sendall(sent)
    assert untouched.send("GET", "/orders").status_code == 200


TOKENS = {
    "none": "",
    "empty": "authorization: ",
    "only the scheme": "authorization: Bearer",
    "a wrong one": "authorization: Bearer wrong",
    "a longer one": "authorization: Bearer sandbox2",
    "a shorter one": "authorization: Bearer sandbo",
    "in capitals": "authorization: Bearer SANDBOX",
    "another scheme": "authorization: Basic c2FuZGJveA==",
    "without a scheme": "authorization: sandbox",
    "not ASCII": "authorization: Bearer s\u00e4ndbox",
    "very long": "authorization: Bearer " + "s" * 10_000,
    "a wrong one before the right one": "authorization: Bearer wrong\r\nauthorization: Bearer sandbox",
}


@pytest.mark.parametrize("title", TOKENS)
@pytest.mark.parametrize(("method", "path"), [("POST", "/orders"), *[("GET", path) for path in READS]])
def test_without_the_token_nothing_is_told(untouched: Customer, title: str, method: str, path: str) -> None:
    body = order_body("buy", "1.00")
    lines = [f"{method} /sophic/accounts/acc_demo{path} HTTP/1.1", "host: venue", f"content-length: {len(body)}"]
    head = "\r\n".join(filter(None, [*lines, TOKENS[title]])) + "\r\n\r\n"
    answer = exchange(untouched.server.url, [head.encode("latin-1") + body])
    assert answer is not None
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.body)) == {"code", "detail"}
    assert json.loads(answer.body)["code"] == "unauthorized"


def test_the_scheme_is_written_in_any_case(untouched: Customer) -> None:
    """RFC 9110 §11.1: the name of an authentication scheme is case-insensitive."""
    answer = untouched.send("GET", "/orders", headers={"authorization": "bearer sandbox"})
    assert answer.status_code == 200


OTHERS = [
    "acc_other",
    "ACC_DEMO",
    "acc_demo%00",
    "acc_demo%20",
    "1",
    "street",
    "fees",
    "world",
    "%F0%9F%98%80",
    "a" * 9000,
]


@pytest.mark.parametrize("account", OTHERS)
@pytest.mark.parametrize(("method", "path"), [("POST", "/orders"), *[("GET", path) for path in READS]])
def test_what_is_no_customers_account_is_not_found(untouched: Customer, account: str, method: str, path: str) -> None:
    url = f"{untouched.server.url}/sophic/accounts/{account}{path}"
    assert_error(untouched.send(method, url, content=order_body("buy", "1.00")), 404, "not_found", [])


def test_an_order_id_of_any_other_kind_is_not_found(untouched: Customer) -> None:
    order = untouched.orders()[0]
    word, digits = order["id"].split("_")
    for order_id in (
        "ord_0000000000000",
        "ord_zzzzzzzzzzzzz",
        order["trades"][0]["id"],
        order["position"],
        order["instrument"]["id"],
        f"trd_{digits}",
        f"{word}_{digits.upper()}",
        f"ORD_{digits}",
        digits,
        f"{word}_{digits}0",
        f"{word}_{digits[:-1]}",
        f"{order['id']}%00",
        f"{order['id']}%20",
        f"{word}_{digits[:-1]}%C3%A9",
        "1",
        "-1",
        "null",
        "%FF%FE",
        "..%2F..%2Fsecret.key",
        "%2e%2e",
        "o" * 9_000,
    ):
        assert_error(untouched.send("GET", f"/orders/{order_id}"), 404, "not_found", [])


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/nope", "/sophic", "/sophic/", "/sophic/accounts/", "/sophic/accounts/acc_demo/",
     "/sophic/orders", "/%00", "/%FF",
     "/sophic/accounts//orders", "/sophic/accounts/acc_demo/orders/", "/sophic/accounts/acc_demo/cash-balances/",
     "/sophic/accounts/acc_demo/orders/x/y", "/healthz/", "/ops", "/docs",
     "/sophic/accounts/../../../../etc/passwd", "/sophic/accounts/..%2F..%2Fetc%2Fpasswd"],
)  # fmt: skip
def test_a_path_that_does_not_exist_is_not_found(untouched: Customer, path: str) -> None:
    """Raw, because clients tidy paths up. A redirect would trust the Host header, which anyone can write."""
    head = f"GET {path} HTTP/1.1\r\nhost: elsewhere.example\r\nauthorization: Bearer sandbox\r\n\r\n"
    answer = exchange(untouched.server.url, [head.encode()])
    assert answer is not None
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)["code"] == "not_found"


METHODS = {
    "/orders": ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"),
    "/orders/ord_0000000000000": ("POST", "PUT", "PATCH", "DELETE"),
    "/cash-balances": ("POST", "PUT", "PATCH", "DELETE"),
    "/positions": ("POST", "PUT", "PATCH", "DELETE"),
}
ALLOWED = {"/orders": {"GET", "HEAD", "POST"}}


@pytest.mark.parametrize(("path", "method"), [(path, method) for path in METHODS for method in METHODS[path]])
def test_a_method_that_a_path_does_not_take_is_refused(untouched: Customer, path: str, method: str) -> None:
    assert_error(untouched.send(method, path, content=b"{}"), 405, "method_not_allowed", [])


@pytest.mark.parametrize("path", METHODS)
def test_a_refused_method_is_told_all_that_are_allowed(untouched: Customer, path: str) -> None:
    allowed = untouched.send("DELETE", path).headers["allow"]
    assert {each.strip() for each in allowed.split(",")} == ALLOWED.get(path, {"GET", "HEAD"})


LIMITS = [
    "",
    "0",
    "-1",
    "1001",
    "1.0",
    "1e1",
    "+1",
    "%201",
    "1x",
    "ten",
    "٣",
    "²",
    "null",
    "NaN",
    "9" * 5000,
    "%00",
    "1,2",
]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_a_whole_number_from_1_to_1000(untouched: Customer, limit: str) -> None:
    answer = untouched.send("GET", f"/orders?limit={limit}")
    assert_error(answer, 400, "invalid_request", [("query.limit", "invalid_param")])


def test_starting_after_is_an_order_of_the_account(untouched: Customer) -> None:
    for order_id in ("", "ord_0000000000000", "x", "%00", "1", untouched.orders()[0]["position"], "o" * 5_000):
        answer = untouched.send("GET", f"/orders?starting_after={order_id}")
        assert_error(answer, 400, "invalid_request", [("query.starting_after", "invalid_param")])


def test_a_query_is_told_all_its_faults_at_once(untouched: Customer) -> None:
    answer = untouched.send("GET", "/orders?limit=0&starting_after=x")
    params = [("query.limit", "invalid_param"), ("query.starting_after", "invalid_param")]
    assert_error(answer, 400, "invalid_request", params)
