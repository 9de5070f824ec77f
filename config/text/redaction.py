"""Keeps secrets out of logs, wherever they are in an entry."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

REDACTED: Final = "[redacted]"
_SECRET_NAMES: Final = frozenset(
    {
        "authorization",
        "bearer",
        "cookie",
        "datakey",
        "newpassphrase",
        "passphrase",
        "password",
        "privatekey",
        "psig",
        "secnonce",
        "secret",
        "secretkey",
        "seckey",
        "secwebsocketprotocol",
        "seed",
        "token",
        "wif",
    }
)
_BEARER: Final = re.compile(r"(?i)\b(bearer[ .])[^\s,;\"']+")
_OWN_TOKEN: Final = re.compile(r"\bmt_[0-9a-f]{8,}")  # as createToken makes them
_IN_JSON: Final = re.compile(
    r'(?i)("?(?:private_?key|(?:new_?)?passphrase|token|secret)"?\s*[:=]+\s*)("[^"]*"|[^\s,}]+)'
)


def redact(value: Any, name: str = "") -> Any:
    """A copy of `value` in which everything that is named like a secret, or looks like a bearer token, is replaced."""
    if name.lower().replace("_", "").replace("-", "") in _SECRET_NAMES:
        return REDACTED
    match value:
        case str():
            plain = _OWN_TOKEN.sub(REDACTED, _BEARER.sub(rf"\1{REDACTED}", value))
            return _IN_JSON.sub(rf"\1{REDACTED}", plain)
        case Mapping():
            return {key: redact(item, str(key)) for key, item in value.items()}
        case list() | tuple():
            return [redact(item) for item in value]
    return value


def redact_entry(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; the last one before rendering, so that it sees the text of exceptions too."""
    for name, value in entry.items():
        if not name.startswith("_"):
            entry[name] = redact(value, name)
    return entry
