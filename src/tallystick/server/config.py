"""What can be set: a Struct for each section of the configuration, each value with its default, bounds and meaning.

Where values come from and how faults are told is config_sources; what needs more than one value to judge, config_rules.
Seconds may be fractions. An amount of cash is text with up to two decimals, as in "5000.00".
"""

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

SECONDS_MAX: Final = 366 * 86_400
SECRET_NAMES: Final = frozenset({"token", "token_sha256", "key"})
"""Settings of these names are never shown."""

# A description says what a value must be; whoever gives another one reads it.
Flag = Annotated[bool, Meta(description="true or false")]
Text = Annotated[str, Meta(min_length=1, max_length=1024, description="text, not empty")]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a whole number from 0 to 65535")]
Mebibytes = Annotated[int, Meta(ge=0, description="a whole number of MiB, 0 or more")]
Connections = Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Seconds = Annotated[float, Meta(ge=0, le=SECONDS_MAX, description=f"a number of seconds from 0 to {SECONDS_MAX}")]
SomeSeconds = Annotated[float, Meta(ge=0.001, le=SECONDS_MAX, description=f"seconds, from 0.001 to {SECONDS_MAX}")]
Pace = Annotated[float, Meta(ge=0, le=1000, description="a number of seconds from 0 to 1000")]
Rate = Annotated[float, Meta(ge=0, le=1_000_000, description="a number of requests from 0 to 1000000")]
BasisPoints = Annotated[int, Meta(ge=0, le=9999, description="a whole number of basis points from 0 to 9999")]
BusinessDays = Annotated[int, Meta(ge=0, le=366, description="a whole number of days from 0 to 366")]
Cash = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,12}(\.[0-9]{1,2})?)?\Z",
        description='text, an amount as in "5000.00", or "" for none',
    ),
]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", description='text, a time of day as in "09:30"')
]
CutOff = Annotated[
    str,
    Meta(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z",
        description='text, a time of day as in "17:00", or "24:00" for none',
    ),
]
Token = Annotated[
    str,
    Meta(pattern=r"^[!-~]{1,1024}\Z", description="text, one or more printable ASCII characters without spaces"),
]
Sha256 = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="text, the SHA-256 of the token: 64 digits of 0-9 and a-f")
]
Days = Annotated[
    tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...],
    Meta(description='a list of days, as in ["saturday", "sunday"]'),
]
Scale = Annotated[float, Meta(ge=0.000001, le=1000, description="a number from 0.000001 to 1000")]
SomeDays = Annotated[float, Meta(ge=0.001, le=3660, description="a number of days from 0.001 to 3660")]
Dates = Annotated[
    tuple[date, ...], Meta(max_length=10_000, description='a list of dates, as in ["2026-12-25", "2027-01-01"]')
]
LogFormat = Annotated[Literal["text", "json"], Meta(description='"text" or "json"')]
Level = Annotated[
    Literal["debug", "info", "warning", "error"], Meta(description='"debug", "info", "warning" or "error"')
]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the configuration. Its repr shows nothing secret."""

    def __repr__(self) -> str:
        shown = [name for name in self.__struct_fields__ if name not in SECRET_NAMES]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class Server(Section, frozen=True):
    host: Text = "127.0.0.1"
    """The address, or its name, where clients are served. Beyond loopback only with clients that can sign in."""
    port: Port = 8420
    """0 takes a free one."""
    data: Text = "./data"
    """The folder of the journal, made if need be; relative to where the server is started."""
    disk_low_mib: Mebibytes = 64
    """With fewer MiB free on the disk no new orders are taken; 0 never looks."""
    drain_seconds: Seconds = 10.0
    """How long what is in flight may take to be answered when the server is asked to stop."""
    connections_max: Connections = 10_000
    """Connections at the same time, for each listener; more are answered 503."""


class Log(Section, frozen=True):
    format: LogFormat = "text"
    """Lines for people, or one JSON object in each line."""
    level: Level = "info"
    """What is less than this is not written. At debug there is a line for each request."""


class Operator(Section, frozen=True):
    name: Annotated[str, Meta(pattern=r"^[!-~]{1,64}\Z", description="text, 1 to 64 characters without spaces")]
    """Journaled with all that they do."""
    token_sha256: Sha256
    """The digest of their bearer token, which is random, so that a plain digest is enough."""


class Ops(Section, frozen=True):
    bind: Annotated[str, Meta(max_length=300, description='text, "host:port" or ""')] = ""
    """Where operators are served, as "127.0.0.1:8421"; "" is at /ops beside the clients, which only loopback allows."""
    operators: tuple[Operator, ...] = ()
    """Who may sign in beside those of ``tallystick operator``."""


class Sandbox(Section, frozen=True):
    enabled: Flag = True
    """A world to try the venue in; with a file it is off unless the file turns it on."""
    pace: Pace = 1.0
    """Seconds for each step of an order; sets defaults of [sophic]. At 0 everything happens at once."""
    prices: Text = "walk"
    """walk, fixed, or a folder of CSV files named after instruments."""
    token: Token = "sandbox"
    """The bearer token of the demonstration's client."""


