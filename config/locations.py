"""Where a daemon keeps its things: the data directory, and the names inside it that clients may rely on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Final

CONFIG_NAME: Final = "musigd.toml"
COOKIE_NAME: Final = ".cookie"
DATABASE_NAME: Final = "musigd.sqlite3"
ENDPOINT_NAME: Final = "endpoint.json"
LOCK_NAME: Final = "lock"
SOCKET_NAME: Final = "musigd.sock"
LONGEST_SOCKET_PATH: Final = 100  # bytes; the system's limit is about 104 to 108


def datadir_of(flag: Path | None, environment: Mapping[str, str]) -> Path:
    """The flag, else `$MUSIGD_DATADIR`, else `$XDG_DATA_HOME/musigd`, else `~/.local/share/musigd`; absolute."""
    if flag is not None:
        return flag.expanduser().absolute()
    if environment.get("MUSIGD_DATADIR"):
        return Path(environment["MUSIGD_DATADIR"]).expanduser().absolute()
    data_home = environment.get("XDG_DATA_HOME", "")
    home = Path(data_home) if data_home.startswith("/") else Path.home() / ".local" / "share"
    return home / "musigd"


def config_file_of(flag: Path | None, environment: Mapping[str, str], datadir: Path) -> tuple[Path, bool]:
    """The TOML file, and whether it must exist because somebody named it."""
    if flag is not None:
        return flag.expanduser().absolute(), True
    if environment.get("MUSIGD_CONFIG"):
        return Path(environment["MUSIGD_CONFIG"]).expanduser().absolute(), True
    return datadir / CONFIG_NAME, False


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


def text_of(path: Path) -> str:
    """A path for JSON, whatever encoding the locale has. Raises UnicodeDecodeError for one that is not UTF-8."""
    return os.fsencode(path).decode("utf-8")


def path_of(text: str) -> Path:
    """The path that `text_of` wrote, perhaps under another locale."""
    return Path(os.fsdecode(text.encode("utf-8")))


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
