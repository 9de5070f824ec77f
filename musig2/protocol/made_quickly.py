"""Frozen dataclasses that are made in half the time.

The `__init__` of a frozen dataclass looks up `object.__setattr__` for every field, and a session makes hundreds of such
values. Here the slots are set by their own descriptors, which do not ask whether the class is frozen. Everything else
stays as `dataclass` made it: a value cannot be changed, and takes the same arguments.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def made_quickly(cls: C) -> C:
    """Give a dataclass with `frozen=True, slots=True` a quicker `__init__`; TypeError for fields by keyword only."""
    names: dict[str, Any] = {"MISSING": MISSING}
    taken, body = ["self"], [""]
    for field in fields(cls):
        if field.kw_only:
            raise TypeError(f"{cls.__name__}.{field.name}: fields by keyword only are not known here")
        if field.init:
            argument, line = _written(field, names)
            names[f"set_{field.name}"] = getattr(cls, field.name).__set__
            taken.append(argument)
            body.append(line)
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n ".join([*body, "pass"])
    exec(f"def __init__({', '.join(taken)}):{lines}", names)  # noqa: S102 - the names of fields, as dataclass does it
    _put(cls, names["__init__"])
    return cls


def _written(field: Field[Any], names: dict[str, Any]) -> tuple[str, str]:
    """A field as an argument, and the line that sets it; its default goes into `names`."""
    name = field.name
    if field.default_factory is not MISSING:
        names[f"new_{name}"] = field.default_factory
        return f"{name}=MISSING", f"set_{name}(self, new_{name}() if {name} is MISSING else {name})"
    names[f"default_{name}"] = field.default
    return name if field.default is MISSING else f"{name}=default_{name}", f"set_{name}(self, {name})"


def _put(cls: Any, init: Any) -> None:
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = cls.__init__.__annotations__
    cls.__init__ = init
