"""`musigd reload` says what the daemon of that data directory took over, or why it took nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from daemon.demo.processes import Daemons, DemoDaemon
from tests.certificates import certificate
from tests.e2e.vessels import Vessel

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def daemon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoDaemon]:
    daemons = Daemons(tmp_path_factory.mktemp("reload"), "test-reload")
    try:
        yield await daemons.start("alice", ())
    finally:
        await daemons.stop()


async def reload(datadir: Path) -> tuple[int, str, str]:
    """Exit code, output, complaints."""
    command = [sys.executable, "-m", "daemon.main", "reload", "--datadir", str(datadir)]
    ran = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    said, complained = await ran.communicate()
    return ran.returncode or 0, said.decode(), complained.decode()


async def test_reload_prints_what_was_applied_and_what_needs_a_restart(daemon: DemoDaemon) -> None:
    (daemon.datadir / "musigd.toml").write_text('[log]\nlevel = "debug"\n[p2p]\nprivate_addresses = true\n')

    code, said, _ = await reload(daemon.datadir)

    assert (code, said) == (0, "Taken over: log.level.\nWaiting for a restart: p2p.private_addresses.\n")


async def test_a_reload_without_changes_succeeds(daemon: DemoDaemon) -> None:
    (daemon.datadir / "musigd.toml").write_text("")
    await reload(daemon.datadir)

    assert await reload(daemon.datadir) == (0, "Unchanged: the settings.\n", "")


async def test_a_policy_file_that_was_changed_is_named(daemon: DemoDaemon) -> None:
    (daemon.datadir / "musigd.toml").write_text("")
    await reload(daemon.datadir)
    for text in ('default = "refuse"\n', 'default = "ask"\n'):
        (daemon.datadir / "policy.toml").write_text(text)

        assert await reload(daemon.datadir) == (0, "Taken over: the policy.\nUnchanged: the settings.\n", "")
    assert await reload(daemon.datadir) == (0, "Unchanged: the settings, the policy.\n", "")
    (daemon.datadir / "policy.toml").write_text("default = 7\n")
    (daemon.datadir / "musigd.toml").write_text('[log]\nlevel = "debug"\n')
    code, said, complained = await reload(daemon.datadir)
    assert (code, said) == (2, "Taken over: log.level.\n")
    assert complained.startswith("musigd: Failed, and as before: the policy. ")
    assert "policy.toml" in complained
    (daemon.datadir / "policy.toml").write_text('default = "ask"\n')


async def test_tls_files_are_taken_over_unchanged_or_kept_whatever_becomes_of_the_rest(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate(cert, key)
    vessel = Vessel(tmp_path, "Alice", "test-reload-tls")
    vessel.environment |= {"MUSIGD_RPC__TLS_CERT": str(cert), "MUSIGD_RPC__TLS_KEY": str(key)}
    try:
        await vessel.start()
        assert await reload(vessel.datadir) == (0, "Unchanged: the settings, the TLS files.\n", "")

        certificate(cert, key)
        assert await reload(vessel.datadir) == (0, "Taken over: the TLS files.\nUnchanged: the settings.\n", "")

        cert.write_text("broken")
        (vessel.datadir / "musigd.toml").write_text('[log]\nlevel = "debug"\n')
        code, said, complained = await reload(vessel.datadir)
        assert (code, said) == (2, "Taken over: log.level.\n")
        assert complained.startswith(
            "musigd: Failed, and as before: the TLS files. rpc.tls_cert and rpc.tls_key cannot"
        )
        assert "a reload failed for one thing" in vessel.said()

        certificate(cert, key)
        (vessel.datadir / "musigd.toml").write_text("[log\n")
        code, said, complained = await reload(vessel.datadir)
        assert (code, said) == (2, "Taken over: the TLS files.\n"), "a renewed certificate needs no valid settings"
        assert complained.startswith("musigd: Failed, and as before: the settings. ")
    finally:
        await vessel.close()


async def test_a_file_that_cannot_be_read_is_a_configuration_error_with_its_sentence(daemon: DemoDaemon) -> None:
    (daemon.datadir / "policy.toml").write_text('default = "ask"\n')
    await reload(daemon.datadir)
    (daemon.datadir / "musigd.toml").write_text("[log\n")

    code, said, complained = await reload(daemon.datadir)

    assert (code, said) == (2, "Unchanged: the policy.\n")
    assert complained.startswith("musigd: Failed, and as before: the settings. ")
    assert "no valid TOML" in complained


async def test_two_reloads_at_once_are_both_answered(daemon: DemoDaemon) -> None:
    (daemon.datadir / "musigd.toml").write_text("")

    both = await asyncio.gather(reload(daemon.datadir), reload(daemon.datadir))

    assert [code for code, _, _ in both] == [0, 0]


async def test_the_daemon_of_another_directory_is_not_asked(daemon: DemoDaemon, tmp_path: Path) -> None:
    (tmp_path / "endpoint.json").write_bytes(orjson.dumps(daemon.endpoint))

    code, _, complained = await reload(tmp_path)

    assert (code, complained) == (1, f"musigd: No daemon uses {tmp_path}.\n")
