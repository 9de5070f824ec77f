"""Turns a typed method into a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, overload

from musigd_client.wire import decoded, params_of

T = TypeVar("T")


class Asking(Protocol):
    """Makes calls; the classes of the modules beside this one add the methods."""

    async def call(self, method: str, **params: Any) -> Any:
        """One call with params as on the wire, and its result as JSON."""

    @overload
    async def _ask(self, result: type[T], method: str, params: Mapping[str, Any]) -> T: ...

    @overload
    async def _ask(self, result: None, method: str, params: Mapping[str, Any]) -> Any: ...

    async def _ask(self, result: type[T] | None, method: str, params: Mapping[str, Any]) -> Any:
        said = await self.call(method, **params_of(params))
        return said if result is None else decoded(result, said)
