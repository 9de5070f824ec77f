"""Sources of the passphrase when nobody types it: a configured file, a systemd credential, a generated file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import Final

from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.private_file import write_private
from daemon.keys import sealing

GENERATED_NAME: Final = "passphrase"
CREDENTIAL_NAME: Final = "passphrase"
LARGEST: Final = 4_096


class PassphraseError(DaemonError):
    """A passphrase file cannot be used, or does not open the keys. The text names the file and the remedy."""

    reason = "wrong_passphrase"
    exit_code = EXIT_CONFIGURATION


class PassphraseSource(Enum):
    """Who chose the passphrase: the operator, or this daemon at its first start."""

    CONFIGURED = "keys.passphrase_file"
    CREDENTIAL = "the systemd credential `passphrase`"
    GENERATED = "the generated file"


@dataclass(frozen=True, slots=True)
class PassphraseFile:
    """A place to read the passphrase from; only a GENERATED one may be missing."""

    origin: PassphraseSource
    path: Path

    def read(self) -> bytearray:
        """The passphrase without its line ending, in a buffer that the caller wipes. Raises PassphraseError."""
        try:
            with self.path.open("rb", buffering=0) as file:
                content = _read(file)
        except OSError as error:
            raise PassphraseError(
                f"The passphrase file {self.path} ({self.origin.value}) cannot be read: {error.strerror}."
            ) from error
        while content and content[-1] in b"\r\n":
            content.pop()
        if not content or len(content) > LARGEST:
            raise PassphraseError(
                f"The passphrase file {self.path} ({self.origin.value}) must hold one line of 1 to {LARGEST} bytes."
            )
        return content

    def generate(self) -> None:
        """Write 32 random bytes as hex, readable by the owner only."""
        content = sealing.random_hex(32) + b"\n"
        try:
            write_private(self.path, content)
        finally:
            content[:] = bytes(len(content))


def _read(file: FileIO) -> bytearray:
    """What the file holds, at most `LARGEST` + 1 bytes, in one buffer."""
    content, size = bytearray(LARGEST + 1), 0
    with memoryview(content) as view:
        while size < len(view) and (count := file.readinto(view[size:])):
            size += count
    del content[size:]
    return content


def find_passphrase(datadir: Path, configured: Path | None, environment: Mapping[str, str]) -> PassphraseFile:
    """The first of: `configured`, `$CREDENTIALS_DIRECTORY/passphrase` if it exists, `<datadir>/passphrase`."""
    if configured is not None:
        return PassphraseFile(PassphraseSource.CONFIGURED, configured)
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if directory and (Path(directory) / CREDENTIAL_NAME).exists():
        return PassphraseFile(PassphraseSource.CREDENTIAL, Path(directory) / CREDENTIAL_NAME)
    return PassphraseFile(PassphraseSource.GENERATED, datadir / GENERATED_NAME)
