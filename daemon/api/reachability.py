"""Whether others can dial this daemon: for `getInfo`, and what to do where they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from musig2.protocol.records.peers import peer_text
from p2p.ports import MappingFault, MappingState, PortMapping, Reach, Reachability
from rpc.models.node import InfoMappedPort, InfoPortMapping, InfoReachability

REMEDY = (
    "Forward the TCP port of p2p.listen on the router to this machine and name the public address in p2p.announce, or "
    "open the port in the firewall"
)

MAPPING_REMEDIES: Final = {
    MappingFault.NO_GATEWAY: "A container sees the router only in the network of its host. Or forward the port by "
    'hand, and set p2p.port_mapping = "off".',
    MappingFault.REFUSED: 'Allow it in the router, or forward the port by hand and set p2p.port_mapping = "off".',
    MappingFault.DOUBLE_NAT: "Forward the port in that one too, or put it into bridge mode; where it is the provider's "
    "(100.64.0.0/10), only relays or IPv6 help.",
}


def view(found: Reachability) -> InfoReachability:
    """The verdict, and how it was found out."""
    return InfoReachability(
        verdict=found.verdict.value,
        how=how(found),
        asked=found.asked,
        reached=found.reached,
        relays=tuple(map(peer_text, found.relays)),
        port_mapping=None if found.mapping is None else _mapping(found.mapping),
    )


def _mapping(told: PortMapping) -> InfoPortMapping:
    return InfoPortMapping(
        state=told.state.value,
        gateway=told.gateway,
        external_address=told.external_host,
        ports=tuple(InfoMappedPort(port=port, external_port=external) for port, external in told.ports),
        expires=told.expires_ms,
        error=told.sentence or None,
        protocol=told.protocol,
    )


def how(found: Reachability) -> str:
    """A sentence."""
    if found.proxied:
        return "This daemon dials through the proxy of p2p.socks5, so nobody is asked where it is."
    if not found.tested:
        return "This daemon listens on loopback only, so nobody is asked."
    if not found.asked:
        return "No peer has answered yet whether it can dial this daemon."
    return f"{found.reached} of {found.asked} peers in different networks that tried could dial this daemon."


def reach_problems(found: Reachability, *, relay_service: bool, relay_client: str) -> list[tuple[str, str]]:
    """(reason, remedy) where nobody can dial this daemon and there is no other way to it, or its proxy fails."""
    if found.proxy_fault is not None:
        return [
            ("proxy_unreachable", f"p2p.socks5: {found.proxy_fault}. Start it, or correct the setting and restart.")
        ]
    problems = [] if found.mapping is None else list(_mapping_problems(found, found.mapping))
    if found.verdict is not Reach.PRIVATE:
        return problems
    if not found.relays:
        relays = (
            'or set p2p.relay_client = "auto" to be reached through relays.'
            if relay_client == "never"
            else "or name a daemon with p2p.relay_service in p2p.bootstrap: no relay was found yet."
        )
        problems.append(("not_reachable", f"{how(found)} {REMEDY}, {_by_router(found)}{relays}"))
    if relay_service:
        problems.append(
            ("relay_not_reachable", f"p2p.relay_service is on, but {_lower(how(found))} {REMEDY}, or switch it off.")
        )
    return problems


def _by_router(found: Reachability) -> str:
    return 'or let the router open it (p2p.port_mapping = "auto"), ' if found.mapping is None else ""


def _mapping_problems(found: Reachability, told: PortMapping) -> Iterator[tuple[str, str]]:
    """Of a router that was asked to forward ports, unless peers reach this daemon all the same."""
    if found.verdict is Reach.PUBLIC and found.asked:
        return
    if told.fault is not None:
        yield told.fault.value, f"p2p.port_mapping: {told.sentence} {MAPPING_REMEDIES[told.fault]}"
    elif told.state is MappingState.MAPPED and found.verdict is Reach.PRIVATE and found.asked:
        yield (
            "mapping_not_reached",
            f"p2p.port_mapping: the router {told.gateway} has mapped the port, but {_lower(how(found))} Open the port "
            "of p2p.listen in the firewall of this machine; if it is open, there is another router behind that one.",
        )


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
