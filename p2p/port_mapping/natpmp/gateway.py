"""A router that maps ports by NAT-PMP, or by PCP, which is asked where the router does not speak the former.

Neither has a question for what is mapped. Each answer has the seconds since when the router knows its mappings: where
they are fewer than they should be, it has restarted, and what was mapped is gone (RFC 6886 section 3.6).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Final, Literal

import trio

from p2p.port_mapping.natpmp.messages import (
    MOST_BYTES,
    OTHER_VERSION,
    PORT,
    TCP_BY_PMP,
    Said,
    pcp_answer,
    pcp_request,
    pmp_address_request,
    pmp_answer,
    pmp_map_request,
)
from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, Granted, PortEntry
from p2p.ports import MappingFault

WAITS_S: Final = (0.25, 0.5, 1.0)  # after each time that a question is sent
MOST_DATAGRAMS: Final = 32  # after each time: others are not read
LONGEST_S: Final = 86_400  # of a lease that a router says
SHORTEST_S: Final = 120
SLACK_S: Final = 2
PMP_REFUSALS: Final = {
    2: "it may not do that: allow NAT-PMP in the router",
    3: "it has no connection",
    4: "its table is full",
    5: "it does not know this request",
}
PCP_REFUSALS: Final = {
    2: "it may not do that: allow PCP in the router",
    4: "it does not know this request",
    7: "it has no connection",
    8: "its table is full",
    9: "it maps no TCP ports",
    10: "this machine has too many mappings",
    11: "it has no such port",
    12: "it sees this machine at another address: there is another router between them",
}
REMEDY: Final = "Switch it on in the router, and let the firewall of this machine pass UDP from the router's port 5351"


class PmpGateway:
    """NAT-PMP, as `Router`. Raises GatewayRefused and BadAnswer."""

    protocol: Literal["nat-pmp", "pcp"] = "nat-pmp"
    chooses_ports = False  # it does so without being asked

    def __init__(self, host: str, port: int = PORT) -> None:
        self.host = host
        self.own_host = _own_host(host, port)
        self._place = (host, port)
        self._mapped: dict[int, int] = {}  # external port -> port
        self._epoch: tuple[int, float] | None = None  # what the router said, and when

    async def ask_address(self) -> Said:
        """Its address on the other side, or why there is none."""
        return await self._ask(pmp_address_request(), lambda data: pmp_answer(data, 0))

    async def external_address(self) -> str:
        """Its address on the other side; "" if it has none."""
        said = await self.ask_address()
        self._require(said, "address")
        return said.address

    async def entry(self, external: int) -> PortEntry | None:
        """Who has that port: this machine, as far as the router has not restarted; None: nobody is known."""
        if external in self._mapped:
            await self._look()
        port = self._mapped.get(external)
        return None if port is None else PortEntry(self.own_host, port)

    async def add(self, external: int, port: int, lease_s: int) -> Granted:
        """Map `external`, or a port of the router's choice, to `port` of this machine; renews an own one."""
        said = await self._map(external, port, lease_s)
        self._require(said, "map")
        if not said.external or not said.lease_s:
            raise BadAnswer("it says no port that it has mapped")
        self._mapped[said.external] = port
        return Granted(said.external, max(SHORTEST_S, min(said.lease_s, LONGEST_S)))

    async def add_any(self, external: int, port: int, lease_s: int) -> Granted:
        """The same."""
        return await self.add(external, port, lease_s)

    async def delete(self, external: int, port: int) -> None:
        """End a mapping; one that is not there is fine."""
        self._require(await self._map(0, port, 0), "end")
        self._mapped.pop(external, None)

    async def _look(self) -> None:
        await self.ask_address()

    async def _map(self, external: int, port: int, lease_s: int) -> Said:
        def answer(data: bytes) -> Said:
            said = pmp_answer(data, TCP_BY_PMP)
            if said.result == 0 and said.port != port:
                raise BadAnswer("an answer is of another mapping")
            return said

        return await self._ask(pmp_map_request(port, external, lease_s), answer)

    def _require(self, said: Said, action: str) -> None:
        if said.result:
            raise GatewayRefused(action, said.result, self._why(said.result))

    def _why(self, result: int) -> str:
        return PMP_REFUSALS.get(result, "it refused")

    async def _ask(self, request: bytes, answer: Callable[[bytes], Said]) -> Said:
        """Send until a datagram is the answer; others are passed by. Raises BadAnswer."""
        try:
            with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
                await asker.connect(self._place)  # takes nothing from anybody else
                for wait_s in WAITS_S:
                    await asker.send(request)
                    with trio.move_on_after(wait_s):
                        said = await _first(asker, answer)
                        self._heed(said)
                        return said
        except OSError as error:  # nobody listens there, or the network is gone
            raise BadAnswer("it does not take the question") from error
        raise BadAnswer("it does not answer")

    def _heed(self, said: Said) -> None:
        """Forget what was mapped if the router has: its count is behind what it was, and the time since then.

        RFC 6886 allows clocks that are an eighth slow, and would not see a router that restarts twice in a minute. A
        wrong alarm costs one request.
        """
        if said.result == OTHER_VERSION:
            return
        now_s, before = trio.current_time(), self._epoch
        self._epoch = said.epoch_s, now_s
        if before is not None and said.epoch_s + SLACK_S < before[0] + (now_s - before[1]) * 63 / 64:
            self._mapped.clear()


