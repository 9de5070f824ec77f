"""The kit as a wallet installs it: the wheel alone, among modules named like the daemon's."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tomllib
from collections.abc import AsyncIterator
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from daemon.demo.verify import signature_holds
from tests.clients.named_weights import out_of_date
from tests.clients.python.kit_environment import SOURCE, Environment, build_wheel, needs
from tests.project.locks import PROJECT, project
from tests.rpc.rpc_daemons import Pair, two_daemons

WALLET = PROJECT / "examples" / "wallet.py"
FOLLOW = """
import asyncio, sys
from pathlib import Path
from musigd_client import Client

async def main():
    async with await Client.connect(datadir=Path(sys.argv[1])) as client:
        async for progress in client.follow_request(request_id=sys.argv[2]):
            print(progress.phase, len(progress.missing))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("installed"), wheel)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with two_daemons(tmp_path) as made:
        yield made


def test_the_wheel_holds_one_typed_module_and_needs_aiohttp_alone(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (Parser().parsestr(archive.read(n).decode()) for n in names if n.endswith("/METADATA"))
    assert {name.split("/")[0] for name in names} == {"musigd_client", wheel.name.partition("-py3")[0] + ".dist-info"}
    assert "musigd_client/py.typed" in names
    assert metadata.get_all("Requires-Dist") == ["aiohttp<4,>=3.12"]
    assert metadata["Requires-Python"] == ">=3.10"


def test_docs_name_the_size_of_the_kit_as_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        installed = sum(each.file_size for each in archive.infolist())
    assert out_of_date("wheel", wheel.stat().st_size) + out_of_date("python", installed) == []


def test_daemon_and_kit_have_one_version_and_one_license() -> None:
    of_kit = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    assert of_kit["version"] == project()["project"]["version"]
    assert (SOURCE / "LICENSE").read_text() == (PROJECT / "LICENSE").read_text()
    assert {name for name in project()["dependency-groups"]["run"] if name.startswith("aiohttp")} == set(
        of_kit["dependencies"]
    )


def test_an_installation_has_the_kit_and_the_packages_of_aiohttp(environment: Environment) -> None:
    listed = environment.run("-c", "from importlib.metadata import *; print(*(d.name for d in distributions()))")
    assert {name.lower().replace("_", "-") for name in listed.split()} == {*needs("aiohttp"), "musigd-client"}


def test_a_script_loads_neither_aiohttp_nor_asyncio_and_an_import_of_the_client_no_aiohttp(
    environment: Environment,
) -> None:
    script = "import sys; from musigd_client import SyncClient; print({'aiohttp', 'asyncio'} & {*sys.modules})"
    assert environment.run("-c", script) == "set()\n"
    assert environment.run("-c", "import sys; from musigd_client import Client; print('aiohttp' in sys.modules)") == (
        "False\n"
    )


def test_the_first_wallet_has_fewer_than_forty_lines_and_needs_only_the_kit() -> None:
    source = WALLET.read_text()
    assert len(source.splitlines()) < 40
    assert {line for line in source.splitlines() if " import " in line and "musig" in line} == {
        "from musigd_client import SyncClient, text_message"
    }


@pytest.mark.network
async def test_the_first_wallet_goes_through_the_four_phases_beside_modules_named_like_the_daemons(
    pair: Pair, environment: Environment
) -> None:
    shutil.copy(WALLET, environment.home)
    (environment.home / "follow.py").write_text(FOLLOW)
    answering = await started(environment, "wallet.py", pair.datadirs[1])
    assert answering.stdin is not None
    answering.stdin.write(b"yes\n")
    asking = await started(environment, "wallet.py", pair.datadirs[0], "ask", "we agree")
    async for event in pair.alice.events(from_seq=0, events=["signing-request:created"]):
        request_id = event["data"]["requestId"]
        break
    following = await started(environment, "follow.py", pair.datadirs[0], request_id)
    async with asyncio.timeout(180):
        said = [await wallet.communicate() for wallet in (answering, asking, following)]
    assert [errors for _, errors in said] == [b"", b"", b""]
    signature, _, message, _, key = said[1][0].decode().split()
    assert said[0][0].decode() == f"sign 'we agree'? {said[1][0].decode()}"
    assert signature_holds("bip340", *map(bytes.fromhex, (key, message, signature)))
    assert said[2][0].decode().splitlines()[-1] == "complete 0"


async def started(environment: Environment, *arguments: str | Path) -> asyncio.subprocess.Process:
    command, seen = environment.command(*arguments)
    pipe = subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, cwd=environment.home, env=seen, stdin=pipe, stdout=pipe, stderr=pipe
    )
