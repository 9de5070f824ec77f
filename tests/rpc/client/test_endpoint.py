"""How a client finds its daemon: data directory, environment, address; and what it says when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from rpc.client.endpoint import Address, DataDir, Endpoint, locator_of
from rpc.client.errors import ClientError, Unreachable


def said(path: Path, **changes: object) -> None:
    content = {"rpc": "http://127.0.0.1:1/rpc", "ws": "ws://127.0.0.1:1/ws", "socket": "/s", "pid": os.getpid()}
    (path / "endpoint.json").write_bytes(orjson.dumps({**content, **changes}))
    (path / ".cookie").write_text("secret\n")


def test_data_directory_says_where_and_with_which_token(tmp_path: Path) -> None:
    said(tmp_path)
    found = DataDir(tmp_path).locate()
    assert found == Endpoint("http://127.0.0.1:1/rpc", "ws://127.0.0.1:1/ws", "secret")
    assert "secret" not in repr(found)
    assert DataDir(tmp_path, by_socket=True).locate().socket == "/s"


def test_file_of_a_daemon_that_is_gone_is_not_believed(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no daemon runs"):
        DataDir(tmp_path).locate()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    said(tmp_path, pid=int(ended.stdout))
    with pytest.raises(Unreachable, match="has ended"):
        DataDir(tmp_path).locate()
    (tmp_path / "endpoint.json").write_text("{")
    with pytest.raises(Unreachable, match="no daemon runs"):
        DataDir(tmp_path).locate()


def test_process_of_somebody_else_counts_as_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_ours(pid: int, signal: int) -> None:
        raise PermissionError

    said(tmp_path)
    monkeypatch.setattr(os, "kill", not_ours)
    assert DataDir(tmp_path).locate().token == "secret"


@pytest.mark.parametrize(
    ("url", "rpc", "ws"),
    [
        ("http://localhost:1", "http://localhost:1/rpc", "ws://localhost:1/ws"),
        ("http://localhost:1/", "http://localhost:1/rpc", "ws://localhost:1/ws"),
        ("https://node.example/rpc", "https://node.example/rpc", "wss://node.example/ws"),
    ],
)
def test_address_may_be_given_short_or_long(url: str, rpc: str, ws: str) -> None:
    assert Address(url, token="t").locate() == Endpoint(rpc, ws, "t")


def test_address_without_a_scheme_and_token_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="http://"):
        Address("localhost:1").locate()
    with pytest.raises(ClientError, match="cannot read the token"):
        Address("http://localhost:1", token_file=tmp_path / "none").locate()


def test_what_is_asked_for_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"MUSIG_URL": "http://e", "MUSIG_TOKEN_FILE": "/token", "MUSIGD_DATADIR": "/data"}
    assert locator_of(environment=environment) == Address("http://e", Path("/token"))
    assert locator_of(url="http://f", environment=environment) == Address("http://f", Path("/token"))
    assert locator_of(url="http://f", token="t", environment=environment) == Address("http://f", token="t")
    assert locator_of(datadir=tmp_path, environment=environment) == DataDir(tmp_path)
    assert locator_of(environment={"MUSIGD_DATADIR": "/data"}) == DataDir(Path("/data"))


def test_a_token_file_is_used_for_a_data_directory_too(tmp_path: Path) -> None:
    said(tmp_path)
    (tmp_path / "read-only").write_text("weaker\n")
    asked = locator_of(datadir=tmp_path, token_file=tmp_path / "read-only", environment={})
    surrounding = {"MUSIGD_DATADIR": str(tmp_path), "MUSIG_TOKEN_FILE": str(tmp_path / "read-only")}
    assert asked.locate().token == "weaker"
    assert locator_of(environment=surrounding).locate().token == "weaker"