class PcpGateway(PmpGateway):
    """PCP, in the same terms. `nonce`: shows that a mapping is this node's, also after it has started anew."""

    protocol = "pcp"

    def __init__(self, host: str, port: int, nonce: bytes) -> None:
        super().__init__(host, port)
        self._nonce = nonce
        self._address = ""

    async def announce(self) -> Said:
        """Whether it is there."""
        return await self._ask(pcp_request(self.own_host), pcp_answer)

    async def external_address(self) -> str:
        """The one that it said with a mapping."""
        return self._address

    async def _look(self) -> None:
        await self.announce()

    async def _map(self, external: int, port: int, lease_s: int) -> Said:
        request = pcp_request(self.own_host, lease_s, (self._nonce, port, external))
        said = await self._ask(request, lambda data: pcp_answer(data, (self._nonce, port)))
        self._address = said.address or self._address
        return said

    def _why(self, result: int) -> str:
        return PCP_REFUSALS.get(result, "it refused")


async def find_pmp_gateway(places: Iterable[tuple[str, int]], nonce: bytes) -> PmpGateway:
    """The first that answers. Raises GatewayFault."""
    faults: list[GatewayFault] = []
    for host, port in places:
        try:
            return await _answering(host, port, nonce)
        except GatewayFault as fault:
            faults.append(fault)
        except (BadAnswer, OSError):
            continue
    if faults:
        raise faults[0]
    raise GatewayFault(MappingFault.NO_GATEWAY, f"No router answered by NAT-PMP or PCP. {REMEDY}.")


async def _answering(host: str, port: int, nonce: bytes) -> PmpGateway:
    gateway = PmpGateway(host, port)
    try:
        said = await gateway.ask_address()
    except BadAnswer:
        said = Said(OTHER_VERSION, 0)
    if said.result == OTHER_VERSION:
        other = PcpGateway(host, port, nonce)
        said = await other.announce()
        gateway = other
    if said.result:
        why = f"The router {host} answers by {gateway.protocol}, but {gateway._why(said.result)}."
        raise GatewayFault(MappingFault.REFUSED, why)
    if gateway.protocol == PmpGateway.protocol and not said.address:
        raise GatewayFault(MappingFault.DOUBLE_NAT, f"The router {host} says no address of its own on the internet.")
    return gateway


async def _first(asker: trio.socket.SocketType, answer: Callable[[bytes], Said]) -> Said:
    for _ in range(MOST_DATAGRAMS):
        try:
            return answer(await asker.recv(MOST_BYTES))
        except BadAnswer:
            continue
    await trio.sleep_forever()
    raise AssertionError("nothing wakes it")


def _own_host(host: str, port: int) -> str:
    """The address from which this machine asks there. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))
        return str(probe.getsockname()[0])
