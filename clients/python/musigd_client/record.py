"""The parameters and results of calls: plain immutable values with named members.

For type checkers they are dataclasses. `dataclasses` itself would write and compile code for each of seventy classes at
every start, which takes longer than all the rest of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):
        """Does nothing at run time; type checkers know the name."""
        return lambda kind: kind


class _Required(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_KNOWN: Final[dict[type[Any], Mapping[str, Any]]] = {}


def members_of(kind: type[Any]) -> Mapping[str, Any]:
    """Names of the members and their defaults, REQUIRED for those without."""
    if kind not in _KNOWN:
        names = [name for base in reversed(kind.__mro__[:-1]) for name in base.__annotations__ if name[0] != "_"]
        _KNOWN[kind] = {name: getattr(kind, name, REQUIRED) for name in names}
    return _KNOWN[kind]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Members are given by keyword; those with a default may be left out.

    Records of one class with equal members are equal.
    """

    def __init__(self, **given: Any) -> None:
        kind, members = type(self), members_of(type(self))
        if wrong := [name for name in given if name not in members]:
            raise TypeError(f"{kind.__name__} has no {', '.join(wrong)}; it has {', '.join(members)}")
        if missing := [name for name, value in members.items() if value is REQUIRED and name not in given]:
            raise TypeError(f"{kind.__name__} needs {', '.join(missing)}")
        self.__dict__.update(members)
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), *map(repr, vars(self).values())))