class Settlement(Section, frozen=True):
    """On business days; or so many seconds after the trade, if ``delay_seconds`` is given."""

    delay_seconds: Seconds | None = None
    """Settles so long after the trade, on any day. Leave it out to settle on business days."""
    days: BusinessDays = 2
    """Business days from the trade to its settlement."""
    weekend: Days = ("saturday", "sunday")
    """The days of a week that are no business days."""
    holidays: Dates = ()
    """The dates that are no business days."""
    time_zone: Text = "UTC"
    """The IANA name of the zone that days and times are local to, as "America/New_York"."""
    cut_off: CutOff = "17:00"
    """From this time on a trade belongs to the next business day; "24:00" for none."""
    settle_at: TimeOfDay = "00:00"
    """When the trades of a day settle."""


class Sophic(Section, frozen=True):
    fee_bps: BasisPoints = 25
    """The fee, in hundredths of a percent of what is traded."""
    price_stale_seconds: Seconds = 60.0
    """A price that is older is none: orders wait for the next; 0 keeps prices."""
    review_over: Cash = ""
    """An order of more cash waits for compliance; "" lets every order through."""
    prerequisite_timeout_seconds: Seconds = 86_400.0
    """How long an order may wait for what it needs before it is cancelled; 0 for ever."""
    retry_seconds: SomeSeconds = 1.0
    """The first wait after an execution failed that may be tried again."""
    settlement_retry_seconds: SomeSeconds = 3600.0
    """The first wait after a settlement failed. Both waits double after each further failure."""
    submit_seconds: Seconds = 0.0
    """From an order's acceptance until it is looked at."""
    execute_seconds: Seconds = 0.0
    """From then until its first trade."""
    trade_interval_seconds: Seconds = 0.0
    """Between two trades of an order."""
    trade_cash_max: Cash = "5000.00"
    """The most that one trade moves; "" for no limit."""
    settlement: Settlement = Settlement()


class Webhooks(Section, frozen=True):
    sends: Flag = True
    """Whether this process sends; false leaves it to ``tallystick deliver``."""
    key: Annotated[str, Meta(max_length=64, description='text, the base64 of 32 random bytes, or "" for none')] = ""
    """What the secrets of webhooks are encrypted with; without one they lie in a file that its owner alone can read."""
    retry_scale: Scale = 1.0
    """Every wait between two attempts is so many times as long; 1 spreads ten attempts over three days."""
    disable_after_days: SomeDays = 5.0
    """A webhook that did nothing but fail for so long is sent no more."""
    keep_days: SomeDays = 30.0
    """So long a delivery that is over can still be looked at."""


class Bluefin(Section, frozen=True):
    enabled: Flag = False
    """Whether the exchange is served; a sandbox serves it unless this says false."""
    orders_max: Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 40
    """The open orders that an account may have on one side of a market."""
    signed_within_seconds: SomeSeconds = 60.0
    """How old the signature of an order may be when it comes."""
    trigger_price: Annotated[Literal["last", "mark"], Meta(description='"last" or "mark"')] = "last"
    """What trigger prices are compared with: the price of the last trade, or the one that is quoted."""
    failed_cancel_reason: Annotated[Literal["null", "UNSPECIFIED"], Meta(description='"null" or "UNSPECIFIED"')] = (
        "null"
    )
    """What a failed cancel has for a reason; strict clients drop the event with null, which the documentation says."""
    ioc_partial_status: Annotated[
        Literal["PARTIALLY_FILLED_CANCELED", "PARTIALLY_FILLED_CANCELLED"],
        Meta(description='"PARTIALLY_FILLED_CANCELED" or "PARTIALLY_FILLED_CANCELLED"'),
    ] = "PARTIALLY_FILLED_CANCELED"
    """How the status is spelt: as released clients read it, or as the documentation writes it."""
    cancel_all_events: Annotated[
        Literal["per_order", "first_only"], Meta(description='"per_order" or "first_only"')
    ] = "per_order"
    """Whether a cancel of all on a market is told for each order, or once."""
    market_maker: Flag = False
    """Whether a market maker keeps the books alive; in a sandbox only."""


class Limits(Section, frozen=True):
    requests_per_second: Rate = 500.0
    """What each client may ask for in the long run; 0 for no limit."""
    burst: Rate = 1000.0
    """What each client may ask for at once."""


class Config(Section, frozen=True):
    server: Server = Server()
    log: Log = Log()
    ops: Ops = Ops()
    sandbox: Sandbox = Sandbox()
    sophic: Sophic = Sophic()
    bluefin: Bluefin = Bluefin()
    limits: Limits = Limits()
    webhooks: Webhooks = Webhooks()


def sandbox_defaults(pace: float) -> dict[str, object]:
    """What is the default in a sandbox: steps slow enough to watch, stretched by ``pace``, and no limits.

    At pace 1: executing after one second, filled after another, settled five later.
    """
    return {
        "sophic.submit_seconds": pace,
        "sophic.execute_seconds": pace,
        "sophic.trade_interval_seconds": pace / 2,
        "sophic.settlement.delay_seconds": pace * 5,
        "bluefin.enabled": True,
        "limits.requests_per_second": 0.0,
    }
