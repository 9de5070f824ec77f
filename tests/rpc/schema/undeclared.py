"""Looks for members of an answer that no model declares."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


def undeclared(value: Any) -> list[str]:
    """Their names, from anywhere inside."""
    if isinstance(value, list | tuple):
        return [name for item in value for name in undeclared(item)]
    if not isinstance(value, BaseModel):
        return []
    inner = [name for member in vars(value).values() for name in undeclared(member)]
    return [*(value.model_extra or {}), *inner]
