"""The peer identity: an ed25519 seed in a file of its own, made once and kept for ever."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Final

from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.private_file import write_private

IDENTITY_NAME: Final = "identity"


class IdentityError(DaemonError):
    """The identity file cannot be read or written, or holds something else. It was not changed."""

    reason = "identity"
    exit_code = EXIT_CONFIGURATION


def make_seed(datadir: Path) -> bytes:
    """Make a new peer identity, at a first start or after a restore; returns the seed. Raises IdentityError."""
    write_seed(datadir, secrets.token_bytes(32))
    return load_seed(datadir)


def write_seed(datadir: Path, seed: bytes) -> None:
    """Put the seed into its file. Raises IdentityError."""
    path = datadir / IDENTITY_NAME
    try:
        write_private(path, seed.hex() + "\n")
    except OSError as error:
        raise IdentityError(f"The peer identity {path} cannot be written: {error}.") from error


def load_seed(datadir: Path) -> bytes:
    """The 32-byte seed in `<datadir>/identity` (64 hex digits, 0600). Raises IdentityError.

    `PeerIdentity(seed)` signs with it, and libp2p uses it. Two daemons must never run with one identity.
    """
    path = datadir / IDENTITY_NAME
    try:
        content = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError(f"The peer identity {path} cannot be read: {error}.") from error
    if re.fullmatch("[0-9a-f]{64}", content) is None:
        raise IdentityError(f"The peer identity {path} is damaged: bring it back from a backup.")
    return bytes.fromhex(content)
