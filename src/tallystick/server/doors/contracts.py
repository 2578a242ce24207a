"""The terms of a perpetual contract as operators give them and see them: decimals in texts, rates as parts of 1."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from tallystick.core.amounts import render
from tallystick.facts.venue import Contract
from tallystick.server.doors.answers import DoorError, Fault, invalid
from tallystick.server.doors.desk import Desk
from tallystick.server.doors.requests import Amount, AssetName, read_amount
from tallystick.venue.state import Asset, Market, State

RATE_SCALE: Final = 9
Rebate = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", max_length=40, description='text, as in "-0.0001"')]


class ContractBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``basis`` is the asset that keeps what positions cost; ``maker_fee`` below zero is a rebate."""

    basis: AssetName
    tick: Amount
    price_min: Amount
    price_max: Amount
    quantity_max: Amount
    market_quantity_max: Amount
    maker_fee: Rebate
    taker_fee: Rebate
    initial_margin: Amount
    maintenance_margin: Amount
    leverage: Amount


class ContractView(Struct, frozen=True):
    basis: str
    tick: str
    price_min: str
    price_max: str
    quantity_max: str
    market_quantity_max: str
    maker_fee: str
    taker_fee: str
    initial_margin: str
    maintenance_margin: str
    leverage: str


def read_contract(body: ContractBody, desk: Desk, unit: Asset, price_scale: int) -> Contract:
    """The contract; DoorError 400 with every fault of its amounts."""
    basis = desk.asset(body.basis, "body.contract.basis")
    faults: list[Fault] = []

    def amount(name: str, scale: int, *, zero: bool = False) -> int:
        text: str = getattr(body, name)
        sign = -1 if text.startswith("-") else 1
        try:
            return sign * read_amount(text.removeprefix("-"), scale, f"body.contract.{name}", zero=zero)
        except DoorError as error:
            faults.extend(error.body.params)
            return 0

    contract = Contract(
        basis.number,
        amount("tick", price_scale),
        amount("price_min", price_scale),
        amount("price_max", price_scale),
        amount("quantity_max", unit.scale),
        amount("market_quantity_max", unit.scale),
        amount("maker_fee", RATE_SCALE, zero=True),
        amount("taker_fee", RATE_SCALE, zero=True),
        amount("initial_margin", RATE_SCALE),
        amount("maintenance_margin", RATE_SCALE, zero=True),
        amount("leverage", RATE_SCALE),
    )
    if faults:
        raise invalid(faults)
    return contract


def contract_view(state: State, market: Market) -> ContractView | None:
    contract = market.contract
    if contract is None:
        return None
    prices, units = market.price_scale, market.unit.scale
    return ContractView(
        basis=state.assets[contract.basis].name,
        tick=render(contract.tick, prices),
        price_min=render(contract.price_min, prices),
        price_max=render(contract.price_max, prices),
        quantity_max=render(contract.quantity_max, units),
        market_quantity_max=render(contract.market_quantity_max, units),
        maker_fee=render(contract.maker_fee, RATE_SCALE),
        taker_fee=render(contract.taker_fee, RATE_SCALE),
        initial_margin=render(contract.initial_margin, RATE_SCALE),
        maintenance_margin=render(contract.maintenance_margin, RATE_SCALE),
        leverage=render(contract.leverage, RATE_SCALE),
    )
