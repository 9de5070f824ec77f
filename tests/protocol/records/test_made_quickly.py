"""Frozen values with a quicker `__init__` are those that `dataclass` makes."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from musig2.protocol.interface import effects, inputs
from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records import records
from musig2.protocol.wire import frames


def quick_classes() -> list[type]:
    """Every class of these modules that is made quickly."""
    named = [vars(module).values() for module in (effects, frames, inputs, records)]
    found = {one for some in named for one in some if isinstance(one, type)}
    quick = [one for one in found if is_dataclass(one) and "MISSING" in vars(one)["__init__"].__globals__]
    return sorted((one for one in quick if one.__module__ != __name__), key=lambda one: one.__name__)


@made_quickly
@dataclass(frozen=True, slots=True)
class Sum:
    """Two numbers and what they make."""

    first: int
    second: int = 2
    both: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "both", self.first + self.second)


def test_records_frames_inputs_and_effects_are_made_quickly() -> None:
    assert len(quick_classes()) > 50


@pytest.mark.parametrize("cls", quick_classes(), ids=lambda cls: str(cls.__name__))
def test_each_takes_its_fields_in_order_and_cannot_be_changed(cls: Any) -> None:
    names = [one.name for one in fields(cls) if one.init]
    values = {name: bytes([number]) for number, name in enumerate(names)}

    made = cls(*values.values())

    assert list(inspect.signature(cls).parameters) == names
    assert "set_" in str(cls.__init__.__code__.co_names) or not names
    assert {name: getattr(made, name) for name in names} == values
    assert made == cls(**values)
    for name in names:
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, b"another")


def test_defaults_and_what_follows_the_init_are_kept() -> None:
    assert (Sum(1), Sum(1).both, Sum(3, 4).both) == (Sum(first=1, second=2), 3, 7)
    assert replace(Sum(1), first=5).both == 7
    assert hash(Sum(1)) == hash(Sum(1, 2))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        Sum()  # type: ignore[call-arg] # what is shown


def test_a_default_that_is_made_anew_each_time_is_so_here_too() -> None:
    @made_quickly
    @dataclass(frozen=True, slots=True)
    class Listed:
        items: list[int] = field(default_factory=list)

    one, other = Listed(), Listed()

    assert one.items is not other.items
    assert (one, Listed([1]).items) == (other, [1])


def test_fields_by_keyword_only_are_refused() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        name: str

    with pytest.raises(TypeError, match=r"Named\.name: fields by keyword only"):
        made_quickly(Named)
