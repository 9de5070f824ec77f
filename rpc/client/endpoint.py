"""Where a daemon is and with which token: looked up anew for each connection, as both change when it restarts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from config.locations import COOKIE_NAME, ENDPOINT_NAME, datadir_of
from rpc.client.errors import ClientError, Unreachable


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`socket`: connect through this unix socket, whatever host the URLs name."""

    url: str
    ws_url: str
    token: str | None = field(default=None, repr=False)
    socket: str | None = None


class Locator(Protocol):
    """Knows where the daemon is now."""

    def locate(self) -> Endpoint:
        """Raises Unreachable when nothing says where."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """A daemon on this machine, found through its data directory. `by_socket`: through its unix socket, token-free.

    `token_file`: use the token in it instead of the cookie.
    """

    path: Path
    by_socket: bool = False
    token_file: Path | None = None

    def locate(self) -> Endpoint:
        """What endpoint.json and the cookie say at this moment."""
        try:
            said = orjson.loads((self.path / ENDPOINT_NAME).read_bytes())
            url, ws_url, pid = str(said["rpc"]), str(said["ws"]), int(said["pid"])
        except PermissionError as problem:
            raise Unreachable(
                f"this user may not read {self.path / ENDPOINT_NAME}: run as the daemon's user, or set rpc.cookie_group"
            ) from problem
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise Unreachable(
                f"no daemon runs with the data directory {self.path}: start it with musigd run"
            ) from problem
        if not _runs(pid):
            raise Unreachable(f"the daemon of {self.path} has ended without saying so: start it with musigd run")
        if self.by_socket and said.get("socket"):
            return Endpoint(url, ws_url, socket=str(said["socket"]))
        return Endpoint(url, ws_url, read_token(self.token_file or self.path / COOKIE_NAME))


@dataclass(frozen=True, slots=True)
class Address:
    """A daemon at a URL, which may be the address of the machine alone; the token comes from a file or as it is."""

    url: str
    token_file: Path | None = None
    token: str | None = field(default=None, repr=False)

    def locate(self) -> Endpoint:
        """The same place every time; the file is read again."""
        base = self.url.rstrip("/").removesuffix("/rpc")
        if not base.startswith(("http://", "https://")):
            raise ClientError("the URL must begin with http:// or https://")
        token = self.token if self.token_file is None else read_token(self.token_file)
        return Endpoint(f"{base}/rpc", f"ws{base.removeprefix('http')}/ws", token)


def locator_of(
    *,
    datadir: Path | None = None,
    url: str | None = None,
    token: str | None = None,
    token_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Locator:
    """What was asked for, else $MUSIG_URL with $MUSIG_TOKEN_FILE, else the data directory as a daemon finds it."""
    environment = os.environ if environment is None else environment
    if url is None and datadir is None:
        url = environment.get("MUSIG_URL") or None
    if token is None and token_file is None and datadir is None and environment.get("MUSIG_TOKEN_FILE"):
        token_file = Path(environment["MUSIG_TOKEN_FILE"])
    if url is None:
        return DataDir(datadir_of(datadir, environment), token_file=token_file)
    return Address(url, token_file, token)


def read_token(path: Path) -> str:
    """The token in a file; raises ClientError when it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError as problem:
        raise ClientError(f"cannot read the token in {path}: {problem.strerror}") from problem


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
