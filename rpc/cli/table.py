"""Answers as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from config.plain_text import escaped

_LONG = 24
_TIMES = frozenset({"time", "timestamp", "createdAt", "expiresAt", "since", "until", "deadline"})


def as_table(result: Any) -> str:
    """Objects as name and value, lists of objects as rows under their names."""
    if not isinstance(result, Mapping):
        return _cell("", result) + "\n"
    text = ""
    plain = {name: value for name, value in result.items() if not _is_rows(value)}
    if plain:
        width = max(len(escaped(name)) for name in plain)
        text += "".join(f"{escaped(name):<{width}}  {_whole(name, value)}\n" for name, value in plain.items())
    for name, value in result.items():
        if _is_rows(value):
            text += ("\n" if text else "") + f"{escaped(name)}\n" + _rows(value)
    return text


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row if name != "envelope"))
    cells = [[*map(escaped, names)], *([_cell(name, row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    return "".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in cells
    )


def _cell(name: str, value: Any) -> str:
    """Short enough for a column: long hex keeps its ends."""
    text = _whole(name, value)
    return text if len(text) <= _LONG or " " in text else f"{text[:11]}..{text[-10:]}"


def _whole(name: str, value: Any) -> str:
    if isinstance(value, str):
        return escaped(value)
    if name in _TIMES and type(value) is int:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return escaped(orjson.dumps(value).decode())
