"""The doctor finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from config.load import load_settings
from config.settings import Settings
from daemon.host.datadir import Datadir
from daemon.keys.identity import make_seed
from daemon.store import Store
from daemon.upkeep.doctor import Diagnosis, Severity, examine
from daemon.upkeep.doctor_clock import unready
from tests.daemon_ops.ops_world import generated_passphrase, secret_bytes, started

FREE = {"rpc.listen": "127.0.0.1:0", "p2p.listen": "/ip4/127.0.0.1/tcp/0"}

START = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWA4PHJGtFcDD6a1uGBJP2yzMhBBmxWBzYjC5a3cTtZsGQ"


def settings(**flags: str) -> Settings:
    return load_settings(flags=FREE | {name.replace("__", "."): value for name, value in flags.items()}, file=None)


def wrong(datadir: Path, **flags: str) -> list[Diagnosis]:
    return [finding for finding in examine(settings(**flags), datadir, {}) if finding.severity is not Severity.OK]


async def test_a_healthy_directory_gets_no_remedy(store: Store, tmp_path: Path) -> None:
    await started(store, tmp_path)
    (tmp_path / "identity").write_text("x")
    (tmp_path / "identity").chmod(0o600)
    tmp_path.chmod(0o700)
    assert wrong(tmp_path) == []


def test_a_directory_that_is_not_there_yet_is_fine_and_is_not_made(tmp_path: Path) -> None:
    assert wrong(tmp_path / "new") == []
    assert not (tmp_path / "new").exists()


def test_a_damaged_database_is_found(tmp_path: Path) -> None:
    (tmp_path / "musigd.sqlite3").write_bytes(b"garbage" * 1000)
    make_seed(tmp_path)
    found = [finding for finding in wrong(tmp_path) if finding.severity is Severity.FAULT]
    assert [finding.what for finding in found] == ["The database cannot be used."]
    assert "musigd restore" in found[0].remedy


@pytest.mark.parametrize("answer", [b"\x05\x00", b"HTTP/1.1 400 Bad Request", None])
def test_a_proxy_that_is_none_or_is_not_there_is_a_fault(tmp_path: Path, answer: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(answer or b"")

        if answer is None:
            server.close()
            found = wrong(tmp_path / "new", p2p__socks5=f"127.0.0.1:{port}", p2p__bootstrap=START)
        else:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(serve)
                found = wrong(tmp_path / "new", p2p__socks5=f"127.0.0.1:{port}", p2p__bootstrap=START)
    assert [each.what.partition(" ")[0] for each in found] == ([] if answer == b"\x05\x00" else ["p2p.socks5:"])


def test_a_taken_port_is_named_by_its_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (rpc,) = wrong(tmp_path / "new", rpc__listen=f"127.0.0.1:{port}")
        (p2p,) = wrong(tmp_path / "new", p2p__listen=f"/ip4/127.0.0.1/tcp/{port}")
    assert "rpc.listen" in rpc.remedy
    assert "p2p.listen" in p2p.remedy
    assert str(port) in str(rpc)


def test_a_missing_passphrase_file_is_found(tmp_path: Path) -> None:
    (finding,) = wrong(tmp_path / "new", keys__passphrase_file=str(tmp_path / "nowhere"))
    assert finding.severity is Severity.FAULT
    assert "keys.passphrase_file" in finding.remedy


async def test_a_start_with_locked_keys_is_predicted(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    await keystore.change_passphrase(secret_bytes(generated_passphrase(tmp_path)), secret_bytes("chosen"))
    assert any("starts locked" in finding.what for finding in wrong(tmp_path))


def test_files_left_by_a_killed_daemon_are_named(tmp_path: Path) -> None:
    Datadir.claim(tmp_path).close()
    for name in ("endpoint.json", ".cookie", "musigd.sock"):
        (tmp_path / name).write_text("{}")
        (tmp_path / name).chmod(0o600)
    (finding,) = wrong(tmp_path)
    assert finding.severity is Severity.WARNING
    assert all(str(tmp_path / name) in finding.what for name in ("endpoint.json", ".cookie", "musigd.sock"))


def test_a_daemon_that_runs_has_left_nothing_over(tmp_path: Path) -> None:
    with closing(Datadir.claim(tmp_path)) as datadir:
        datadir.write_endpoint({"pid": os.getpid()})
        assert not any("Left over" in finding.what for finding in wrong(tmp_path))


def test_a_data_directory_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    first = wrong(tmp_path / "file")[0]
    assert first.what == f"The data directory {tmp_path / 'file'} is a file."


@pytest.mark.parametrize("name", ["passphrase", "identity", ".cookie"])
async def test_a_secret_that_others_may_read_is_found(store: Store, tmp_path: Path, name: str) -> None:
    await started(store, tmp_path)
    (tmp_path / name).write_text("x")
    (tmp_path / name).chmod(0o644)
    assert any(f"chmod 600 {tmp_path / name}" == finding.remedy for finding in wrong(tmp_path))


def test_a_daemon_without_bootstrap_addresses_is_found(tmp_path: Path) -> None:
    (finding,) = wrong(tmp_path / "new", p2p__mdns="false")
    assert "p2p.bootstrap" in finding.remedy


def test_a_running_daemon_is_noticed(tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "a")
    assert any("not ready" in finding.what for finding in wrong(tmp_path / "a"))
    claimed.close()


async def test_the_problems_of_a_running_daemon_are_repeated(tmp_path: Path) -> None:
    body = b'{"ok": false, "problems": [{"reason": "clock_wrong", "remedy": "Set it."}]}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /readyz ")
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        writer.write(head + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "musigd.sock")
    found = await asyncio.to_thread(lambda: list(unready(tmp_path / "musigd.sock")))
    server.close()
    assert found == [("The running daemon is not ready (clock_wrong).", "Set it.")]
    assert list(unready(tmp_path / "nobody.sock")) == []


def test_a_check_that_fails_is_a_finding_and_stops_no_other_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> int | None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("daemon.upkeep.doctor.holder_of", broken)
    found = wrong(tmp_path / "new")
    assert "The check `running` could not be made." in [finding.what for finding in found]
    assert "Permission denied" in found[0].remedy


def test_too_few_open_files_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, 100))
    assert "may have 100 open files" in "".join(finding.remedy for finding in wrong(tmp_path / "new"))
