"""Answers as tables for people: key columns first, units, as wide as the terminal.

Lists become rows. What does not fit beside the key columns goes below its row, name by name, so nothing is lost. Keys
and ids stand whole, however narrow the terminal: every other command wants them whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from config.text.plain_text import escaped

# Columns that tell rows apart come first, then the most important ones.
KEY_COLUMNS: Final = (
    *(
        "seq",
        "publicKey",
        "requestId",
        "sessionId",
        "peerId",
        "tokenId",
        "name",
        "nickname",
        "label",
        "reason",
        "event",
    ),
    *("state", "phase", "scheme", "own", "joined", "paused", "transactionTypes", "fees", "createdAt", "expiresAt"),
)
HIDDEN: Final = frozenset({"envelope", "signature"})  # in rows: for programs
TIMES: Final = frozenset(
    {
        "time",
        "timestamp",
        "createdAt",
        "expiresAt",
        "since",
        "until",
        "deadline",
        "completedAt",
        "lastSeen",
        "consideringSince",
        "at",
    }
)
SATS: Final = frozenset({"amount", "fee", "fees", "inputAmount", "minAmount", "maxAmount", "outputAmount", "value"})
UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
LEAST_WIDTH: Final = 40


def as_table(result: Any, width: int | None = None) -> str:
    """Objects as name and value, lists of objects as rows. `width`: columns, those of the terminal by default."""
    width = max(LEAST_WIDTH, shutil.get_terminal_size((100, 24)).columns if width is None else width)
    if not isinstance(result, Mapping):
        return _shown("", result) + "\n"
    plain = {name: value for name, value in result.items() if not _is_rows(value)}
    blocks = [_pairs(plain, width)] if plain else []
    blocks += [
        f"{escaped(name)} ({len(value)})\n" + _rows(value, width) for name, value in result.items() if _is_rows(value)
    ]
    return "\n".join(blocks)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(each, Mapping) for each in value))


def _pairs(members: Mapping[str, Any], width: int, indent: str = "") -> str:
    """Name and value, one a line; objects inside below their name."""
    longest = max(len(escaped(name)) for name in members)
    lines = ""
    for name, value in members.items():
        label = f"{indent}{escaped(name):<{longest}}  "
        if isinstance(value, Mapping) and value:
            lines += label.rstrip() + "\n" + _pairs(value, width, indent + "  ")
        elif _is_rows(value):
            lines += label.rstrip() + "\n" + "".join(_pairs(row, width, indent + "  ") + "\n" for row in value)
        else:
            lines += label + _wrapped(_shown(name, value), width - len(label), len(label)) + "\n"
    return lines


def _rows(rows: Sequence[Mapping[str, Any]], width: int) -> str:
    """The columns that fit, key columns first; the rest of each row below it."""
    names = sorted({name for row in rows for name in row if name not in HIDDEN}, key=_place)
    cells = {name: [_shown(name, row[name]) if name in row else "" for row in rows] for name in names}
    widths = {name: max(len(escaped(name)), *map(len, cells[name])) for name in names}
    columns: list[str] = []
    used = 0
    for name in names:
        if any(_is_nested(row.get(name)) for row in rows) or (columns and used + widths[name] + 2 > width):
            continue
        columns.append(name)
        used += widths[name] + 2
    text = "  ".join(f"{escaped(name):<{widths[name]}}" for name in columns).rstrip() + "\n"
    for at, row in enumerate(rows):
        text += "  ".join(f"{cells[name][at]:<{widths[name]}}" for name in columns).rstrip() + "\n"
        rest = {name: row[name] for name in names if name in row and name not in columns and row[name] not in ({}, [])}
        if rest:
            text += _pairs(rest, width, "    ")
    return text


def _place(name: str) -> tuple[int, str]:
    return (KEY_COLUMNS.index(name) if name in KEY_COLUMNS else len(KEY_COLUMNS), name)


def _wrapped(text: str, width: int, indent: int) -> str:
    """Broken at words; what has none stays whole, so that it can be copied."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return ("\n" + " " * indent).join([*lines, line])


def _shown(name: str, value: Any) -> str:
    """A value in words, with its unit."""
    if isinstance(value, str):
        return escaped(value)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, list) and not any(isinstance(each, Mapping | list) for each in value):
        return ", ".join(_shown(name, each) for each in value) or "-"
    return escaped(json.dumps(value, ensure_ascii=False))


def moment(ms: int) -> str:
    """A time, in UTC."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def _number(name: str, value: int) -> str:
    if name in TIMES:
        return moment(value)
    if name in SATS:
        return f"{value:,} sats"
    if name == "feeRate":
        return f"{value:,} sats for 1 000 bytes"
    if name.endswith(("Ms", "uptime", "responseTime", "ResponseTime", "_ms")):
        return next((f"{value / size:.3g} {unit}" for size, unit in UNITS if value >= size), f"{value} ms")
    return str(value)
