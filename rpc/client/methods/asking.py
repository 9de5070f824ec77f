"""How a typed method becomes a call."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


class Absent(Enum):
    """For the parameters where None itself says something."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Asking(Protocol):
    """Something that can call; its methods are added by the classes beside this one."""

    async def call(self, method: str, **params: Any) -> Any:
        """One call with params as on the wire, and its result as JSON."""

    async def _ask(self, result: type[M], method: str, params: Mapping[str, Any]) -> M:
        given = {name: _plain(value) for name, value in params.items() if value is not None}
        sent = {name: value for name, value in given.items() if value is not ABSENT}
        return result.model_validate(await self.call(method, **sent), by_alias=True, by_name=False)


def _plain(value: Any) -> Any:
    """JSON of models and sequences; null inside them stays."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
