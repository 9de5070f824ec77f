"""What of py-libp2p a daemon loads: enough for everything it does, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from libp2p.crypto.exceptions import MissingDeserializerError
from libp2p.crypto.keys import KeyType
from libp2p.crypto.pb.crypto_pb2 import PublicKey as PublicKeyMessage
from libp2p.crypto.serialization import deserialize_public_key

import p2p.compat.upgrade  # noqa: F401 - refuses RSA keys from here on
from config.left_out import REACHED, LeftOut
from p2p import stand_ins
from p2p.addresses import Multiaddr
from tests.p2p.nodes import eventually, identified, network
from tests.p2p.p2p_world import Signer

ROOT = Path(__file__).parents[3]
TOPIC = "musigd/test/signers/spend"
NOT_LOADED = (
    *(
        "aioquic",
        "Crypto",
        "cryptography.x509",
        "dns",
        "fastecdsa",
        "netaddr.ip",
        "OpenSSL",
        "prometheus_client",
        "pycparser",
    ),
    *("aiohttp.client", "aiohttp.connector", "jsonschema", "rich", "urllib.request", "difflib", "zoneinfo"),
    "cryptography.hazmat.primitives.serialization.ssh",
    *("service_identity", "trio_websocket", "zeroconf", "libp2p.bitswap.client", "libp2p.host.autonat.autonat"),
    *("libp2p.peer.persistent", "libp2p.relay.circuit_v2.protocol", "libp2p.transport.websocket"),
)


def run(*arguments: str) -> Any:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_daemon_loads_nothing_of_what_it_never_calls() -> None:
    program = "import json, sys, daemon.commands.run, daemon.app; print(json.dumps(sorted(sys.modules)))"
    loaded = run("-c", program)

    assert [name for name in NOT_LOADED if any(one == name or one.startswith(name + ".") for one in loaded)] == []
    assert "libp2p.network.swarm" in loaded


def test_a_plugin_of_pydantic_that_is_installed_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "overheard-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: overheard\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[pydantic]\noverheard = overheard\n")
    (tmp_path / "overheard.py").write_text("def new_schema_validator(*given): return None, None, None")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    made = "import json, sys, pydantic; type('Made', (pydantic.BaseModel,), {}); print(json.dumps(sorted(sys.modules)))"
    assert "overheard" in run("-c", made)
    assert "overheard" not in run("-c", "import daemon.app; " + made)


@pytest.mark.network
def test_nodes_that_do_everything_call_nothing_that_is_left_out() -> None:
    told = run("-m", "tests.p2p.compat.test_stand_ins")

    assert told["did"] == ["dht", "providers", "ask", "gossip", "frames", "ban", "stats"]
    assert set(told["reached"]) <= {"psutil"}  # the addresses that 0.0.0.0 stands for


def test_a_part_that_is_left_out_says_so_when_it_is_called() -> None:
    from libp2p.rcmgr.manager import ResourceManager

    with pytest.raises(LeftOut, match="ResourceManager: musigd runs without it"):
        ResourceManager()


def test_the_whole_library_is_there_for_who_asks_for_it() -> None:
    program = "import json, p2p, libp2p\nprint(json.dumps(str(libp2p.new_host().get_id())))"

    assert run("-c", program)


async def test_names_are_looked_up_as_by_the_library() -> None:
    from multiaddr.resolvers import DNSResolver  # type: ignore[import-untyped]  # without type information

    address = Multiaddr("/ip4/203.0.113.7/tcp/4327")

    def resolve() -> Any:
        trio: Any = __import__("trio")
        return trio.run(DNSResolver().resolve, address)

    assert DNSResolver is stand_ins.LateResolver
    assert await asyncio.to_thread(resolve) == [address]


def test_addresses_are_read_and_written_as_by_the_library_that_is_left_out() -> None:
    program = (
        "import json, netaddr, random\n"
        "from p2p.stand_ins import IpAddress as ours\n"
        "theirs, dice = netaddr.IPAddress, random.Random(1)\n"
        "assert theirs is not ours\n"
        "draw = lambda bits: dice.getrandbits(dice.choice((1, bits // 4, bits // 2, bits)))\n"
        "pairs = [(draw(32 if v == 4 else 128), v) for v in (4, 6) for _ in range(2000)]\n"
        "pairs += [(0xFFFF01020304, 6), (0x01020304, 6), (0xFFFF, 6), (1 << 120, 6)]\n"
        "for number, v in pairs:\n"
        "    assert str(ours(number, v)) == str(theirs(number, v)), number\n"
        "    assert ours(str(theirs(number, v)), v).packed == theirs(number, v).packed, number\n"
        "print(json.dumps(len(pairs)))"
    )

    assert run("-c", program) == 4004
    with pytest.raises(ValueError, match="not an address of IP version 4"):
        stand_ins.IpAddress("1.2.3", 4)


def test_a_peer_with_an_rsa_key_is_refused_before_its_key_is_read() -> None:
    identity = PublicKeyMessage(key_type=KeyType.RSA.value, data=bytes(64)).SerializeToString()

    with pytest.raises(MissingDeserializerError):
        deserialize_public_key(identity)


async def everything() -> list[str]:
    """All that the daemon asks of its network, between three nodes; what was done."""
    wide: Any = {"listen": ("/ip4/0.0.0.0/tcp/0",), "private_addresses": True}
    async with network() as anna, network() as bob, network(**wide) as carl:
        await anna.meet(bob)
        await bob.connect(f"/ip4/127.0.0.1/tcp/{_port(carl.multiaddrs()[0])}/p2p/{carl.peer_text}")
        await identified(anna, bob, carl)
        return [name async for name in _steps(anna, bob)]


def _port(address: str) -> str:
    return address.partition("/tcp/")[2].partition("/")[0]


async def _steps(anna: Any, bob: Any) -> Any:
    signer = Signer()
    record = signer.advertise()

    async def stored() -> Any:
        return await anna.dht_put(signer.key.pubkey, record.envelope)

    await eventually(stored)
    assert await bob.dht_get(signer.key.pubkey) == record.envelope
    yield "dht"
    await anna.provide(b"spend")
    await eventually(lambda: bob.find_providers(b"spend"))
    yield "providers"
    assert await anna.ask(bob.peer, b"abc", 30_000) == b"cba"
    yield "ask"
    for node in (anna, bob):
        await node.follow(frozenset({TOPIC}))

    async def heard() -> bool:
        return bool(await anna.publish(TOPIC, record.envelope) and bob.sink.gossip)

    await eventually(heard)
    yield "gossip"
    from musig2.protocol.wire.frame_codec import encode_frame
    from musig2.protocol.wire.frames import Have

    assert anna.send(bob.peer, [encode_frame(Have(bytes(32), 1, b"", b"", b""))])
    await bob.sink.until(lambda: bob.sink.frames)
    yield "frames"
    bob.set_ban(anna.peer, 2**62)
    await bob.sink.until(lambda: not bob.connected(anna.peer))
    yield "ban"
    assert (await bob.stats()).restarts == 0
    yield "stats"


if __name__ == "__main__":
    print(json.dumps({"did": asyncio.run(everything()), "reached": REACHED}))
