"""Anything that a wire type can hold, for properties: drawn from the type itself, as msgspec describes it."""

from functools import cache
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import UNSET, inspect

from tallystick.dialects.bluefin import wire

Anything = st.SearchStrategy[Any]

U64 = st.integers(0, wire.U64_MAX).map(str)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
ADDRESS = HEX.map(lambda digits: f"0x{digits}")
# Drawn from its meaning: drawing from a pattern is slow.
_patterned: dict[Any, Anything] = {
    wire.E9: st.integers(-(2**80), 2**80).map(str),
    wire.SentE9: U64,
    wire.Address: ADDRESS,
    wire.SentAddress: ADDRESS,
    wire.OrderHash: HEX,
}
_of_pattern = {get_args(kind)[1].pattern: drawn for kind, drawn in _patterned.items()}


@cache
def anything(kind: Any) -> Anything:
    """Values of this type."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> Anything:
    match info:
        case inspect.StrType():
            return _text(info)
        case inspect.IntType():
            return st.integers(-(2**63) if info.ge is None else info.ge, 2**63 - 1 if info.le is None else info.le)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.UnionType():
            return st.one_of([_of(each) for each in info.types])
        case inspect.ListType():
            least = info.min_length or 0
            return st.lists(_of(info.item_type), min_size=least, max_size=least + 2)
        case inspect.TupleType():
            return st.tuples(*[_of(each) for each in info.item_types])
        case inspect.DictType():
            return st.dictionaries(st.text(), st.text(), max_size=2)
        case inspect.AnyType():
            return st.text()
        case inspect.StructType():
            return _struct(info)
    raise NotImplementedError(type(info))


def _struct(info: inspect.StructType) -> Anything:
    return st.builds(info.cls, **{each.name: _field(each) for each in info.fields})


def _field(field: inspect.Field) -> Anything:
    drawn = _of(field.type)
    return st.just(UNSET) | drawn if field.default is UNSET else drawn


def _text(info: inspect.StrType) -> Anything:
    if info.pattern is not None:
        return _of_pattern[info.pattern]
    return st.text(min_size=info.min_length or 0, max_size=min(info.max_length or 20, 20))
