"""Whether the small files of a running daemon are still those that it made or read.

A loss shows late: of an identity or a passphrase at the next start, of a socket when a client connects.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

_LARGEST: Final = 8_192


class Loss(Enum):
    """What became of a file."""

    REMOVED = "removed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class _Known:
    place: tuple[int, int]  # device and inode
    digest: bytes | None  # of its content; None for a socket


class OwnFiles:
    """Files as they were when `know` was called. A check costs a few microseconds per file."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}

    def know(self, path: Path) -> None:
        """The daemon has just made or read this file; from now on it counts as lost if it is not there."""
        self._known[path] = _found(path) or _Known((0, 0), None)

    def forget(self, path: Path) -> None:
        """It no longer counts as lost."""
        self._known.pop(path, None)

    def lost(self) -> dict[Path, Loss]:
        """The files that were removed or replaced. Another file with the same content counts as the same."""
        found = {path: self._loss(path, known) for path, known in self._known.items()}
        return {path: loss for path, loss in found.items() if loss is not None}

    def _loss(self, path: Path, known: _Known) -> Loss | None:
        try:
            place = _place(path)
        except (FileNotFoundError, NotADirectoryError):
            return Loss.REMOVED
        except OSError:  # a directory on the way cannot be entered, which says nothing about the file
            return None
        if place == known.place:
            return None
        now = _found(path)
        if now is None or now.digest is None or now.digest != known.digest:
            return Loss.REPLACED
        self._known[path] = now
        return None


def _place(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _found(path: Path) -> _Known | None:
    """None for one that cannot be read."""
    try:
        place = _place(path)
        if not stat.S_ISREG(path.stat().st_mode):
            return _Known(place, None)
        with path.open("rb") as file:
            return _Known(place, hashlib.sha256(file.read(_LARGEST)).digest())
    except OSError:
        return None
