"""Which lines may be evicted: not those of own keys and past signing partners, nor of the keys that a write spares:
keys that the operator pinned, and keys with whom this daemon is about to sign."""

from __future__ import annotations

import json
from collections.abc import Collection

UNBOUND = "NOT EXISTS (SELECT 1 FROM directory_kept k WHERE k.subject = directory_log.subject)"
NOT_SPARED = "hex(substr(directory_log.subject, -33)) NOT IN (SELECT value FROM json_each(?))"


def evictable(spared: Collection[bytes]) -> tuple[str, tuple[str, ...]]:
    """A condition on lines of `directory_log`, and its parameters. `spared`: any number of keys, 33 bytes each."""
    if not spared:
        return UNBOUND, ()
    return f"{UNBOUND} AND {NOT_SPARED}", (json.dumps([key.hex().upper() for key in spared]),)
