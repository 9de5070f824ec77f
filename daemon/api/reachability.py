"""Whether others can dial this daemon: for `getInfo`, and what to do where they cannot."""

from __future__ import annotations

from musig2.protocol.records.peers import peer_text
from p2p.ports import Reach, Reachability
from rpc.models.node import InfoReachability

REMEDY = (
    "Forward the TCP port of p2p.listen on the router to this machine and name the public address in p2p.announce, or "
    "open the port in the firewall"
)


def view(found: Reachability) -> InfoReachability:
    """The verdict, and how it was found out."""
    return InfoReachability(
        verdict=found.verdict.value,
        how=how(found),
        asked=found.asked,
        reached=found.reached,
        relays=tuple(map(peer_text, found.relays)),
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
    if found.verdict is not Reach.PRIVATE:
        return []
    problems = []
    if not found.relays:
        relays = (
            'or set p2p.relay_client = "auto" to be reached through relays.'
            if relay_client == "never"
            else "or name a daemon with p2p.relay_service in p2p.bootstrap: no relay was found yet."
        )
        problems.append(("not_reachable", f"{how(found)} {REMEDY}, {relays}"))
    if relay_service:
        problems.append(
            ("relay_not_reachable", f"p2p.relay_service is on, but {_lower(how(found))} {REMEDY}, or switch it off.")
        )
    return problems


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
