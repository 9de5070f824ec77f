"""Where a daemon keeps its things. What clients rely on stands in `musigd_client.places`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from config.errors import SettingsError
from musigd_client import places
from musigd_client.places import (
    COOKIE_NAME,
    ENDPOINT_NAME,
    LOCK_NAME,
    SOCKET_NAME,
    PlaceError,
    path_of,
    text_of,
)

__all__ = [
    "COOKIE_NAME",
    "ENDPOINT_NAME",
    "LOCK_NAME",
    "SOCKET_NAME",
    "config_file_of",
    "datadir_of",
    "path_argument",
    "path_of",
    "path_variable",
    "socket_path",
    "text_of",
]

CONFIG_NAME: Final = "musigd.toml"
DATABASE_NAME: Final = "musigd.sqlite3"
LONGEST_SOCKET_PATH: Final = 100  # bytes; the system's limit is about 104 to 108


def path_argument(text: str) -> Path:
    """A path on a command line. An empty one, as from a variable that is not set, would be the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty: name a path")
    return Path(text)


def datadir_of(flag: Path | None, environment: Mapping[str, str]) -> Path:
    """As `musigd_client.places.datadir_of`. Raises SettingsError."""
    with _as_setting():
        return places.datadir_of(flag, environment)


def config_file_of(flag: Path | None, environment: Mapping[str, str], datadir: Path) -> tuple[Path, bool]:
    """The TOML file, and whether it must exist because somebody named it. Raises SettingsError."""
    if flag is not None:
        return _absolute(flag, "--config"), True
    if (named := path_variable("MUSIGD_CONFIG", environment)) is not None:
        return _absolute(named, "MUSIGD_CONFIG"), True
    return datadir / CONFIG_NAME, False


def path_variable(name: str, environment: Mapping[str, str]) -> Path | None:
    """As `musigd_client.places.path_variable`. Raises SettingsError."""
    with _as_setting():
        return places.path_variable(name, environment)


def _absolute(path: Path, named_by: str) -> Path:
    with _as_setting():
        return places.absolute(path, named_by)


@contextmanager
def _as_setting() -> Iterator[None]:
    """To the daemon a place that leads nowhere is a setting that does."""
    try:
        yield
    except PlaceError as problem:
        raise SettingsError(str(problem)) from None


def socket_path(datadir: Path, environment: Mapping[str, str]) -> Path:
    """`<datadir>/musigd.sock`, or a short name in the runtime directory when that path is too long for a socket, or
    not UTF-8, so that endpoint.json could not name it.

    The name there comes from the data directory, so that two daemons do not meet.
    """
    usual = datadir / SOCKET_NAME
    if _fits(usual):
        return usual
    name = f"musigd-{sha256(bytes(datadir)).hexdigest()[:16]}.sock"
    of_service = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]  # systemd lists all of a unit's
    named = (of_service, environment.get("XDG_RUNTIME_DIR"))
    shared = (*_temporary(), Path("/tmp"))  # noqa: S108 - a directory inside it that only this user can enter
    directories = [*(Path(each) for each in named if each), *(each / f"musigd-{os.getuid()}" for each in shared)]
    paths = [directory / name for directory in directories]
    return next(filter(_fits, paths), paths[-1])


def _fits(path: Path) -> bool:
    """Whether a socket may have this path, and JSON can say where it is."""
    try:
        return len(text_of(path).encode()) <= LONGEST_SOCKET_PATH
    except UnicodeDecodeError:
        return False


def _temporary() -> tuple[Path, ...]:
    try:
        return (Path(gettempdir()),)
    except FileNotFoundError:  # none of the usual ones can be written to
        return ()
