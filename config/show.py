"""What `musigd config show` prints, and what a reload may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.settings import Settings, setting_names

JsonValue = str | int | bool | list[str] | None

# What SIGHUP applies from the file; TLS files, tokens and policy are read again elsewhere.
TLS_FILES: Final = frozenset({"rpc.tls_cert", "rpc.tls_key"})
RELOADABLE: Final = frozenset({"log.level", *TLS_FILES})


@dataclass(frozen=True, slots=True)
class Waiting:
    """The new value of a setting in its source. `by_reload`: SIGHUP applies it, otherwise it waits for a restart."""

    value: JsonValue
    origin: str
    by_reload: bool


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One line of `config show`. `value` is None where it is unset."""

    name: str
    value: JsonValue
    origin: str
    waiting: Waiting | None = None


def effective(settings: Settings) -> Iterator[EffectiveSetting]:
    """Every setting with its value and origin. There is no secret among them: secrets are in files."""
    return compared(settings, settings)


def compared(current: Settings, fresh: Settings) -> Iterator[EffectiveSetting]:
    """The same for a daemon that runs with `current`, while a start would read `fresh`."""
    by_reload, by_restart = changes(current, fresh)
    for name in setting_names():
        waiting = None
        if name in by_reload or name in by_restart:
            value = json_value(fresh.value_of(name))
            waiting = Waiting(value, fresh.origin_of(name), by_reload=name in by_reload)
        yield EffectiveSetting(name, json_value(current.value_of(name)), current.origin_of(name), waiting)


def as_text(rows: Iterable[EffectiveSetting]) -> str:
    """Aligned lines `name = value  # origin`, valid TOML but for unset values."""
    shown = list(rows)
    width = max(len(row.name) for row in shown)
    values = [toml_value(row.value) for row in shown]
    longest = min(60, max(len(value) for value in values))
    lines = (
        f"{row.name:<{width}} = {value:<{longest}}  # {row.origin}{_waits(row.waiting)}"
        for row, value in zip(shown, values, strict=True)
    )
    return "\n".join(lines)


def _waits(waiting: Waiting | None) -> str:
    if waiting is None:
        return ""
    when = "a reload (SIGHUP)" if waiting.by_reload else "a restart"
    return f"; after {when}: {toml_value(waiting.value)} ({waiting.origin})"


def changes(old: Settings, new: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which settings differ: those that a reload takes over, and those that wait for a restart.

    TLS files can be exchanged, but a listener that has none begins to use them only when it is made.
    """
    changed = [name for name in setting_names() if old.value_of(name) != new.value_of(name)]
    exchanged = old.rpc.tls_cert is not None and new.rpc.tls_cert is not None
    taken = RELOADABLE if exchanged else RELOADABLE - TLS_FILES
    return tuple(name for name in changed if name in taken), tuple(name for name in changed if name not in taken)


def json_value(value: object) -> JsonValue:
    """A setting as JSON holds it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Path():
            return str(value)
        case tuple():
            return [str(item) for item in value]
    raise TypeError(f"a setting of type {type(value).__name__} has no text form")


def toml_value(value: JsonValue) -> str:
    """A setting as TOML writes it."""
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
