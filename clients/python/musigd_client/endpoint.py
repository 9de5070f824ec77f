"""Finds a daemon and the token for it, again for each connection, as both change when the daemon restarts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from musigd_client.failures import ClientError, NobodyThere, Unreachable
from musigd_client.places import (
    COOKIE_NAME,
    ENDPOINT_NAME,
    SOCKET_NAME,
    datadir_of,
    is_held,
    path_of,
    path_variable,
)

if TYPE_CHECKING:
    from typing import TypeAlias

AnyPath: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`socket`: connect through this unix socket, whatever host the URLs name. `datadir`: where this was read."""

    url: str
    ws_url: str
    token: str | None = field(default=None, repr=False)
    socket: str | None = None
    datadir: Path | None = field(default=None, compare=False)

    @property
    def silence(self) -> str:
        """The sentence for when nobody answers."""
        place = f"no daemon answers at {self.socket or self.url}"
        if self.datadir is None:
            return place
        left = f"{place}: the daemon of {self.datadir} ended without removing its {ENDPOINT_NAME}"
        if self.socket is not None:
            return f"{left}; start it with musigd run"
        return f"{left} (start it with musigd run), or runs in another container (use its unix socket: --socket)"

    def distrust(self, why: str) -> str:
        """The sentence for a certificate that this machine does not accept; `why` is OpenSSL's."""
        beside = ", or use the unix socket (--socket)" if self.datadir is not None else ""
        return (
            f"the certificate at {self.url} is not accepted here ({why}): trust it (SSL_CERT_FILE names its file), and "
            f"call a name that it holds{beside}"
        )


class Locator(Protocol):
    """Knows where the daemon is now."""

    def locate(self) -> Endpoint:
        """Raises Unreachable if there is nothing that names an address."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """A daemon on this machine, found through its data directory.

    `by_socket`: through its unix socket, without a token. `token`, `token_file`: use that one, or the one in that file,
    instead of the cookie.
    """

    path: Path
    by_socket: bool = False
    token_file: Path | None = None
    token: str | None = field(default=None, repr=False)

    def locate(self) -> Endpoint:
        """What endpoint.json and the cookie say now; only a connection shows whether the daemon runs."""
        try:
            said = json.loads((self.path / ENDPOINT_NAME).read_bytes())
            url, ws_url = str(said["rpc"]), str(said["ws"])
        except PermissionError as problem:
            raise Unreachable(
                f"this user may not read {self.path / ENDPOINT_NAME}: run as the daemon's user, or set rpc.cookie_group"
            ) from problem
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise NobodyThere(
                f"the daemon of {self.path} is starting (or stopping): try again in a moment"
                if is_held(self.path)
                else f"no daemon runs with the data directory {self.path}: start it with musigd run"
            ) from problem
        if self.by_socket and said.get("socket"):
            return Endpoint(url, ws_url, socket=str(self._socket(said["socket"])), datadir=self.path)
        token_file = self.token_file or self.path / COOKIE_NAME
        token = read_token(token_file) if self.token is None else _required_token(self.token, "given")
        return Endpoint(url, ws_url, token, datadir=self.path)

    def _socket(self, said: object) -> Path:
        """The socket in the directory, if there is one: endpoint.json may name a path of the daemon's container."""
        usual = self.path / SOCKET_NAME
        return usual if usual.is_socket() else path_of(str(said))


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A daemon behind a unix socket: a user who may open it needs no token."""

    path: Path

    def locate(self) -> Endpoint:
        """The same place every time. HTTP needs a host in the URLs; it is not used."""
        return Endpoint("http://localhost/rpc", "ws://localhost/ws", socket=str(self.path))


@dataclass(frozen=True, slots=True)
class Address:
    """A daemon at a URL, with or without a path; the token is given, or read from a file."""

    url: str
    token_file: Path | None = None
    token: str | None = field(default=None, repr=False)

    def locate(self) -> Endpoint:
        """The same place every time; the file is read again."""
        base = self.url.rstrip("/").removesuffix("/rpc")
        if not base.startswith(("http://", "https://")):
            raise ClientError("the URL must begin with http:// or https://")
        _require_place(base)
        token = _required_token(self.token or "", "given") if self.token_file is None else read_token(self.token_file)
        return Endpoint(f"{base}/rpc", f"ws{base.removeprefix('http')}/ws", token or None)


def locator_of(
    *,
    datadir: AnyPath | None = None,
    url: str | None = None,
    token: str | None = None,
    token_file: AnyPath | None = None,
    socket: AnyPath | None = None,
    environment: Mapping[str, str] | None = None,
) -> Locator:
    """The place in the arguments, else $MUSIG_URL with $MUSIG_TOKEN_FILE, else the data directory as a daemon finds it.

    Raises ClientError for arguments of which one would be passed over, and for a variable that is set and empty: it was
    meant to name another place, or a weaker token.
    """
    environment = os.environ if environment is None else environment
    datadir, token_file = _path(datadir), _path(token_file)
    if token is not None and token_file is not None:
        raise ClientError("token and token_file were given: name one of them")
    if url is not None and datadir is not None:
        raise ClientError("a URL and a data directory were given: name one of them")
    if socket is not None:
        if datadir is not None or url is not None or token is not None or token_file is not None:
            raise ClientError("socket was given: leave out data directory, URL and token")
        return SocketFile(Path(socket))
    if url is None and datadir is None and path_variable("MUSIG_URL", environment) is not None:
        url = environment["MUSIG_URL"]
    if token is None and token_file is None and datadir is None:
        token_file = path_variable("MUSIG_TOKEN_FILE", environment)
    if url is None:
        return DataDir(datadir_of(datadir, environment), token_file=token_file, token=token)
    return Address(url, token_file, token)


def _path(given: AnyPath | None) -> Path | None:
    return None if given is None else Path(given)


def _require_place(url: str) -> None:
    """Raises ClientError for a URL that cannot work, with a clearer sentence than a failed connection has."""
    try:
        parts = urlsplit(url)
        fits = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ClientError("the URL must name a host, and may name a port from 1 to 65535 behind a colon")


def read_token(path: Path) -> str:
    """The token in a file; raises ClientError when there is none."""
    try:
        return _required_token(path.read_text(encoding="ascii"), f"in {path}")
    except OSError as problem:
        raise ClientError(f"cannot read the token in {path}: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise ClientError(f"there is no token in {path}: it must be text") from None


def _required_token(text: str, where: str) -> str:
    """A token that fits into a header; another one would be shown in the error that the header causes.

    The line break that files end in is left out.
    """
    text = text.strip()
    if re.fullmatch("[ -~]*", text) is None:
        raise ClientError(f"there is no token {where}: it is not one line of ASCII")
    return text
