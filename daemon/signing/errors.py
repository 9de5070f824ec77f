"""What signing refuses below its API; `daemon/api/guard.py` tells it to clients."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.errors import Fact, Refused


class NotStored(Refused):
    """A change could not be stored; nothing of it was sent."""

    reason = "store_full"

    def __init__(self) -> None:
        super().__init__("The change could not be stored, so nothing was sent; free some disk space and retry.")


class SchemeMismatch(Refused):
    """A key of `member` is known to sign another scheme than the one asked for."""

    reason = "scheme_mismatch"

    def __init__(self, member: str, pubkey: bytes, known: Iterable[str], asked: str) -> None:
        message = f"signs {' and '.join(sorted(known))} only, and {asked} is asked: use a key of that scheme."
        errors: list[Fact] = [{"path": member, "message": message}]
        super().__init__(f"{member} {message}", publicKey=pubkey.hex(), errors=errors)
