"""What becomes of mappings over hours: renewed, made again, deleted; on a clock of its own, with a router in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pytest
import trio
from trio.testing import MockClock

from p2p.port_mapping import mappings
from p2p.port_mapping.mappings import AGAIN_S, LEASE_S, LOOK_S, MOST_AGAIN_S, PortMappings
from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, Granted, PortEntry
from p2p.ports import MappedPort, MappingFault, MappingState, PortMapping

HOUR_S = 3_600.0
WHY = "why it refuses"
NOBODY = GatewayFault(MappingFault.NO_GATEWAY, "No router answered by UPnP.")


@dataclass
class Router:
    """`refuses`: the errors of the next requests for a port. `gone`: it does not answer."""

    own_host: str = "192.168.1.2"
    host: str = "192.168.1.1"
    external: str = "11.2.3.4"
    protocol: Literal["nat-pmp", "pcp", "upnp"] = "upnp"
    chooses_ports: bool = False
    refuses: list[int] = field(default_factory=list)
    entries: dict[int, PortEntry] = field(default_factory=dict)
    tells: bool = True
    gone: bool = False
    secure: bool = False  # only the machine to which a port leads may end that
    added: list[tuple[float, int, int]] = field(default_factory=list)  # when, external port, lease

    def _answers(self) -> None:
        if self.gone:
            raise BadAnswer("it does not take the connection")

    async def external_address(self) -> str:
        self._answers()
        return self.external

    async def entry(self, external: int) -> PortEntry | None:
        self._answers()
        if not self.tells:
            raise GatewayRefused("GetSpecificPortMappingEntry", 401, WHY)
        return self.entries.get(external)

    async def add(self, external: int, port: int, lease_s: int) -> Granted:
        self._answers()
        if self.refuses:
            raise GatewayRefused("AddPortMapping", self.refuses.pop(0), WHY)
        self.added.append((trio.current_time(), external, lease_s))
        self.entries[external] = PortEntry(self.own_host, port)
        return Granted(external, lease_s)

    async def add_any(self, external: int, port: int, lease_s: int) -> Granted:
        self.refuses.clear()
        return await self.add(external + 1, port, lease_s)

    async def delete(self, external: int, port: int) -> None:
        self._answers()
        entry = self.entries.get(external)
        if self.secure and entry is not None and entry.client != self.own_host:
            raise GatewayRefused("DeletePortMapping", 606, WHY)
        self.entries.pop(external, None)


@dataclass
class Home:
    """A node's mappings, their reports, and the router that is found."""

    router: Router = field(default_factory=Router)
    ports: list[int] = field(default_factory=lambda: [4_327])
    found: int = 0
    reports: list[PortMapping] = field(default_factory=list)
    private_addresses: bool = False

    async def _find(self) -> Router:
        self.found += 1
        if self.router.gone:
            raise NOBODY
        return self.router

    def _changed(self) -> None:
        self.reports.append(self.mappings.report)

    def lives(self, through: Callable[[Home], object], *seconds: float) -> Home:
        """Run; after each of these seconds, `through` is called."""

        async def life() -> None:
            self.mappings = PortMappings(
                self._find, lambda: self.ports, self._changed, lambda: 0, private_addresses=self.private_addresses
            )
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.mappings.run)
                for each in seconds:
                    await trio.sleep(each)
                    through(self)
                await self.mappings.end()

        trio.run(life, clock=MockClock(autojump_threshold=0))
        return self

    @property
    def report(self) -> PortMapping:
        return self.reports[-1]


def look(_: Home) -> None:
    """Only time passes."""


def in_turn(*steps: Callable[[Home], object]) -> Callable[[Home], object]:
    waiting = iter(steps)

    def one(home: Home) -> None:
        next(waiting)(home)

    return one


def test_a_mapping_is_renewed_at_half_of_its_lease_and_deleted_at_the_end() -> None:
    home = Home().lives(look, 3 * HOUR_S + 1)
    assert [at for at, *_ in home.router.added] == pytest.approx([n * LEASE_S / 2 for n in range(7)], abs=1)
    assert {(external, lease) for _, external, lease in home.router.added} == {(4_327, LEASE_S)}
    assert home.router.entries == {}
    assert home.found == 1
    assert (home.report.state, home.report.ports) == (MappingState.MAPPED, (MappedPort(4_327, 4_327),))
    assert home.report.expires_ms is not None


