"""Where a daemon on this machine keeps its things: its data directory, and the names inside it.

The daemon uses this module too, so that both sides look in the same place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from musigd_client.failures import ClientError

COOKIE_NAME: Final = ".cookie"
ENDPOINT_NAME: Final = "endpoint.json"
LOCK_NAME: Final = "lock"
SOCKET_NAME: Final = "musigd.sock"


class PlaceError(ClientError):
    """A path or variable that names no usable place."""


def datadir_of(flag: Path | None, environment: Mapping[str, str]) -> Path:
    """The flag, else `$MUSIGD_DATADIR`, else `$XDG_DATA_HOME/musigd`, else `~/.local/share/musigd`; absolute.

    Raises PlaceError.
    """
    if flag is not None:
        return absolute(flag, "--datadir")
    if (named := path_variable("MUSIGD_DATADIR", environment)) is not None:
        return absolute(named, "MUSIGD_DATADIR")
    data_home = environment.get("XDG_DATA_HOME", "")
    home = Path(data_home) if data_home.startswith("/") else Path("~/.local/share")
    return absolute(home / "musigd", "--datadir")


def path_variable(name: str, environment: Mapping[str, str]) -> Path | None:
    """The path in a variable, None where it is not set. Raises PlaceError for an empty one: somebody meant to name
    a place, and must not get another one.
    """
    if name not in environment:
        return None
    if not environment[name]:
        raise PlaceError(f"The variable {name} is empty: name a path in it, or unset it.")
    return Path(environment[name])


def absolute(path: Path, named_by: str) -> Path:
    """Raises PlaceError for a `~` that means nothing here: no such user, no home, or one relative to anywhere;
    and for a relative path in a working directory that is gone."""
    if (str(path) == "~" or str(path).startswith("~/")) and os.environ.get("HOME") == "":
        raise PlaceError(f"The variable HOME is empty, so {path} leads nowhere: name it in full with {named_by}.")
    try:
        found = path.expanduser()
    except RuntimeError:
        found = path
    if str(path).startswith("~") and not found.is_absolute():
        raise PlaceError(f"There is no home directory for {path} on this machine: name it in full with {named_by}.")
    try:
        return found.absolute()
    except FileNotFoundError:
        raise PlaceError(
            f"The working directory has been removed, so {path} leads nowhere: name it in full with {named_by}."
        ) from None


def text_of(path: Path) -> str:
    """A path for JSON, whatever encoding the locale has. Raises UnicodeDecodeError for one that is not UTF-8."""
    return os.fsencode(path).decode("utf-8")


def path_of(text: str) -> Path:
    """The path that `text_of` wrote, perhaps under another locale."""
    return Path(os.fsdecode(text.encode("utf-8")))


def is_held(datadir: Path) -> bool:
    """True while a daemon, ready or not, holds the lock of the directory; False if that cannot be seen.

    Takes no lock.
    """
    import fcntl  # noqa: PLC0415  # Windows has none, and a client of a URL needs none

    try:
        lock = os.open(datadir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False
