"""Who may be evicted: not own keys and past partners, not keys that the operator pinned, and not those with whom this
daemon is about to sign."""

from __future__ import annotations

from collections.abc import Collection

# Of requests only those that an own key has joined: a stranger may send many, and must not pin whom he likes with them.
UNBOUND = (
    "NOT EXISTS (SELECT 1 FROM directory_kept k WHERE k.subject = directory_log.subject)"
    " AND NOT EXISTS (SELECT 1 FROM signing_keys k"
    " JOIN signing_requests r ON r.request = k.request AND r.settled = 0"
    " JOIN signing_joins j ON j.request = k.request AND j.own = 1"
    " WHERE k.key = substr(directory_log.subject, -33))"
)


def evictable(pinned: Collection[bytes]) -> tuple[str, tuple[bytes, ...]]:
    """A condition on lines of `directory_log`, and its parameters."""
    if not pinned:
        return UNBOUND, ()
    marks = ", ".join("?" * len(pinned))
    return f"{UNBOUND} AND substr(directory_log.subject, -33) NOT IN ({marks})", tuple(pinned)
