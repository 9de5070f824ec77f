"""JSON of a wallet as the open map of a record, and back, so that what goes in comes out.

A record has no floats, no negative numbers and no numbers of 2^53 or more. A float that is a whole number (a score
written 95.0) is taken as that number; text and names are brought into NFC. Everything else that a record cannot hold is
a ValueError that names the place, such as `metadata.fees: ...`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from unicodedata import normalize

from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.cbor import MAX_DEPTH, MAX_KEY, MAX_UINT
from musig2.protocol.records.records import Open

_LEVELS: Final = MAX_DEPTH - 1  # the record itself is one


def open_from_json(value: Mapping[str, Any], path: str = "metadata") -> dict[str, Open]:
    """The open map of a JSON object; `path` is how errors name it."""
    return _map(value, path, _LEVELS)


def _value(value: Any, path: str, levels: int) -> Open:
    match value:
        case None | bool():
            return value
        case int() | float():
            return _number(value, path)
        case str():
            return _text(value, path)
        case Mapping():
            return _map(value, path, levels)
        case list() | tuple():
            _room(path, levels)
            return tuple(_value(item, f"{path}[{index}]", levels - 1) for index, item in enumerate(value))
    raise InvalidRecord(f"{path}: only JSON values can stand in a record")


def _map(value: Mapping[str, Any], path: str, levels: int) -> dict[str, Open]:
    _room(path, levels)
    fields: dict[str, Open] = {}
    for key, item in value.items():
        name = _text(key, path)
        if len(name.encode()) > MAX_KEY:
            raise InvalidRecord(f"{path}.{name[:MAX_KEY]}...: a name has at most {MAX_KEY} bytes")
        if name in fields:
            raise InvalidRecord(f"{path}.{name}: this name stands there twice")
        fields[name] = _value(item, f"{path}.{name}", levels - 1)
    return fields


def _room(path: str, levels: int) -> None:
    if levels == 0:
        raise InvalidRecord(f"{path}: nested too deeply, {_LEVELS} levels are allowed")


def _number(value: float, path: str) -> int:
    if not 0 <= value <= MAX_UINT or value != int(value):
        raise InvalidRecord(f"{path}: a number must be whole, not negative and below 2^53; write others as text")
    return int(value)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidRecord(f"{path}: a name must be text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRecord(f"{path}: holds half a character (a lone surrogate)") from None
    return normalize("NFC", value)


def open_to_json(value: Open) -> Any:
    """What an open map holds as JSON values; byte strings, which only programs write, become hex."""
    match value:
        case bytes():
            return value.hex()
        case tuple():
            return [open_to_json(item) for item in value]
        case Mapping():
            return {name: open_to_json(item) for name, item in value.items()}
        case _:
            return value
