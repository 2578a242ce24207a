"""Things numbered from 1: found by number as in a dict, and nowhere else."""

import pytest

from tallystick.core.numbered import Numbered


def letters() -> Numbered[str]:
    things: Numbered[str] = Numbered()
    for number, letter in enumerate("abc", 1):
        things.add(number, letter)
    return things


def test_it_is_read_as_a_dict_is() -> None:
    things = letters()
    assert (things[1], things[3], things.get(2), len(things)) == ("a", "c", "b", 3)
    assert (list(things), list(things.values()), dict(things.items())) == (
        [1, 2, 3],
        ["a", "b", "c"],
        {1: "a", 2: "b", 3: "c"},
    )


@pytest.mark.parametrize("number", [0, -1, -3, 4])
def test_a_number_that_was_not_given_finds_nothing(number: int) -> None:
    things = letters()
    assert number not in things
    assert things.get(number) is None
    with pytest.raises(KeyError):
        things[number]


@pytest.mark.parametrize("number", [0, 3, 5])
def test_numbers_are_given_in_order(number: int) -> None:
    with pytest.raises(KeyError):
        letters().add(number, "d")
