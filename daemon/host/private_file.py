"""Writes small files that only their owner may read, atomically."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_private(path: Path, content: str | bytearray, *, mode: int = 0o600) -> None:
    """Replace `path` by a file with this content, which is on the disk before the old one goes. Raises OSError.

    A bytearray is not copied, so the caller can wipe it.
    """
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with naming(path), os.fdopen(handle, "wb", buffering=0) as file:
        rest = memoryview(content.encode() if isinstance(content, str) else content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an OSError that comes of an open file, such as of a full disk, and so names none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def sync_directory(directory: Path) -> None:
    """Make a rename or a removal inside it survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
