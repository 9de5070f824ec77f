"""Keeps this node's ports mapped at the router, for as long as it runs.

searching --- a router is found, and all ports are mapped ---> mapped
mapped    --- every minute: the router still has them, else they are mapped again; renewed at half of the lease
any       --- the router is gone, or refuses ---> failed; again after 1 minute, twice as long each time, 30 at most
any       --- addresses of this host changed (p2p/node/moves.py) ---> searching
end       the mappings are deleted, also those of an earlier router or address; after a crash they end by themselves,
          where the router knows leases
"""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import trio

from p2p.addresses import is_global
from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, Granted, PortEntry, Router
from p2p.ports import MappedPort, MappingFault, MappingState, PortMapping

log = logging.getLogger(__name__)
LEASE_S: Final = 3_600
LOOK_S: Final = 60.0
AGAIN_S, MOST_AGAIN_S = 60.0, 1_800.0
ROUND_S: Final = 60.0  # all that is asked of a router at a time
END_S: Final = 2.0
TRIES: Final = 8  # external ports, until one is free
LOWEST_PORT: Final = 1_024  # of external ports: others are not dialled back
LOWEST_CHOSEN: Final = 20_000
# Codes of UPnP, which no other protocol has.
ONLY_PERMANENT, INVALID = 725, 402  # both are answers to a lease
TAKEN: Final = (718, 729, 501)  # the last is what some routers say instead
SAME_PORT: Final = 724
OF_OTHERS: Final = "other machines have the ports that were asked for"
UNKNOWN: Final = PortEntry("", 0)


@dataclass(slots=True)
class _Held:
    external: int
    since_s: float
    lease_s: int


@dataclass(slots=True)
class _Made:
    """What a router may have mapped for this node: where it leads, and until when."""

    router: Router
    entry: PortEntry
    until_s: float


