"""Daemons behind routers that run miniupnpd: mapped, dialled from outside without any relay, and what may go wrong.

python -m tests.namespaces.slow_upnp [SCENARIO ...] prints seconds; without a scenario, all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from tests.e2e.fleet import advertise_all
from tests.e2e.steps import Steps
from tests.e2e.vessels import Vessel
from tests.namespaces.homes import LAN, Internet, Nat
from tests.namespaces.lab import NoLab, run
from tests.namespaces.slow_nat import info, until, vessel, way_to
from tests.namespaces.upnp_router import UpnpRouter, miniupnpd

PORT: Final = 4_327
AGAIN_S: Final = 200.0  # it is looked and searched every minute


ASK_BY_PCP: Final = """
import sys, trio
from p2p.port_mapping.natpmp.gateway import PcpGateway
from p2p.port_mapping.natpmp.messages import PORT
from p2p.port_mapping.upnp.search import default_gateways

async def ask(port, lease_s):
    gateway = PcpGateway(min(default_gateways()), PORT, b"musigd-tests")
    if lease_s:
        print(await gateway.add(port, port, lease_s), await gateway.external_address())
    else:
        print("ended", await gateway.delete(port, port))

trio.run(ask, *map(int, sys.argv[1:]))
"""


class Street:
    """Public daemons, and homes; everything ends with the block."""

    def __init__(self, root: Path, internet: Internet, stack: AsyncExitStack) -> None:
        self.root, self.internet, self._stack = root, internet, stack
        self.bootstrap: list[str] = []
        self.begun = time.monotonic()

    def lap(self, what: str) -> None:
        """Print the seconds since the last lap."""
        print(f"  {what:<64} {time.monotonic() - self.begun:6.2f} s", flush=True)
        self.begun = time.monotonic()

    async def public(self, name: str) -> Vessel:
        """A daemon with a public address, which is no relay."""
        address = self.internet.host(name.lower())
        made = await self._start(name, address=address)
        self.bootstrap.append(f"/ip4/{address}/tcp/{made.port}/p2p/{made.peer}")
        return made

    async def at_home(self, name: str, way: str = "upnp") -> Vessel:
        """A daemon in a home that was made; it asks the router, and takes no relay."""
        return await self._start(name, P2P__PORT_MAPPING=way, P2P__RELAY_CLIENT="never")

    async def _start(self, name: str, address: str = "0.0.0.0", **settings: str) -> Vessel:
        made = vessel(self.root, self.internet, name, address=address, **settings)
        made.port = PORT
        self._stack.push_async_callback(made.close)
        await made.start(self.bootstrap)
        await made.open_wallet()
        return made

    def router(self, *homes: str, version: int = 2, natpmp: bool = False) -> tuple[str, UpnpRouter]:
        """Its public address, and miniupnpd on it; behind it are machines of these names."""
        address = self.internet.router("router", Nat.CONE)
        lans = [self.internet.at_home(home.lower(), "router") for home in homes]
        made = UpnpRouter(self.root, self.internet, "router", lans, version, natpmp=natpmp)
        return address, self.upnp(made)

    def upnp(self, router: UpnpRouter) -> UpnpRouter:
        """Run it until the end."""
        self._stack.callback(router.stop)
        router.start()
        return router


async def mapping(home: Vessel) -> Mapping[str, Any]:
    told: Mapping[str, Any] = (await info(home))["reachability"]["portMapping"]
    return told


async def announces(home: Vessel, address: str) -> bool:
    found = await info(home)
    return found["reachability"]["verdict"] == "public" and any(
        text.startswith(f"/ip4/{address}/tcp/") for text in found["multiaddrs"]
    )


async def outside_in(street: Street, version: int = 2, way: str = "upnp", *, natpmp: bool = False) -> None:
    """Alice at home is dialled from outside, signs with who dialled her, and leaves no mapping when she stops."""
    await street.public("Hub")
    address, router = street.router("Alice", version=version, natpmp=natpmp)
    street.begun = time.monotonic()
    alice = await street.at_home("Alice", way)
    street.lap("alice has started")

    async def mapped() -> bool:
        return (await mapping(alice))["state"] == "mapped"

    await until("a mapping", mapped)
    street.lap("her port is mapped at the router")
    assert list(router.mapped()) == [PORT]
    await until("her public address", lambda: announces(alice, address))
    street.lap("one peer has dialled her back; her address is announced")
    print(f"  {(await mapping(alice))}", flush=True)
    doctor = await asyncio.to_thread(
        run, sys.executable, "-m", "daemon.main", "doctor", "--datadir", str(alice.datadir)
    )
    print("\n".join(f"  {line}" for line in doctor.splitlines() if "outside" in line), flush=True)
    assert f"{address}:{PORT} to port {PORT}" in doctor
    assert (await info(alice))["problems"] == []
    bob = await street.public("Bob")
    street.begun = time.monotonic()
    await bob.wallet.call("connectPeer", multiaddr=f"/ip4/{address}/tcp/{PORT}/p2p/{alice.peer}")
    street.lap("bob, outside, has dialled her through the mapping")
    for peer in (await bob.wallet.call("listPeers"))["peers"]:
        if peer["peerId"] == alice.peer:
            assert (peer["direction"], peer.get("relay")) == ("outbound", None)
    await advertise_all([alice.wallet, bob.wallet], "lotus")
    street.lap("both have advertised, and found the other")
    steps = Steps([alice.wallet, bob.wallet], autoAdvance=True)
    await steps.announce()
    await steps.join()
    await steps.final()
    street.lap(f"signed ({await way_to(bob, alice)})")
    assert await way_to(bob, alice) == "direct"
    alice.send(signal.SIGTERM)
    assert await alice.ended() == 0
    assert router.mapped() == {}
    street.lap("alice has stopped, and the router has no mapping left")


async def by_pcp(street: Street) -> None:
    """PCP alone, which a daemon asks for only where the router does not know NAT-PMP: mapped, and ended."""
    _, router = street.router("Alice", natpmp=True)
    told = []
    for lease_s in (600, 0):
        asked = run(*street.internet.within("alice"), sys.executable, "-c", ASK_BY_PCP, str(PORT), str(lease_s))
        print(f"  {asked.strip()}", flush=True)
        told.append(router.mapped())
    assert list(told[0]) == [PORT]
    assert told[1] == {}
    street.lap("mapped and ended by PCP")


async def restarts(street: Street, way: str = "upnp", *, natpmp: bool = False) -> None:
    """The router restarts without its table, later it is switched off for good."""
    await street.public("Hub")
    address, router = street.router("Alice", natpmp=natpmp)
    alice = await street.at_home("Alice", way)
    await until("her public address", lambda: announces(alice, address))
    begun = time.monotonic()

    async def has_run_for_a_while() -> bool:  # by NAT-PMP, a restart shows in how long the router has run
        return time.monotonic() - begun > 10.0

    await until("a router that has run for a while", has_run_for_a_while)
    router.stop()
    router.start()
    assert router.mapped() == {}
    street.begun = time.monotonic()

    async def again() -> bool:
        return PORT in router.mapped()

    await until("the mapping again", again, AGAIN_S)
    street.lap("mapped again after the router had restarted")


async def moves(street: Street) -> None:
    """Alice takes her machine to another home, where the router knows UPnP too."""
    await street.public("Hub")
    address, _ = street.router("Alice")
    alice = await street.at_home("Alice")
    await until("her public address", lambda: announces(alice, address))
    other = street.internet.router("r-other", Nat.CONE)
    street.begun = time.monotonic()
    lan = street.internet.at_home("alice", "r-other")
    street.upnp(UpnpRouter(street.root, street.internet, "r-other", [lan]))
    await until("her new public address", lambda: announces(alice, other), AGAIN_S)
    street.lap("mapped and announced at the other home")
    assert not await announces(alice, address)


async def two_at_home(street: Street) -> None:
    """Two machines at one home, both at the same port: the second gets another one."""
    await street.public("Hub")
    address, router = street.router("Alice", "Anna")
    for home in [await street.at_home(name) for name in ("Alice", "Anna")]:
        await until("a public address", lambda home=home: announces(home, address))
    print(f"  {address}: {router.mapped()}", flush=True)
    assert len(router.mapped()) == 2
    assert PORT in router.mapped()
    street.lap("both are reachable at one address")


async def behind_two(street: Street) -> None:
    """The router is itself behind another one, which maps nothing: the owner hears so."""
    await street.public("Hub")
    street.internet.router("r-outer", Nat.CONE)
    street.internet.inner_router("r-inner", "r-outer")
    lan = street.internet.at_home("alice", "r-inner")
    street.upnp(UpnpRouter(street.root, street.internet, "r-inner", [lan], wan=LAN))
    alice = await street.at_home("Alice")

    async def told() -> str | None:
        for each in (await info(alice))["problems"]:
            if each["reason"] == "double_nat":
                return str(each["remedy"])
        return None

    print(f"  {await until('the problem', told)}", flush=True)
    street.lap("a router behind another is told as such")


async def no_upnp(street: Street) -> None:
    """A router without UPnP: the owner hears so, and UPnP that is switched on later is found."""
    await street.public("Hub")
    address, router = street.router("Alice")
    router.stop()
    alice = await street.at_home("Alice")

    async def told() -> str | None:
        for each in (await info(alice))["problems"]:
            if each["reason"] == "no_gateway":
                return str(each["remedy"])
        return None

    street.begun = time.monotonic()
    print(f"  {await until('the problem', told)}", flush=True)
    street.lap("a router without UPnP is told as such")
    router.start()
    await until("her public address", lambda: announces(alice, address), AGAIN_S)
    street.lap("found after it was switched on")


SCENARIOS: Final[dict[str, Callable[[Street], Awaitable[None]]]] = {
    "version-2": lambda street: outside_in(street, 2),
    "version-1": lambda street: outside_in(street, 1),
    "natpmp": lambda street: outside_in(street, way="natpmp", natpmp=True),
    "pcp": by_pcp,
    "auto": lambda street: outside_in(street, way="auto"),
    "moves": moves,
    "two-at-home": two_at_home,
    "behind-two": behind_two,
    "no-upnp": no_upnp,
    "restarts": restarts,
    "restarts-natpmp": lambda street: restarts(street, "auto", natpmp=True),
}


async def play(name: str) -> None:
    print(f"{name}:", flush=True)
    with tempfile.TemporaryDirectory() as folder, Internet() as internet:
        async with AsyncExitStack() as stack:
            await SCENARIOS[name](Street(Path(folder), internet, stack))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help=", ".join(SCENARIOS))
    try:
        miniupnpd()
        for name in parser.parse_args().scenarios or SCENARIOS:
            asyncio.run(play(name))
    except NoLab as error:
        print(f"make test-upnp cannot run here: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
