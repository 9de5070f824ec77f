"""What the owner hears about whether others can dial the daemon."""

from __future__ import annotations

import dataclasses

import pytest

from daemon.api.reachability import reach_problems, view
from daemon.upkeep.doctor_reach import mapping_told
from musig2.protocol.records.peers import peer_of, peer_text
from p2p.network import Reach, Reachability
from p2p.ports import MappedPort, MappingFault, MappingState, PortMapping

RELAY = peer_of(bytes(range(32)))
NOBODY = Reachability(Reach.PRIVATE, asked=3, reached=0)


def test_the_verdict_comes_with_how_it_was_found_and_through_whom_there_is_a_way() -> None:
    seen = view(Reachability(Reach.PRIVATE, asked=3, reached=1, relays=(RELAY,)))
    assert (seen.verdict, seen.asked, seen.reached, seen.relays) == ("private", 3, 1, (peer_text(RELAY),))
    assert seen.how == "1 of 3 peers in different networks that tried could dial this daemon."
    assert "loopback" in view(Reachability(tested=False)).how
    assert "No peer has answered" in view(Reachability()).how


@pytest.mark.parametrize(
    ("found", "settings", "reasons"),
    [
        (Reachability(), {}, []),
        (Reachability(Reach.PUBLIC, 3, 3), {"relay_service": True}, []),
        (NOBODY, {}, ["not_reachable"]),
        (Reachability(Reach.PRIVATE, 3, 0, (RELAY,)), {}, []),
        (NOBODY, {"relay_service": True}, ["not_reachable", "relay_not_reachable"]),
    ],
)
def test_it_is_a_problem_only_where_there_is_no_way_at_all(
    found: Reachability, settings: dict[str, bool], reasons: list[str]
) -> None:
    said = reach_problems(found, relay_service=settings.get("relay_service", False), relay_client="auto")
    assert [reason for reason, _ in said] == reasons
    assert all("p2p.announce" in remedy for _, remedy in said)


def test_a_proxy_that_does_not_answer_is_the_problem_and_nobody_is_asked_behind_one() -> None:
    found = Reachability(proxied=True, tested=False, proxy_fault="nothing answers at the proxy 127.0.0.1:9050")
    ((reason, remedy),) = reach_problems(found, relay_service=False, relay_client="auto")
    assert (reason, "p2p.socks5: nothing answers at the proxy 127.0.0.1:9050" in remedy) == ("proxy_unreachable", True)
    assert "p2p.socks5" in view(found).how


MAPPED = PortMapping(MappingState.MAPPED, "192.168.1.1", "11.2.3.4", (MappedPort(4_327, 40_000),), expires_ms=9)
ANOTHER = dataclasses.replace(MAPPED, fault=MappingFault.DOUBLE_NAT, sentence="There is another router behind it.")
NO_ROUTER = PortMapping(MappingState.FAILED, fault=MappingFault.NO_GATEWAY, sentence="No router answered by UPnP.")


def test_what_the_router_does_is_shown() -> None:
    seen = view(Reachability(mapping=MAPPED)).port_mapping
    assert seen is not None
    assert (seen.state, seen.gateway, seen.external_address, seen.expires) == ("mapped", "192.168.1.1", "11.2.3.4", 9)
    assert [(each.port, each.external_port) for each in seen.ports] == [(4_327, 40_000)]
    assert view(Reachability()).port_mapping is None
    assert (
        mapping_told(seen.model_dump(by_alias=True, exclude_none=True))
        == " The router 192.168.1.1 forwards 11.2.3.4:40000 to port 4327."
    )
    assert mapping_told(None) == ""


@pytest.mark.parametrize(
    ("mapping", "found", "reasons"),
    [
        (MAPPED, Reachability(), []),
        (PortMapping(), Reachability(), []),
        (NO_ROUTER, Reachability(), ["no_gateway"]),
        (NO_ROUTER, Reachability(Reach.PUBLIC, 3, 3), []),
        (NO_ROUTER, NOBODY, ["no_gateway", "not_reachable"]),
        (ANOTHER, Reachability(Reach.PRIVATE, 3, 0, (RELAY,)), ["double_nat"]),
        (MAPPED, Reachability(Reach.PRIVATE, 3, 0, (RELAY,)), ["mapping_not_reached"]),
        (MAPPED, Reachability(Reach.PRIVATE, 0, 0, (RELAY,)), []),
    ],
)
def test_a_mapping_is_a_problem_where_it_is_of_no_use(
    mapping: PortMapping, found: Reachability, reasons: list[str]
) -> None:
    said = reach_problems(dataclasses.replace(found, mapping=mapping), relay_service=False, relay_client="auto")
    assert [reason for reason, _ in said] == reasons
    assert all(remedy.startswith("p2p.port_mapping: ") for reason, remedy in said if reason != "not_reachable")


def test_the_remedy_names_the_router_unless_that_was_asked_already() -> None:
    for mapping, named in ((None, True), (NO_ROUTER, False)):
        found = dataclasses.replace(NOBODY, mapping=mapping)
        said = dict(reach_problems(found, relay_service=False, relay_client="auto"))
        assert ('p2p.port_mapping = "auto"' in said["not_reachable"]) is named


def test_the_remedy_names_the_setting_that_was_switched_off() -> None:
    ((_, remedy),) = reach_problems(NOBODY, relay_service=False, relay_client="never")
    assert 'p2p.relay_client = "auto"' in remedy
