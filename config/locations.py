"""Where a daemon keeps its things: the data directory, and the names inside it that clients may rely on."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from config.errors import SettingsError

CONFIG_NAME: Final = "musigd.toml"
COOKIE_NAME: Final = ".cookie"
DATABASE_NAME: Final = "musigd.sqlite3"
ENDPOINT_NAME: Final = "endpoint.json"
LOCK_NAME: Final = "lock"
SOCKET_NAME: Final = "musigd.sock"
LONGEST_SOCKET_PATH: Final = 100  # bytes; the system's limit is about 104 to 108


def path_argument(text: str) -> Path:
    """A path on a command line. An empty one, as from a variable that is not set, would be the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty: name a path")
    return Path(text)


def datadir_of(flag: Path | None, environment: Mapping[str, str]) -> Path:
    """The flag, else `$MUSIGD_DATADIR`, else `$XDG_DATA_HOME/musigd`, else `~/.local/share/musigd`; absolute.

    Raises SettingsError.
    """
    if flag is not None:
        return _absolute(flag, "--datadir")
    if (named := path_variable("MUSIGD_DATADIR", environment)) is not None:
        return _absolute(named, "MUSIGD_DATADIR")
    data_home = environment.get("XDG_DATA_HOME", "")
    home = Path(data_home) if data_home.startswith("/") else Path("~/.local/share")
    return _absolute(home / "musigd", "--datadir")


def config_file_of(flag: Path | None, environment: Mapping[str, str], datadir: Path) -> tuple[Path, bool]:
    """The TOML file, and whether it must exist because somebody named it. Raises SettingsError."""
    if flag is not None:
        return _absolute(flag, "--config"), True
    if (named := path_variable("MUSIGD_CONFIG", environment)) is not None:
        return _absolute(named, "MUSIGD_CONFIG"), True
    return datadir / CONFIG_NAME, False


def path_variable(name: str, environment: Mapping[str, str]) -> Path | None:
    """The path in a variable, None where it is not set. Raises SettingsError for an empty one: somebody meant to name
    a place, and must not get another one.
    """
    if name not in environment:
        return None
    if not environment[name]:
        raise SettingsError(f"The variable {name} is empty: name a path in it, or unset it.")
    return Path(environment[name])


def _absolute(path: Path, named_by: str) -> Path:
    """Raises SettingsError for a `~` that means nothing here: no such user, no home, or one relative to anywhere;
    and for a relative path in a working directory that is gone."""
    if (str(path) == "~" or str(path).startswith("~/")) and os.environ.get("HOME") == "":
        raise SettingsError(f"The variable HOME is empty, so {path} leads nowhere: name it in full with {named_by}.")
    try:
        found = path.expanduser()
    except RuntimeError:
        found = path
    if str(path).startswith("~") and not found.is_absolute():
        raise SettingsError(f"There is no home directory for {path} on this machine: name it in full with {named_by}.")
    try:
        return found.absolute()
    except FileNotFoundError:
        raise SettingsError(
            f"The working directory has been removed, so {path} leads nowhere: name it in full with {named_by}."
        ) from None


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
