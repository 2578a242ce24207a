"""What a fill cost: a percentage, flat amounts of tokens, or both (specs/hummingbot.md §1.1)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tallystick.dialects.hummingbot.rate_oracle import RateOracle


@dataclass
class TokenAmount:
    token: str
    amount: Decimal

    def __iter__(self) -> Iterator[Any]:
        return iter((self.token, self.amount))

    def to_json(self) -> dict[str, Any]:
        return {"token": self.token, "amount": str(self.amount)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TokenAmount":
        return cls(data["token"], Decimal(data["amount"]))


@dataclass
class TradeFeeBase(ABC):
    """``percent`` is a fraction of what was traded (0.001: a thousandth), in ``percent_token`` if that is known."""

    percent: Decimal = Decimal(0)
    percent_token: str | None = None
    flat_fees: list[TokenAmount] = field(default_factory=list)

    @classmethod
    @abstractmethod
    def type_descriptor_for_json(cls) -> str: ...

    @classmethod
    def fee_class_for_type(cls, type_descriptor: str) -> type["TradeFeeBase"]:
        for fee_class in (AddedToCostTradeFee, DeductedFromReturnsTradeFee):
            if fee_class.type_descriptor_for_json() == type_descriptor:
                return fee_class
        raise ValueError(f"there is no kind of fee {type_descriptor!r}; there are AddedToCost and DeductedFromReturns")

    def to_json(self) -> dict[str, Any]:
        return {
            "fee_type": self.type_descriptor_for_json(),
            "percent": str(self.percent),
            "percent_token": self.percent_token,
            "flat_fees": [each.to_json() for each in self.flat_fees],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TradeFeeBase":
        return cls.fee_class_for_type(data["fee_type"])(
            percent=Decimal(data["percent"]),
            percent_token=data["percent_token"],
            flat_fees=[TokenAmount.from_json(each) for each in data["flat_fees"]],
        )

    @property
    def fee_asset(self) -> str:
        """The token of the percentage, or of the first flat fee; "" if there is neither."""
        return self.percent_token or (self.flat_fees[0].token if self.flat_fees else "")

    def fee_amount_in_token(
        self,
        trading_pair: str,
        price: Decimal,
        order_amount: Decimal,
        token: str,
        rate_source: RateOracle | None = None,
    ) -> Decimal:
        """The whole fee of a fill of ``order_amount`` base at ``price``, in ``token``.

        The pair's own assets are converted at ``price``, others by the rate source. Raises ValueError without a rate.
        """
        oracle = RateOracle.get_instance() if rate_source is None else rate_source
        quote = trading_pair.rpartition("-")[2]
        total = Decimal(0)
        if self.percent:
            total += _converted(price * order_amount * self.percent, quote, token, trading_pair, price, oracle)
        for flat in self.flat_fees:
            total += _converted(flat.amount, flat.token, token, trading_pair, price, oracle)
        return total


def _converted(amount: Decimal, have: str, want: str, trading_pair: str, price: Decimal, oracle: RateOracle) -> Decimal:
    base, _, quote = trading_pair.rpartition("-")
    if have == want or not amount:
        return amount
    if price > 0 and (have, want) == (base, quote):
        return amount * price
    if price > 0 and (have, want) == (quote, base):
        return amount / price
    rate = oracle.get_pair_rate(f"{have}-{want}")
    if rate is None:
        raise ValueError(f"no rate is known for {have}-{want}; set it at the RateOracle")
    return amount * rate


class AddedToCostTradeFee(TradeFeeBase):
    """The fee comes on top of what a buy costs."""

    @classmethod
    def type_descriptor_for_json(cls) -> str:
        return "AddedToCost"


class DeductedFromReturnsTradeFee(TradeFeeBase):
    """The fee is taken out of what the trade brings."""

    @classmethod
    def type_descriptor_for_json(cls) -> str:
        return "DeductedFromReturns"