def test_every_listening_port_is_mapped_and_one_below_1024_to_a_higher_one() -> None:
    seen: list[dict[int, PortEntry]] = []
    home = Home(ports=[443, 4_327, 4_328]).lives(lambda home: seen.append(dict(home.router.entries)), 1)
    externals = dict(home.report.ports)
    assert set(externals) == {443, 4_327, 4_328}
    assert externals[443] >= 1_024
    assert seen == [{external: PortEntry("192.168.1.2", port) for port, external in externals.items()}]


def test_a_router_that_has_restarted_gets_the_mapping_again_at_the_next_look() -> None:
    home = Home().lives(lambda home: home.router.entries.clear(), 10.0, LOOK_S)
    assert [at for at, *_ in home.router.added] == pytest.approx([0, LOOK_S], abs=1)


def test_a_router_that_is_gone_is_searched_with_growing_pauses_and_found_back_at_the_same_port() -> None:
    gone = iter([True, False, False])

    def switch(home: Home) -> None:
        home.router.gone = next(gone)

    home = Home(router=Router(refuses=[718])).lives(switch, 10.0, 3 * HOUR_S, MOST_AGAIN_S)
    assert 5 < home.found < 15
    (failed,) = [report for report in home.reports if report.state is MappingState.FAILED]
    assert failed.fault is MappingFault.NO_GATEWAY
    assert home.report.state is home.reports[0].state is MappingState.MAPPED
    assert len({external for _, external, _ in home.router.added}) == 1


def test_a_router_that_answers_at_another_place_after_a_restart_is_found_at_the_next_look() -> None:
    def restart(home: Home) -> None:
        if home.found == 1:
            home.router.gone = True
            home.router = Router()

    home = Home().lives(restart, 10.0, LOOK_S)
    assert [at for at, *_ in home.router.added] == pytest.approx([LOOK_S], abs=1)
    assert {report.state for report in home.reports} == {MappingState.MAPPED}


def test_after_the_first_failure_it_is_tried_again_within_a_minute() -> None:
    def back(home: Home) -> None:
        home.router.gone = False

    home = Home(router=Router(gone=True)).lives(back, 1.0, AGAIN_S)
    assert home.found == 2
    assert home.report.state is MappingState.MAPPED


def test_other_addresses_of_this_host_are_mapped_at_once() -> None:
    def move(home: Home) -> None:
        home.router.own_host = "192.168.1.77"
        home.mappings.moved()

    home = Home().lives(move, 10.0, 1.0)
    assert home.found == 3
    ((_, first, _), (_, second, _), *_) = home.router.added
    assert first == 4_327
    assert second == 4_327


def _with_another_address(home: Home) -> None:
    home.router.own_host = "192.168.1.9"
    home.mappings.moved()


def test_the_own_mapping_of_an_earlier_address_is_replaced_at_the_same_port() -> None:
    seen: list[dict[int, PortEntry]] = []

    def look_at_it(home: Home) -> None:
        seen.append(dict(home.router.entries))

    home = Home().lives(in_turn(_with_another_address, look_at_it), 10.0, 10.0)
    assert seen == [{4_327: PortEntry("192.168.1.9", 4_327)}]
    assert home.router.entries == {}


def test_where_only_the_earlier_address_may_end_its_mapping_another_port_is_taken() -> None:
    home = Home(router=Router(secure=True)).lives(in_turn(_with_another_address, look), 10.0, 10.0)
    ((_, external),) = home.report.ports
    assert external >= mappings.LOWEST_CHOSEN
    assert home.router.entries == {4_327: PortEntry("192.168.1.2", 4_327)}, "until its lease ends"


def test_a_stop_before_a_router_has_come_back_ends_what_was_mapped_there() -> None:
    def away(home: Home) -> None:
        home.router.gone = True

    def answering_again(home: Home) -> None:
        assert home.report.state is MappingState.FAILED
        home.router.gone = False

    home = Home().lives(in_turn(away, answering_again), 10.0, LOOK_S)
    assert home.router.entries == {}


