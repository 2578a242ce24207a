"""How a request is turned down over HTTP: for its form, its token or its signature; the venue's refusals are events."""

from typing import Final

from tallystick.dialects.bluefin.wire import ErrorBody

INVALID_REQUEST: Final = "INVALID_REQUEST"
INVALID_SIGNATURE: Final = "INVALID_SIGNATURE"
INVALID_AUDIENCE: Final = "INVALID_AUDIENCE"
UNAUTHORIZED: Final = "UNAUTHORIZED"
FORBIDDEN: Final = "FORBIDDEN"


class RequestError(Exception):
    """A request that is answered with an error: the HTTP ``status``, the documented ``body`` (specs/bluefin.md §1.6).

    Its message never repeats a token or a signature.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status: Final = status
        self.body: Final = ErrorBody(error_code=code, message=message)


def invalid(message: str) -> RequestError:
    return RequestError(400, INVALID_REQUEST, message)


def malformed_signature() -> RequestError:
    return RequestError(
        400, INVALID_SIGNATURE, "The signature cannot be read: it is base64 of flag, signature and key."
    )


def wrong_signature() -> RequestError:
    return RequestError(401, INVALID_SIGNATURE, "The signature is not of this message by a wallet that may send it.")


def unauthorized(message: str) -> RequestError:
    return RequestError(401, UNAUTHORIZED, message)