class PortMappings:
    """Belongs to the trio side of one life. `changed()` is called when `report` is another one than before."""

    def __init__(
        self,
        find: Callable[[], Awaitable[Router]],
        ports: Callable[[], Iterable[int]],
        changed: Callable[[], None],
        clock_ms: Callable[[], int],
        *,
        private_addresses: bool,
    ) -> None:
        """`find` raises GatewayFault; `ports`: those on which this node listens."""
        self._find, self._ports, self._changed, self._clock_ms = find, ports, changed, clock_ms
        self._private_addresses = private_addresses
        self._router: Router | None = None
        self._lease_s = LEASE_S
        self._held: dict[int, _Held] = {}
        self._externals: dict[int, int] = {}  # the last external port of each port, asked for again
        self._made: dict[tuple[str, int], _Made] = {}  # by the router's host and the external port
        self._wake = trio.Event()
        self._stale = False
        self._scope = trio.CancelScope()
        self.report = PortMapping()

    def moved(self) -> None:
        """This host has other addresses than before."""
        self._stale = True
        self._wake.set()

    async def run(self) -> None:
        """Map the ports and keep them so, until `end`."""
        failures = 0
        with self._scope:
            while True:
                self._wake = trio.Event()
                try:
                    with trio.fail_after(ROUND_S):
                        await self._round()
                    failures, pause_s = 0, LOOK_S
                except (GatewayFault, BadAnswer, GatewayRefused, trio.TooSlowError) as error:
                    self._failed(error)
                    pause_s = min(AGAIN_S * 2**failures, MOST_AGAIN_S)
                    failures = min(failures + 1, 10)
                with trio.move_on_after(pause_s):
                    await self._wake.wait()

    async def end(self) -> None:
        """Delete what is mapped, within two seconds."""
        self._scope.cancel()
        with trio.CancelScope(shield=True), trio.move_on_after(END_S):
            async with trio.open_nursery() as nursery:
                for (_, external), made in self._made.items():
                    nursery.start_soon(_delete, made.router, external, made.entry.port)
        self._made.clear()

    async def _round(self) -> None:
        if self._stale:
            self._forget_router()
        known = self._router is not None
        try:
            await self._map_all()
        except (BadAnswer, GatewayRefused):
            if not known:
                raise
            self._forget_router()  # it may have restarted, and answer at another port of its own
            await self._map_all()

    async def _map_all(self) -> None:
        if self._router is None:
            self._router = await self._find()
            self._owe_to(self._router)
        for port in self._ports():
            await self._keep(self._router, port)
        self._tell(self._router, await self._router.external_address())

    def _forget_router(self) -> None:
        self._router, self._lease_s, self._stale = None, LEASE_S, False
        self._held.clear()

    def _owe_to(self, router: Router) -> None:
        """What is mapped there is ended there, wherever it answers now; what has ended by itself is forgotten."""
        now = trio.current_time()
        self._made = {place: made for place, made in self._made.items() if made.until_s > now}
        for (host, _), made in self._made.items():
            if host == router.host:
                made.router = router

    async def _keep(self, router: Router, port: int) -> None:
        held = self._held.get(port)
        if held is not None and (not held.lease_s or trio.current_time() < held.since_s + held.lease_s / 2):
            who = await _holder(router, held.external)
            if who in (UNKNOWN, PortEntry(router.own_host, port)):
                return
            log.info("the router %s has forgotten port %d: it is mapped again", router.host, held.external)
        self._externals[port], lease_s = await self._add(router, port)
        self._held[port] = _Held(self._externals[port], trio.current_time(), lease_s)

    async def _add(self, router: Router, port: int) -> Granted:
        """Raises GatewayRefused, BadAnswer."""
        external = self._externals.get(port, port if port >= LOWEST_PORT else _some_port())
        for _ in range(TRIES):
            try:
                return await self._try(router, external, port)
            except GatewayRefused as error:
                last = error
                if error.code in (ONLY_PERMANENT, INVALID) and self._lease_s:
                    self._lease_s = 0
                elif error.code in TAKEN:
                    external = _some_port()
                elif error.code == SAME_PORT and external != port:
                    external = port
                else:
                    break
        raise last

    async def _try(self, router: Router, external: int, port: int) -> Granted:
        try:
            await self._free(router, external, port)
            return await self._ask_for(router, external, port)
        except GatewayRefused as error:
            if error.code not in TAKEN or not router.chooses_ports:
                raise
            granted = await router.add_any(external, port, self._lease_s)
            self._note(router, granted, port)
            return granted

    async def _free(self, router: Router, external: int, port: int) -> None:
        """Raises GatewayRefused if another machine has that port: some routers would give it to whoever asks last.

        What leads to an address that this machine had before is no other's, and is ended.
        """
        holder, made = await _holder(router, external), self._made.get((router.host, external))
        if holder in (None, UNKNOWN, PortEntry(router.own_host, port)):
            return
        if made is None or made.entry != holder:
            raise GatewayRefused("AddPortMapping", TAKEN[0], OF_OTHERS)
        try:
            await router.delete(external, holder.port)
        except GatewayRefused as error:  # many let only that address end it
            raise GatewayRefused("AddPortMapping", TAKEN[0], OF_OTHERS) from error
        del self._made[router.host, external]

    async def _ask_for(self, router: Router, external: int, port: int) -> Granted:
        before = self._made.pop((router.host, external), None)
        self._note(router, Granted(external, self._lease_s), port)  # the router may do it, and its answer not come
        try:
            granted = await router.add(external, port, self._lease_s)
        except GatewayRefused:
            del self._made[router.host, external]
            if before is not None:
                self._made[router.host, external] = before
            raise
        if granted.external != external:
            del self._made[router.host, external]
        self._note(router, granted, port)
        return granted

    def _note(self, router: Router, granted: Granted, port: int) -> None:
        until_s = trio.current_time() + granted.lease_s if granted.lease_s else float("inf")
        self._made[router.host, granted.external] = _Made(router, PortEntry(router.own_host, port), until_s)

    def _tell(self, router: Router, external_host: str) -> None:
        ports = tuple(MappedPort(port, held.external) for port, held in sorted(self._held.items()))
        ends = [held.since_s + held.lease_s for held in self._held.values() if held.lease_s]
        left_s = min(ends, default=0.0) - trio.current_time()
        report = PortMapping(
            MappingState.MAPPED,
            gateway=router.host,
            external_host=external_host or None,
            ports=ports,
            expires_ms=self._clock_ms() + int(left_s * 1000) if ends else None,
            protocol=router.protocol,
        )
        if external_host and not self._private_addresses and not is_global(external_host):
            report = _behind_another(report)
        if report.way != self.report.way:
            for port, external in ports:
                log.info("port %d is mapped: %s:%d, by %s", port, external_host or "?", external, router.host)
            if report.sentence:
                log.warning("%s", report.sentence)
        self._replace(report)

    def _failed(self, error: Exception) -> None:
        where = "" if self._router is None else f"The router {self._router.host}: "
        match error:
            case GatewayFault():
                kind, sentence = error.kind, str(error)
            case trio.TooSlowError():
                kind, sentence = MappingFault.REFUSED, f"{where}its answers take too long."
            case _:
                kind, sentence = MappingFault.REFUSED, f"{where}{error}."
        if sentence != self.report.sentence:
            log.warning("no port is mapped: %s", sentence)
        gateway = None if self._router is None else self._router.host
        self._forget_router()
        self._replace(PortMapping(MappingState.FAILED, gateway=gateway, fault=kind, sentence=sentence))

    def _replace(self, report: PortMapping) -> None:
        if report != self.report:
            self.report = report
            self._changed()


def _behind_another(report: PortMapping) -> PortMapping:
    sentence = (
        f"The router {report.gateway} has mapped the port, but its own address, {report.external_host}, is not of the "
        "open internet: there is another router, or one of the provider, behind it."
    )
    return dataclasses.replace(report, fault=MappingFault.DOUBLE_NAT, sentence=sentence)


async def _delete(router: Router, external: int, port: int) -> None:
    try:
        await router.delete(external, port)
    except (BadAnswer, GatewayRefused) as error:
        log.warning("port %d stays mapped at %s: %s", external, router.host, error)
    else:
        log.info("port %d is no longer mapped at %s", external, router.host)


async def _holder(router: Router, external: int) -> PortEntry | None:
    """Who has that port at the router: nobody, UNKNOWN where it does not tell."""
    try:
        return await router.entry(external)
    except (BadAnswer, GatewayRefused):
        return UNKNOWN


def _some_port() -> int:
    return LOWEST_CHOSEN + secrets.randbelow(40_000)
