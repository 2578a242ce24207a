"""What whoever starts a sandbox reads first: what to try, and what to expect."""

from shlex import quote

from tallystick.dialects.sophic.sandbox import DEMO_ACCOUNT, INSTRUMENTS
from tallystick.server.config import Config
from tallystick.server.host import BLUEFIN, SOPHIC


def welcome(config: Config, url: str) -> str:
    """The lines below the one that says where it is served: ``url``."""
    base = f"{url}/{SOPHIC}/accounts/{DEMO_ACCOUNT}"
    header = f"-H {quote(f'Authorization: Bearer {config.sandbox.token}')}"
    instrument = INSTRUMENTS[0].id
    buy = f'{{"instrument":"{instrument}","order_type":"market","side":"buy","cash_amount":"100.00"}}'
    sell = f'{{"instrument":"{instrument}","order_type":"market","side":"sell","quantity":"0.5"}}'
    return f"""
Try:
  curl -s {header} {base}/cash-balances
  curl -s {header} {base}/orders -d '{buy}'
  curl -s {header} {base}/orders -d '{sell}'
  curl -s {header} {base}/orders
  curl -s {header} {base}/positions

Instruments: {", ".join(each.id for each in INSTRUMENTS)}. Fees are {config.sophic.fee_bps / 100:.2f} %.
{_steps(config)}{_exchange(config, url)}"""


def _exchange(config: Config, url: str) -> str:
    return f"\n\nThe exchange is at {url}/{BLUEFIN} (docs/bluefin.md)." if config.bluefin.enabled else ""


def _steps(config: Config) -> str:
    sophic = config.sophic
    executing = sophic.submit_seconds
    filled = executing + sophic.execute_seconds
    delay = sophic.settlement.delay_seconds
    if not filled and delay == 0:
        return "An order is placed, filled and settled at once."
    settled = "settled on its date" if delay is None else f"settled after {filled + delay:g} s"
    parts = f";\none of more than {float(sophic.trade_cash_max):,.2f} fills in parts." if sophic.trade_cash_max else "."
    return f"An order is placed at once, executing after {executing:g} s, filled after {filled:g} s, {settled}{parts}"
