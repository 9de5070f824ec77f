"""Two daemons behind routers, relays outside: they find each other and sign, whatever happens to the ways between them.

python -m tests.namespaces.slow_nat [SCENARIO ...] prints seconds; without a scenario, all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from daemon.demo.wallet import Wallet
from tests.e2e.fleet import advertise_all
from tests.e2e.steps import Steps
from tests.e2e.vessels import Vessel
from tests.namespaces.homes import Internet, Nat
from tests.namespaces.lab import NoLab

PATIENCE_S: Final = 120.0
LOOK_S: Final = 0.1


@dataclass
class World:
    """Who is there, and when it began. `relays` are public daemons; `alice` and `bob` are at home."""

    internet: Internet
    relays: list[Vessel]
    alice: Vessel
    bob: Vessel
    begun: float = field(default_factory=time.monotonic)

    @property
    def wallets(self) -> list[Wallet]:
        return [self.alice.wallet, self.bob.wallet]

    def lap(self, what: str) -> float:
        """Print and return the seconds since the last lap."""
        seconds, self.begun = time.monotonic() - self.begun, time.monotonic()
        print(f"  {what:<64} {seconds:6.2f} s", flush=True)
        return seconds


async def until(what: str, check: Callable[[], Awaitable[Any]], patience_s: float = PATIENCE_S) -> Any:
    """The first true answer of `check`."""
    try:
        async with asyncio.timeout(patience_s):
            while not (answer := await check()):  # noqa: ASYNC110 - several daemons are asked; none of them tells
                await asyncio.sleep(LOOK_S)
            return answer
    except TimeoutError:
        raise AssertionError(f"after {patience_s} s still not: {what}") from None


async def info(vessel: Vessel) -> Mapping[str, Any]:
    told: Mapping[str, Any] = await vessel.wallet.call("getInfo")
    return told


async def has_relays(vessel: Vessel, count: int) -> bool:
    return len((await info(vessel))["reachability"]["relays"]) >= count


async def way_to(one: Vessel, other: Vessel) -> str | None:
    """ "relayed" or "direct"; None if they are not connected."""
    for peer in (await one.wallet.call("listPeers"))["peers"]:
        if peer["peerId"] == other.peer:
            return "relayed" if peer.get("relay") else "direct"
    return None


def vessel(root: Path, internet: Internet, name: str, address: str = "0.0.0.0", **settings: str) -> Vessel:
    made = Vessel(root, name, "lab", address=address, within=internet.within(name.lower()))
    made.environment |= {f"MUSIGD_{key}": value for key, value in settings.items()}
    return made


@asynccontextmanager
async def world(
    root: Path, nats: tuple[Nat, Nat], *, relays: int = 2, mtu: int = 1500, loss: int = 0
) -> AsyncIterator[World]:
    """All started, alice and bob have keys that the other has found."""
    with Internet(mtu) as internet:
        made: list[Vessel] = []
        names = [f"relay{number}" for number in range(1, relays + 1)]
        addresses = {name: internet.host(name) for name in names}
        internet.router("router1", nats[0])
        internet.router("router2", nats[1])
        internet.at_home("alice", "router1")
        internet.at_home("bob", "router2")
        if loss:
            internet.lose(loss, *names, "alice", "bob")
        try:
            bootstrap: list[str] = []
            for name in names:
                made.append(vessel(root, internet, name, address=addresses[name], P2P__RELAY_SERVICE="true"))
                await made[-1].start(bootstrap)
                bootstrap.append(f"/ip4/{addresses[name]}/tcp/{made[-1].port}/p2p/{made[-1].peer}")
                await made[-1].open_wallet()
            homes = [vessel(root, internet, name) for name in ("Alice", "Bob")]
            made += homes
            place = World(internet, made[:relays], homes[0], homes[1])
            await asyncio.gather(*(home.start(bootstrap) for home in homes))
            for home in homes:
                await home.open_wallet()
            place.lap("both at home have started")
            for home in homes:
                await until("a relay for each", lambda home=home: has_relays(home, min(2, relays)))
            place.lap("both know that nobody can dial them, and have their relays")
            await advertise_all(place.wallets, "lotus")
            place.lap("both have advertised, and found the other")
            yield place
        finally:
            await asyncio.gather(*(each.close() for each in made))


async def sign(place: World, what: str) -> None:
    """One session from the request to the signature at both, in its first attempt."""
    place.begun = time.monotonic()
    steps = Steps(place.wallets, autoAdvance=True)
    await steps.announce()
    await steps.join()
    await steps.final()
    assert await steps.attempts() == [1, 1], "it took another attempt"
    way = await way_to(place.alice, place.bob)
    place.lap(f"{what} ({way})")


async def meet(place: World) -> None:
    await sign(place, "signed at first sight")
    assert await way_to(place.alice, place.bob) is not None


async def become_direct(place: World) -> None:
    """Where the routers allow it, the connection through the relay is replaced, while requests are signed."""

    async def direct() -> bool:
        return await way_to(place.alice, place.bob) == await way_to(place.bob, place.alice) == "direct"

    await until("a direct connection", direct)
    place.lap("connected directly")
    await sign(place, "signed again")


async def relay_dies(place: World) -> None:
    """Kill the relay between them when all nonces are there."""
    steps = Steps(place.wallets)
    await steps.all_nonces()
    peers = (await place.alice.wallet.call("listPeers"))["peers"]
    used = next((peer.get("relay") for peer in peers if peer["peerId"] == place.bob.peer), None)
    killed = next((relay for relay in place.relays if relay.peer == used), place.relays[0])
    place.begun = time.monotonic()
    await killed.kill()
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1]
    place.lap(f"signed after the relay between them was killed ({await way_to(place.alice, place.bob)})")


async def alice_moves(place: World) -> None:
    """Alice goes to another network when all nonces are there, as a phone that leaves the house."""
    place.internet.router("router3", Nat.CONE)
    steps = Steps(place.wallets)
    await steps.all_nonces()
    place.begun = time.monotonic()
    place.internet.at_home("alice", "router3")
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1]
    place.lap(f"signed after alice had moved ({await way_to(place.bob, place.alice)})")
    await until("new relays", lambda: has_relays(place.alice, 1))
    place.lap("alice has relays again")


async def all_are_lost(place: World) -> None:
    """Every relay is killed and comes back: how long until a session is signed again."""
    for relay in place.relays:
        await relay.kill()

    async def says_so() -> bool:
        return any(each["reason"] == "no_peers" for each in (await info(place.alice))["problems"])

    place.begun = time.monotonic()
    await until("alice says that she is alone", says_so)
    place.lap("alone, and alice says so")
    for relay in place.relays:
        await relay.start()
    place.begun = time.monotonic()
    for home in (place.alice, place.bob):
        await until("relays again", lambda home=home: has_relays(home, 1))
    place.lap("found back after the relays came back")
    await sign(place, "signed again")


Scenario = Callable[[World], Awaitable[None]]
SCENARIOS: Final[dict[str, tuple[dict[str, Any], tuple[Scenario, ...]]]] = {
    "cone": ({"nats": (Nat.CONE, Nat.CONE)}, (meet, become_direct)),
    "symmetric": ({"nats": (Nat.SYMMETRIC, Nat.SYMMETRIC)}, (meet, meet)),
    "mixed": ({"nats": (Nat.CONE, Nat.SYMMETRIC)}, (meet, meet)),
    "relay-killed": ({"nats": (Nat.SYMMETRIC, Nat.SYMMETRIC)}, (meet, relay_dies)),
    "moved": ({"nats": (Nat.SYMMETRIC, Nat.SYMMETRIC)}, (meet, alice_moves)),
    "loss": ({"nats": (Nat.CONE, Nat.SYMMETRIC), "loss": 20}, (meet, meet)),
    "mtu": ({"nats": (Nat.CONE, Nat.SYMMETRIC), "mtu": 1280}, (meet, meet)),
    "alone": ({"nats": (Nat.SYMMETRIC, Nat.SYMMETRIC)}, (meet, all_are_lost)),
}


async def play(name: str) -> None:
    made, scenarios = SCENARIOS[name]
    print(f"{name}:", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder), **made) as place:
            for scenario in scenarios:
                await scenario(place)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help=", ".join(SCENARIOS))
    try:
        for name in parser.parse_args().scenarios or SCENARIOS:
            asyncio.run(play(name))
    except NoLab as error:
        print(f"make test-namespaces cannot run here: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
