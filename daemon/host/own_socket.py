"""Calls the daemon of a data directory through its unix socket, and never another daemon that listens there."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import orjson

from config.locations import SOCKET_NAME, socket_path
from daemon.host.datadir import Holder, read_endpoint
from daemon.host.unix_http import UnixHttpConnection

PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class SocketAnswer:
    """The answer of the daemon: an HTTP status, and its body."""

    status: int
    body: bytes


def ask_daemon(
    datadir: Path, environment: Mapping[str, str], holder: Holder, route: str, within_s: float
) -> SocketAnswer | None:
    """Post the mark of `holder` to a route such as `/stop`; None when that daemon is not reached."""
    for path in _sockets(datadir, environment):
        answer = _post(path, holder, route, within_s)
        if answer is not None and answer.status != HTTPStatus.CONFLICT:  # another daemon answered
            return answer
    return None


def reasons_not_ready(socket_file: Path) -> list[tuple[str, str]]:
    """(reason, remedy) of each problem that `/readyz` names; empty when the daemon is ready or does not answer."""
    try:
        with closing(UnixHttpConnection(socket_file, PATIENCE_S)) as connection:
            connection.request("GET", "/readyz")
            answer = orjson.loads(connection.getresponse().read())
        return [(str(problem["reason"]), str(problem["remedy"])) for problem in answer["problems"]]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return []


def _sockets(datadir: Path, environment: Mapping[str, str]) -> list[Path]:
    """Where it may listen. The path in endpoint.json comes last: it may be one of another container."""
    said = (read_endpoint(datadir) or {}).get("socket")
    paths = [datadir / SOCKET_NAME, socket_path(datadir, environment)]
    return list(dict.fromkeys([*paths, Path(said)] if isinstance(said, str) else paths))


def _post(path: Path, holder: Holder, route: str, within_s: float) -> SocketAnswer | None:
    try:
        with closing(UnixHttpConnection(path, within_s)) as connection:
            body = orjson.dumps({"lock": holder.mark})
            connection.request("POST", route, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return SocketAnswer(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return None
