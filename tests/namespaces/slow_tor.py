"""A daemon behind a SOCKS5 proxy, on a machine of its own: every packet that leaves it goes to the proxy.

python -m tests.namespaces.slow_tor

Four machines: the daemon that is watched, the proxy that plays Tor, a daemon without proxy, and another one behind it.
They find each other, by onion address and by a name that only the proxy knows, and sign. What would go past the proxy
has a way out: there is a default route and a name server, and at the end one look-up is made to show that it is seen.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.fleet import advertise_all, sign
from tests.e2e.vessels import Vessel
from tests.namespaces.lab import Lab, NoLab, run
from tests.p2p.ways.tor_world import an_onion

HIDDEN, TOR, OPEN, OTHER = range(4)
PROXY_PORT = 9050
KERNEL = {"arp", "icmp6"}  # neighbours, and groups of multicast: of the kernel, which knows nothing of the daemon
LOOK_UP = "import socket\ntry: socket.getaddrinfo('leak.example', 1)\nexcept OSError: pass"


class Helper:
    """A program of `tests.namespaces.machine` on a machine."""

    def __init__(self, lab: Lab, machine: int, *arguments: str) -> None:
        self._command = [*lab.within(machine), sys.executable, "-m", "tests.namespaces.machine", *arguments]

    async def start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def told(self) -> list[list[object]]:
        """What it has seen; it ends."""
        said, _ = await self._process.communicate(b"")
        found: list[list[object]] = json.loads(said)
        return found


def past_the_proxy(seen: Sequence[Sequence[object]], port: int) -> list[Sequence[object]]:
    """What neither goes to the proxy's port nor answers from the daemon's own to whom the proxy lets in."""
    proxy = Lab.address(TOR)
    found = []
    for flow in seen:
        _, protocol, target, source_port, target_port, _ = flow
        to_proxy = protocol == "tcp" and target == proxy and (target_port == PROXY_PORT or source_port == port)
        if not to_proxy and protocol not in KERNEL:
            found.append(flow)
    return found


def prepare(lab: Lab) -> Path:
    """Give the watched machine a way past the proxy; what to remove afterwards."""
    machine = lab.machines[HIDDEN]
    run("ip", "-n", machine, "route", "add", "default", "via", lab.address(OPEN))
    folder = Path("/etc/netns") / machine
    folder.mkdir(parents=True)
    (folder / "resolv.conf").write_text(f"nameserver {lab.address(OPEN)}\noptions timeout:1 attempts:1\n")
    return folder


async def play(lab: Lab, root: Path) -> None:
    made = [
        Vessel(root, name, "lab", address=lab.address(index), within=lab.within(index))
        for index, name in ((HIDDEN, "Hidden"), (OPEN, "Open"), (OTHER, "Other"))
    ]
    hidden, visible, other = made
    places = [f"open.example:4327={lab.address(OPEN)}:{visible.port}"]
    for vessel, index in ((hidden, HIDDEN), (other, OTHER)):
        onion = an_onion()
        places.append(f"{onion}.onion:4327={lab.address(index)}:{vessel.port}")
        vessel.environment["MUSIGD_P2P__SOCKS5"] = f"{lab.address(TOR)}:{PROXY_PORT}"
        vessel.environment["MUSIGD_P2P__ANNOUNCE"] = f"/onion3/{onion}:4327"
        vessel.environment["MUSIGD_P2P__MDNS"] = "true"  # which the proxy switches off
    visible.environment["MUSIGD_P2P__PRIVATE_ADDRESSES"] = "true"
    tor = Helper(lab, TOR, "proxy", lab.address(TOR), str(PROXY_PORT), *places)
    watch = Helper(lab, HIDDEN, "packets")
    try:
        await tor.start()
        await watch.start()
        await visible.start()
        await hidden.start([f"/dns4/open.example/tcp/4327/p2p/{visible.peer}"])
        await other.start([hidden.multiaddr])
        wallets = [await vessel.open_wallet() for vessel in made]
        await advertise_all(wallets, "lotus")
        for _ in range(3):
            await sign(wallets)
        asked = wallets[0].call("createWebhook", url="https://leak.example/")
        assert "p2p.socks5" in str((await asyncio.gather(asked, return_exceptions=True))[0])
        unknown = f"/dns4/leak.example/tcp/1/p2p/{other.peer}"
        await asyncio.gather(wallets[0].call("connectPeer", multiaddr=unknown), return_exceptions=True)
    finally:
        await asyncio.gather(*(vessel.close() for vessel in made))
    seen = await watch.told()
    asked_for = await tor.told()
    leaks = past_the_proxy(seen, hidden.port)
    assert leaks == [], f"past the proxy: {leaks}"
    packets = sum(int(str(flow[-1])) for flow in seen if flow[1] == "tcp")
    assert packets > 100, "the daemon has talked"
    print(f"{packets} packets left the machine, all of them to the proxy or in answer to it; it was asked for:")
    print("  " + "\n  ".join(map(str, asked_for)))


async def prove_that_a_leak_is_seen(lab: Lab) -> None:
    watch = Helper(lab, HIDDEN, "packets")
    await watch.start()
    run(*lab.within(HIDDEN), sys.executable, "-c", LOOK_UP)
    seen = past_the_proxy(await watch.told(), 0)
    assert any(flow[1:3] == ["udp", lab.address(OPEN)] and flow[4] == 53 for flow in seen), seen
    print("A look-up of a name past the proxy, made to try it, was seen.")


def main() -> int:
    try:
        with Lab(4) as lab, tempfile.TemporaryDirectory() as folder:
            extra = prepare(lab)
            try:
                asyncio.run(play(lab, Path(folder)))
                asyncio.run(prove_that_a_leak_is_seen(lab))
            finally:
                shutil.rmtree(extra)
    except NoLab as error:
        print(f"make test-tor cannot run here: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
