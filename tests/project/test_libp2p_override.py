"""libp2p is installed with other requirements than it states: they are enough, and nothing else is missing."""

from __future__ import annotations

import base64
import hashlib
import re
import runpy
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import setuptools  # type: ignore[import-untyped]  # without stubs
from libp2p.crypto import ecc, key_exchange
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.exceptions import MissingDeserializerError
from libp2p.crypto.keys import KeyType
from libp2p.crypto.pb.crypto_pb2 import PublicKey as PublicKeyMessage
from libp2p.crypto.serialization import deserialize_public_key
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from packaging.requirements import Requirement

from p2p.compat.upgrade import Upgrader
from tests.project.locks import PROJECT, locked, project

LEFT_OUT = ("grpc", "httpx", "lru", "miniupnpc", "mypy_protobuf", "requests", "rpcudp", "umsgpack")
LOAD_ALL = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in LEFT_OUT:
            raise ModuleNotFoundError(f"{name} is left out")

LEFT_OUT = sys.argv[1].split()
sys.meta_path.insert(0, Refuse())
for package in ("daemon", "rpc", "p2p", "musig2", "config", "musigd_client"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("libp2p.")]))
"""


def test_libp2p_loads_fastecdsa_for_secio_only_and_finds_the_names() -> None:
    library = PROJECT / Path(ecc.__file__).parents[1]
    users = {file.name for file in library.rglob("*.py") if re.search(r"^\s*from fastecdsa", file.read_text(), re.M)}
    readers = {file.parent.name for file in library.rglob("*.py") if "crypto.ecc import" in file.read_text()}

    assert distribution("fastecdsa").version.startswith("4.")
    assert users == {"ecc.py", "key_exchange.py"}
    assert readers == {"crypto", "secio"}
    assert ecc.infer_local_type("P-256") is vars(ecc)["curve_types"].P256
    public_key: Any = ecc.create_new_key_pair("P-256").public_key
    assert isinstance(public_key.impl, vars(ecc)["point"].Point)
    assert key_exchange.int_bytelen(2**255) == 32


@pytest.mark.parametrize("nist", [KeyType.ECDSA, KeyType.ECC_P256])
def test_a_peer_with_a_nist_key_is_refused_before_fastecdsa_sees_it(nist: KeyType) -> None:
    identity = PublicKeyMessage(key_type=nist.value, data=b"\x04" + bytes(64)).SerializeToString()

    with pytest.raises(MissingDeserializerError):
        deserialize_public_key(identity)


def test_the_daemon_offers_no_protocol_that_uses_fastecdsa() -> None:
    upgrader = Upgrader(create_new_key_pair())

    assert list(upgrader.security_multistream.transports) == [NOISE]


def test_no_module_of_the_daemon_needs_what_is_left_out() -> None:
    command = [sys.executable, "-c", LOAD_ALL, " ".join(LEFT_OUT)]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert result.stderr == ""
    assert int(result.stdout) > 100


def test_the_stand_in_describes_itself() -> None:
    program = "import p2p, miniupnpc; miniupnpc.UPnP()"
    result = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert "miniupnpc.UPnP: musigd runs without it" in result.stderr


def test_the_vendored_wheel_has_the_published_code() -> None:
    (wheel,) = (PROJECT / "vendor").glob("libp2p-*.whl")
    installed = {str(file): file.hash for file in distribution("libp2p").files or ()}
    code = [name for name in installed if name.startswith("libp2p/") and "__pycache__" not in name]

    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if not name.startswith("libp2p-")} == set(code)
        for name in code:
            known = installed[name]
            assert known is not None
            digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b"=").decode()
            assert (known.mode, known.value) == ("sha256", digest), name


def test_the_vendored_wheel_states_the_requirements_of_the_lock() -> None:
    (override,) = project()["tool"]["uv"]["dependency-metadata"]
    (wheel,) = (PROJECT / "vendor").glob(f"{override['name']}-{override['version']}+*.whl")

    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        stated = re.findall("^Requires-Dist: (.*)", archive.read(name).decode(), re.M)
    assert stated == override["requires-dist"]


def test_the_metadata_requires_what_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, list[str]] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **keywords: told.update(keywords))
    runpy.run_path(str(PROJECT / "setup.py"))
    requirements = [Requirement(line) for line in told["install_requires"]]

    pins = locked("requirements.lock")
    assert {requirement.name for requirement in requirements} == {pin.name for pin in pins.values()}
    (libp2p,) = (requirement.url for requirement in requirements if requirement.url)
    assert Path(libp2p.removeprefix("file://")).name.startswith(f"libp2p-{pins['libp2p'].version}")
    assert all(str(next(iter(r.specifier))) == f"=={pins[r.name].version}" for r in requirements if not r.url)
