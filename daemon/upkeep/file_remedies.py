"""What the owner is told about each file that is lost while the daemon runs, with the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from daemon.host.own_files import Loss

Remedies = Mapping[Loss, tuple[str, str]]


def of_identity(path: Path) -> Remedies:
    """(reason, remedy) for the peer identity."""
    return {
        Loss.REMOVED: (
            "identity_lost",
            f"The peer identity {path} was removed; only the daemon still knows it. Put it back, or let the daemon "
            "write it again with `musigd reload`, before it stops: without it the next start is refused.",
        ),
        Loss.REPLACED: (
            "identity_lost",
            f"The peer identity {path} was replaced by another; the daemon goes on as the former peer. Put the former "
            "back, or remove it and let the daemon write its own with `musigd reload`: with another identity and the "
            "same database, what peers know of this daemon no longer fits.",
        ),
    }


def of_passphrase(path: Path) -> Remedies:
    """(reason, remedy) for the generated passphrase."""
    remedy = (
        f"The generated passphrase {path}, which opens the keys, was removed or replaced. Put it back; a file of "
        "`musigd backup` holds it. Without it nobody can open the keys once the daemon has stopped: if there is no "
        "copy, move what they own while it can still sign."
    )
    return {Loss.REMOVED: ("passphrase_lost", remedy), Loss.REPLACED: ("passphrase_lost", remedy)}
