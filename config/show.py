"""What `musigd config show` and `musigd config check` print, and what a reload may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.settings import Settings, setting_names

JsonValue = str | int | bool | list[str] | None

# What SIGHUP takes over from the file; TLS files, tokens and policy are read anew at their own places.
RELOADABLE: Final = frozenset({"log.level", "rpc.tls_cert", "rpc.tls_key"})


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One line of `config show`."""

    name: str
    value: JsonValue
    origin: str


def effective(settings: Settings) -> Iterator[EffectiveSetting]:
    """Every setting with its value and origin. There is no secret among them: secrets are in files."""
    for name in setting_names():
        yield EffectiveSetting(name, _json(settings.value_of(name)), settings.origin_of(name))


def as_text(settings: Settings) -> str:
    """Aligned lines `name = value  # origin`, valid TOML but for unset values."""
    rows = list(effective(settings))
    width = max(len(row.name) for row in rows)
    values = [_toml(row.value) for row in rows]
    longest = min(60, max(len(value) for value in values))
    lines = (
        f"{row.name:<{width}} = {value:<{longest}}  # {row.origin}" for row, value in zip(rows, values, strict=True)
    )
    return "\n".join(lines)


def as_json(settings: Settings) -> dict[str, dict[str, JsonValue]]:
    """`{name: {value, origin}}`."""
    return {row.name: {"value": row.value, "origin": row.origin} for row in effective(settings)}


def changes(old: Settings, new: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which settings differ: those that a reload takes over, and those that wait for a restart."""
    changed = [name for name in setting_names() if old.value_of(name) != new.value_of(name)]
    return (
        tuple(name for name in changed if name in RELOADABLE),
        tuple(name for name in changed if name not in RELOADABLE),
    )


def _json(value: object) -> JsonValue:
    match value:
        case None | bool() | int() | str():
            return value
        case Path():
            return str(value)
        case tuple():
            return [str(item) for item in value]
    raise TypeError(f"a setting of type {type(value).__name__} has no text form")


def _toml(value: JsonValue) -> str:
    match value:
        case None:
            return "(unset)"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return f'"{value}"'
        case list():
            return "[" + ", ".join(f'"{item}"' for item in value) + "]"
