"""Asking a server's operations door over HTTP."""

import json
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT_SECONDS: Final = 30


class _Stay(HTTPRedirectHandler):
    """Follows nobody elsewhere: the token is for this server alone."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


_opener: Final = build_opener(ProxyHandler({}), _Stay)
_IN_DOUBT: Final = "; it may have been done all the same, so look before you repeat it"


class OpsError(Exception):
    """The door refused, or there was no answer; the text says what to do. Never repeats the token.

    ``in_doubt``: it may have been done all the same.
    """

    def __init__(self, sentence: str, *, in_doubt: bool = False) -> None:
        super().__init__(sentence)
        self.in_doubt: Final = in_doubt


class OpsClient:
    """``url`` is the server's, as http://127.0.0.1:8420; ``token`` the operator's. Raises OpsError for a bad url."""

    def __init__(self, url: str, venue: str, token: str) -> None:
        if "@" in url:
            raise OpsError("an address has no user and password in it; the token goes into TALLYSTICK_OPS_TOKEN")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise OpsError(f"{url} is no address of a server; give one as http://127.0.0.1:8420")
        if not (token.isascii() and token.isprintable()):
            raise OpsError("the token in TALLYSTICK_OPS_TOKEN is not one line of ASCII")
        self._base: Final = f"{url.rstrip('/')}/ops/venues/{quote(venue, safe='')}"
        self._url: Final = url
        self._token: Final = token

    def __repr__(self) -> str:
        return f"OpsClient({self._base!r})"

    def get(self, *path: str, **query: Any) -> Any:
        """What the door shows there; parameters that are None or "" are left out."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return self._ask("GET", path, f"?{urlencode(given)}" if given else "", None)

    def post(self, *path: str, **body: Any) -> Any:
        """What the door answers when it has done it; fields that are None are left out."""
        given = {name: value for name, value in body.items() if value is not None}
        return self._ask("POST", path, "", json.dumps(given).encode())

    def _ask(self, method: str, path: tuple[str, ...], query: str, body: bytes | None) -> Any:
        address = "/".join([self._base, *(quote(part, safe="") for part in path)]) + query
        request = Request(address, body, {"authorization": f"Bearer {self._token}"}, method=method)
        is_write = body is not None
        try:
            with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            raise OpsError(_told(error), in_doubt=is_write and error.code >= 500) from None
        except URLError as error:
            sentence = f"no answer from {self._url} ({error.reason}): is it the right --url?"
            raise OpsError(sentence, in_doubt=is_write and isinstance(error.reason, TimeoutError)) from None
        except (OSError, HTTPException) as error:
            doubt = _IN_DOUBT if is_write else ""
            raise OpsError(
                f"{self._url} broke off ({str(error) or type(error).__name__}){doubt}", in_doubt=is_write
            ) from None
        except ValueError:
            raise OpsError(f"{self._url} does not speak like an operations door: is it the right --url?") from None


def _told(error: HTTPError) -> str:
    """The door's own words, with what is wrong where."""
    try:
        body = json.loads(error.read())
        lines = [f"{body['code']}: {body['detail']}"]
        lines += [f"  {each['path'].removeprefix('body.')}: {each['detail']}" for each in body.get("params", [])]
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        lines = [f"the server answers {error.code}: is it the right --url?"]
    if error.code == 401:
        lines.append("  Put an operator's secret into TALLYSTICK_OPS_TOKEN; `tallystick operator add` makes one.")
    return "\n".join(lines)
