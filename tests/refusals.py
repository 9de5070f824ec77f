"""What a client is told of an error, and what it says as plain JSON."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from daemon.api.guard import refusal_of
from rpc.errors import ApiError


async def refused(call: Awaitable[object]) -> ApiError:
    """What the client of this call of a handler is told; the handler must refuse it."""
    with pytest.raises(Exception) as caught:
        await call
    told = refusal_of(caught.value)
    assert told is not None, repr(caught.value)
    return told


def data_of(refusal: ApiError) -> dict[str, Any]:
    """The `data` of the error object."""
    return dict(refusal.data)


def places_of(refusal: ApiError) -> list[dict[str, Any]]:
    """Its `errors`: which places of the params are wrong; empty where it names none."""
    return list(data_of(refusal).get("errors", ()))
