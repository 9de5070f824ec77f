"""What a refusal tells a client, as plain JSON."""

from __future__ import annotations

from typing import Any

from rpc.errors import ApiError


def data_of(refusal: ApiError) -> dict[str, Any]:
    """The `data` of the error object."""
    return dict(refusal.data)


def places_of(refusal: ApiError) -> list[dict[str, Any]]:
    """Its `errors`: which places of the params are wrong; empty where it names none."""
    return list(data_of(refusal).get("errors", ()))
