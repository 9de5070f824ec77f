"""The data directory: private, used by one daemon, and honest about where that daemon is."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.locations import datadir_of, socket_path
from daemon.errors import EXIT_CONFIGURATION, EXIT_DATADIR
from daemon.host.datadir import Datadir, DatadirError, DatadirLocked, Holder, holder_of, read_endpoint
from daemon.keys.identity import IdentityError, load_seed, make_seed

HOLD = """
import pathlib, sys
from daemon.host.datadir import Datadir
Datadir.claim(pathlib.Path(sys.argv[1]))
print("held", flush=True)
input()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "a" / "b")
    assert mode(claimed.path) == 0o700
    claimed.close()


def test_an_open_directory_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o755)
    Datadir.claim(tmp_path / "a").close()
    assert mode(tmp_path / "a") == 0o700


def test_a_second_daemon_is_told_who_holds_it(tmp_path: Path) -> None:
    first = Datadir.claim(tmp_path / "a")
    with pytest.raises(DatadirLocked) as caught:
        Datadir.claim(tmp_path / "a")
    assert caught.value.exit_code == EXIT_DATADIR
    assert str(os.getpid()) in str(caught.value)
    assert "--datadir" in str(caught.value)
    assert holder_of(tmp_path / "a") == Holder(os.getpid(), first.mark)
    first.close()
    assert holder_of(tmp_path / "a") is None
    Datadir.claim(tmp_path / "a").close()


@pytest.mark.network
async def test_a_killed_daemon_leaves_no_lock(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(tmp_path / "a"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(180):
        await process.stdout.readline()
        held = holder_of(tmp_path / "a")
        assert held is not None
        assert held.pid == process.pid
        process.kill()
        await process.wait()
    Datadir.claim(tmp_path / "a").close()


def test_a_file_in_its_place_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(DatadirError, match="--datadir") as caught:
        Datadir.claim(tmp_path / "a")
    assert caught.value.exit_code == EXIT_CONFIGURATION


@pytest.mark.parametrize("pid", [1, 0, 2**22 + 1, None])
def test_the_endpoint_is_valid_while_the_lock_is_held_whatever_process_it_names(
    tmp_path: Path, pid: int | None
) -> None:
    claimed = Datadir.claim(tmp_path / "a")
    claimed.write_endpoint({"pid": pid})
    assert read_endpoint(claimed.path) == {"pid": pid}
    claimed.close()
    assert read_endpoint(claimed.path) is None


def test_the_endpoint_can_be_removed_twice(tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "a")
    claimed.write_endpoint({})
    claimed.remove_endpoint()
    claimed.remove_endpoint()
    assert read_endpoint(claimed.path) is None
    claimed.close()


def test_a_left_over_endpoint_is_removed_at_the_next_start(tmp_path: Path) -> None:
    first = Datadir.claim(tmp_path / "a")
    first.write_endpoint({"pid": os.getpid()})
    first.close()
    Datadir.claim(tmp_path / "a").close()
    assert not (tmp_path / "a" / "endpoint.json").exists()


def test_a_short_socket_path_stays_in_the_directory(tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "a")
    assert claimed.socket({}) == claimed.path / "musigd.sock"
    claimed.close()


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as path:
        yield Path(path)


def test_a_runtime_directory_that_is_too_long_itself_is_not_used(tmp_path: Path) -> None:
    path = socket_path(tmp_path / ("e" * 90), {"XDG_RUNTIME_DIR": str(tmp_path / ("r" * 90))})

    assert len(bytes(path)) <= 100
    assert "rrr" not in str(path)


def test_the_first_of_several_runtime_directories_is_used(tmp_path: Path) -> None:
    path = socket_path(tmp_path / ("e" * 90), {"RUNTIME_DIRECTORY": "/run/musigd:/run/other"})

    assert path.parent == Path("/run/musigd")


def test_a_long_socket_path_moves_to_the_runtime_directory(tmp_path: Path, short: Path) -> None:
    deep = tmp_path / ("d" * 90)
    claimed = Datadir.claim(deep)
    runtime = short / "run"
    path = claimed.socket({"XDG_RUNTIME_DIR": str(runtime)})
    assert path.parent == runtime
    assert mode(runtime) == 0o700
    assert path != socket_path(tmp_path / ("e" * 90), {"XDG_RUNTIME_DIR": str(runtime)})
    runtime.chmod(0o777)
    with pytest.raises(DatadirError, match="this user alone"):
        claimed.socket({"XDG_RUNTIME_DIR": str(runtime)})
    claimed.close()


def test_an_unknown_cookie_group_is_named(tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "a")
    with pytest.raises(DatadirError, match="cookie_group"):
        claimed.let_group_in("no-such-group")
    claimed.close()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"MUSIGD_DATADIR": "/m", "XDG_DATA_HOME": "/x"}, "/m"),
        ({"XDG_DATA_HOME": "/x"}, "/x/musigd"),
        ({"XDG_DATA_HOME": "relative"}, str(Path.home() / ".local/share/musigd")),
        ({}, str(Path.home() / ".local/share/musigd")),
    ],
)
def test_the_directory_follows_the_xdg_rules(environment: dict[str, str], expected: str) -> None:
    assert str(datadir_of(None, environment)) == expected
    assert datadir_of(Path("/flag"), environment) == Path("/flag")


def test_the_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        load_seed(tmp_path)
    seed = make_seed(tmp_path)
    assert len(seed) == 32
    assert load_seed(tmp_path) == seed
    assert mode(tmp_path / "identity") == 0o600


@pytest.mark.parametrize("content", [b"", b"zz" * 32, b"\xff\xfe", b"ab" * 31])
def test_a_damaged_identity_is_refused_with_a_sentence_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity").write_bytes(content)
    with pytest.raises(IdentityError, match="identity"):
        load_seed(tmp_path)
    assert (tmp_path / "identity").read_bytes() == content


def test_looking_at_the_lock_keeps_no_daemon_out(tmp_path: Path) -> None:
    Datadir.claim(tmp_path / "a").close()
    looker = os.open(tmp_path / "a" / "lock", os.O_RDWR)
    fcntl.flock(looker, fcntl.LOCK_EX)
    threading.Timer(0.05, os.close, (looker,)).start()
    claimed = Datadir.claim(tmp_path / "a")
    assert holder_of(tmp_path / "a") == Holder(os.getpid(), claimed.mark)
    claimed.close()