def test_a_stop_at_another_home_ends_what_was_mapped_at_the_first_if_that_still_answers() -> None:
    first, second = Router(), Router(own_host="192.168.7.2", host="192.168.7.1")

    def move(home: Home) -> None:
        home.router = second
        home.mappings.moved()

    home = Home(router=first).lives(in_turn(move, look), 10.0, 10.0)
    assert home.report.gateway == second.host
    assert first.entries == second.entries == {}


def test_another_address_of_the_router_is_told() -> None:
    def renumbered(home: Home) -> None:
        home.router.external = "11.9.9.9"

    home = Home().lives(renumbered, 10.0, LOOK_S)
    assert [report.external_host for report in home.reports if report.external_host] == ["11.2.3.4", "11.9.9.9"]


@pytest.mark.parametrize("code", [718, 729, 501])
def test_where_the_port_is_taken_another_one_is_asked_for(code: int) -> None:
    home = Home(router=Router(refuses=[code, code])).lives(look, 1.0)
    ((_, external, lease),) = home.router.added
    assert (external >= mappings.LOWEST_CHOSEN, lease) == (True, LEASE_S)


def test_a_port_of_another_machine_is_not_taken_from_it() -> None:
    other = PortEntry("192.168.1.9", 4_327)
    home = Home(router=Router(entries={4_327: other})).lives(look, 1.0)
    ((_, external, _),) = home.router.added
    assert external != 4_327
    assert home.router.entries == {4_327: other}


def test_a_router_of_version_2_chooses_the_port() -> None:
    home = Home(router=Router(refuses=[718], chooses_ports=True)).lives(look, 1.0)
    assert home.report.ports == (MappedPort(4_327, 4_328),)
    assert home.router.entries == {}


@pytest.mark.parametrize("code", [725, 402])
def test_a_router_without_leases_maps_for_good_and_is_told_the_end(code: int) -> None:
    home = Home(router=Router(refuses=[code])).lives(look, 3 * HOUR_S)
    assert [(external, lease) for _, external, lease in home.router.added] == [(4_327, 0)]
    assert home.report.expires_ms is None
    assert home.router.entries == {}


def test_a_router_that_maps_to_the_same_number_only_gets_no_other() -> None:
    router = Router(refuses=[718, 724])
    home = Home(router=router).lives(look, 1.0)
    assert [external for _, external, _ in router.added] == [4_327]
    assert home.report.state is MappingState.MAPPED


@pytest.mark.parametrize("code", [606, 728, 401, 999, 402])
def test_a_refusal_ends_the_round_and_the_owner_hears_why(code: int) -> None:
    home = Home(router=Router(refuses=[code] * 20)).lives(look, 1.0)
    assert (home.report.state, home.report.fault) == (MappingState.FAILED, MappingFault.REFUSED)
    assert f"{WHY} (error {code})" in home.report.sentence
    assert home.report.gateway == "192.168.1.1"
    assert len(home.router.refuses) >= 18


def test_a_router_that_refuses_every_port_is_asked_eight_times_a_round() -> None:
    home = Home(router=Router(refuses=[718] * 20)).lives(look, 1.0)
    assert len(home.router.refuses) == 20 - mappings.TRIES
    assert home.report.fault is MappingFault.REFUSED


def test_a_router_that_does_not_tell_its_entries_is_renewed_all_the_same() -> None:
    home = Home(router=Router(tells=False)).lives(look, HOUR_S + 1)
    assert len(home.router.added) == 3


@pytest.mark.parametrize("address", ["192.168.0.7", "100.64.0.9", "10.0.0.1", "169.254.1.1"])
def test_a_router_behind_another_is_told_as_such(address: str) -> None:
    home = Home(router=Router(external=address)).lives(look, 1.0)
    assert (home.report.state, home.report.fault) == (MappingState.MAPPED, MappingFault.DOUBLE_NAT)
    assert address in home.report.sentence


def test_on_a_private_network_a_private_address_is_no_fault() -> None:
    home = Home(router=Router(external="10.0.0.1"), private_addresses=True).lives(look, 1.0)
    assert home.report.fault is None


def test_a_router_that_is_gone_at_the_end_holds_nobody_up() -> None:
    def leave(home: Home) -> None:
        home.router.gone = True

    home = Home().lives(leave, 1.0)
    assert home.router.entries == {4_327: PortEntry("192.168.1.2", 4_327)}
