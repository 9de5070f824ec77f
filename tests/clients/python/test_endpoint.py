"""How a client finds its daemon: data directory, environment, address; and what it says when there is none."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from musigd_client import Client
from musigd_client.endpoint import Address, DataDir, Endpoint, locator_of, read_token
from musigd_client.errors import CertificateRefused, ClientError, Unreachable
from musigd_client.sync.client import SyncClient
from tests.certificates import certificate
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld


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


def test_a_directory_without_a_readable_endpoint_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no daemon runs"):
        DataDir(tmp_path).locate()
    (tmp_path / "endpoint.json").write_text("{")
    with pytest.raises(Unreachable, match="no daemon runs"):
        DataDir(tmp_path).locate()


@pytest.mark.parametrize("pid", [1, 2**22 + 1, 0, -1, None, "x"])
async def test_a_connection_and_never_a_process_id_shows_whether_a_daemon_runs(
    make_world: MakeWorld, tmp_path: Path, pid: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "kill", None)  # nobody may even look
    world = await make_world(socket_path=tmp_path / "musigd.sock")
    said(tmp_path, pid=pid, rpc=world.server.url, ws=world.server.ws_url)
    (tmp_path / ".cookie").write_text(COOKIE)
    for place in (DataDir(tmp_path), DataDir(tmp_path, by_socket=True)):
        async with Client(place) as client:
            assert (await client.get_info()).ready
            await (await client.socket()).close()


async def test_a_daemon_that_was_killed_is_reported_by_the_failed_connection(tmp_path: Path) -> None:
    said(tmp_path)
    for place, remedy in ((DataDir(tmp_path), "--socket"), (DataDir(tmp_path, by_socket=True), "musigd run")):
        async with Client(place, patience_s=0) as client:
            with pytest.raises(Unreachable, match=f"ended without removing.*{remedy}"):
                await client.get_info()
            with pytest.raises(Unreachable, match="ended without removing"):
                await client.socket()


def test_the_socket_in_the_directory_is_preferred_to_a_path_of_another_container(tmp_path: Path) -> None:
    said(tmp_path, socket="/data/musigd.sock")
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(tmp_path / "musigd.sock"))
        assert DataDir(tmp_path, by_socket=True).locate().socket == str(tmp_path / "musigd.sock")
    (tmp_path / "musigd.sock").unlink()
    assert DataDir(tmp_path, by_socket=True).locate().socket == "/data/musigd.sock"


@pytest.mark.parametrize(
    ("url", "rpc", "ws"),
    [
        ("http://localhost:1", "http://localhost:1/rpc", "ws://localhost:1/ws"),
        ("http://localhost:1/", "http://localhost:1/rpc", "ws://localhost:1/ws"),
        ("https://node.example/rpc", "https://node.example/rpc", "wss://node.example/ws"),
    ],
)
def test_an_address_may_be_given_with_or_without_its_path(url: str, rpc: str, ws: str) -> None:
    assert Address(url, token="t").locate() == Endpoint(rpc, ws, "t")


def test_an_address_without_a_scheme_and_an_unreadable_token_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="http://"):
        Address("localhost:1").locate()
    with pytest.raises(ClientError, match="cannot read the token"):
        Address("http://localhost:1", token_file=tmp_path / "none").locate()


def test_arguments_are_preferred_to_the_environment(tmp_path: Path) -> None:
    environment = {"MUSIG_URL": "http://e", "MUSIG_TOKEN_FILE": "/token", "MUSIGD_DATADIR": "/data"}
    assert locator_of(environment=environment) == Address("http://e", Path("/token"))
    assert locator_of(url="http://f", environment=environment) == Address("http://f", Path("/token"))
    assert locator_of(url="http://f", token="t", environment=environment) == Address("http://f", token="t")
    assert locator_of(datadir=tmp_path, environment=environment) == DataDir(tmp_path)
    assert locator_of(environment={"MUSIGD_DATADIR": "/data"}) == DataDir(Path("/data"))


def test_a_token_file_replaces_the_cookie_of_a_data_directory(tmp_path: Path) -> None:
    said(tmp_path)
    (tmp_path / "read-only").write_text("weaker\n")
    asked = locator_of(datadir=tmp_path, token_file=tmp_path / "read-only", environment={})
    surrounding = {"MUSIGD_DATADIR": str(tmp_path), "MUSIG_TOKEN_FILE": str(tmp_path / "read-only")}
    assert asked.locate().token == "weaker"
    assert locator_of(environment=surrounding).locate().token == "weaker"


def test_a_token_that_was_given_replaces_the_cookie_of_a_data_directory(tmp_path: Path) -> None:
    said(tmp_path)
    for token in ("weaker", "weaker\n"):
        assert locator_of(datadir=tmp_path, token=token, environment={}).locate().token == "weaker"
    assert not locator_of(datadir=tmp_path, token="", environment={}).locate().token
    surrounding = {"MUSIGD_DATADIR": str(tmp_path), "MUSIG_TOKEN_FILE": str(tmp_path / "none")}
    assert locator_of(token="weaker", environment=surrounding).locate().token == "weaker"


def test_places_may_be_given_as_text(tmp_path: Path) -> None:
    said(tmp_path)
    (tmp_path / "token").write_text("weaker\n")
    for token_file in (f"{tmp_path}/token", tmp_path / "token"):
        assert locator_of(datadir=str(tmp_path), token_file=token_file, environment={}).locate().token == "weaker"
    assert locator_of(socket=f"{tmp_path}/s", environment={}).locate().socket == f"{tmp_path}/s"


@pytest.mark.parametrize(
    "given",
    [
        {"token": "t", "token_file": "f"},
        {"url": "http://h", "datadir": "d"},
        {"socket": "s", "datadir": "d"},
        {"socket": "s", "token": "t"},
    ],
)
def test_of_two_arguments_that_exclude_each_other_none_is_passed_over(given: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=r"given: (name one|leave out)"):
        locator_of(**given, environment={})


@pytest.mark.parametrize("name", ["MUSIG_URL", "MUSIG_TOKEN_FILE", "MUSIGD_DATADIR"])
def test_an_empty_variable_leads_to_no_other_place(name: str) -> None:
    with pytest.raises(ClientError, match=f"{name} is empty"):
        locator_of(environment={name: ""})


@pytest.mark.parametrize(
    "url", ["http://:1", "http://a..b", "http://[::1", "http://h:99999", "http://h:0", "http://\udcff"]
)
def test_a_malformed_url_is_reported_before_a_connection_is_tried(url: str) -> None:
    with pytest.raises(ClientError, match="must name a host"):
        Address(url).locate()


def test_a_token_file_without_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\x00")
    with pytest.raises(ClientError, match="must be text"):
        read_token(tmp_path / "token")


async def test_a_certificate_that_is_not_accepted_is_told_with_the_reason(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate(cert, key, hosts=("localhost",))
    world = await make_world(tls_cert=cert, tls_key=key)
    place = f":{world.server.port}/rpc"
    with pytest.raises(CertificateRefused, match=r"not accepted here \(self.signed certificate\): trust it"):
        await Client.connect(url=f"https://localhost{place}", token="x")
    async with Client(Address(f"https://localhost{place}", token="x")) as client:
        with pytest.raises(CertificateRefused):
            await client.socket()
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with pytest.raises(
        CertificateRefused, match=r"not accepted here \(IP address mismatch.*\): trust it .* call a name"
    ):
        await asyncio.to_thread(SyncClient.connect, url=f"https://127.0.0.1{place}", token="x")
