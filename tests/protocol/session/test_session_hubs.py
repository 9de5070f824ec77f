"""Many signers meet at hubs: what is sent, and what happens when a hub dies, withholds or lies."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from musig2 import scheme
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.interface.effects import Outcome, State
from musig2.protocol.interface.inputs import Approved, NotifyBroadcast, OwnerAbort, Received, StartRound1, StartRound2
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Decline, Election, Join, Message, NonceBody
from musig2.protocol.request.meeting.topology import MESH, SPARES, hub_order, hubs_of
from musig2.protocol.wire.frames import Frame, Have, Signed
from tests.protocol.sim.liars import BadPartial, Liar, SilentInRound2
from tests.protocol.sim.network import Weather
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import World

N = 8  # signers; hubs are the creator and three others


def met(n: int = N, **options: object) -> World:
    """Signers that meet at hubs; nobody reaches a signer that is no hub but the hubs."""
    world = World(n, mesh=1, **options)  # type: ignore[arg-type]  # passed on as they are
    world.start()
    places = hubs(world)
    for one, other in combinations([node for node in world.nodes if node not in places], 2):
        world.network.cut(one.peer, other.peer)
    return world


def hubs(world: World) -> list[Node]:
    """The nodes that are hubs, in order."""
    places = (world.keys[index] for index in world.nodes[0].machine.hubs())
    return [next(node for node in world.nodes if key in node.own) for key in places]


def outcomes(world: World) -> set[Outcome]:
    return {node.machine.outcome for node in world.nodes if node.up}


def until_each_said(world: World, nodes: list[Node], seq: int) -> None:
    while not all(node.said(seq) for node in nodes):
        world.run(1)


def test_the_hubs_follow_from_the_request_and_are_the_same_for_all() -> None:
    world = World(20)
    chosen = {tuple(node.machine.hubs()) for node in world.nodes}
    assert len(chosen) == 1
    (places,) = chosen
    assert len(set(places)) == SPARES + 1
    assert places[0] == world.keys.index(world.request.record.creator)
    assert World(20, salt=b"another salt, 16").nodes[0].machine.hubs() != list(places)


def test_sixteen_signers_have_no_hubs_and_seventeen_do() -> None:
    assert World(MESH).nodes[0].machine.hubs() == []
    assert len(World(MESH + 1).nodes[0].machine.hubs()) == SPARES + 1


def test_signers_behind_one_peer_are_one_hub() -> None:
    order = hub_order(bytes(32), 20, 7)
    assert sorted(order) == list(range(20))
    two = {index: b"even" if index % 2 else b"odd" for index in range(20)}
    found = hubs_of(order, two.get)
    assert found[0] == 7
    assert {two[index] for index in found} == {b"even", b"odd"}
    assert len(found) == 2


@pytest.mark.parametrize("n", [20, 50])
def test_what_a_signer_sends_does_not_grow_with_their_number(n: int) -> None:
    world = World(n)
    sent = dict.fromkeys((node.peer for node in world.nodes), 0)

    def tap(source: bytes, target: bytes, frame: Frame) -> None:
        sent[source] += 1

    world.network.taps.append(tap)
    world.start()
    world.approve()
    world.run(500)
    assert outcomes(world) == {Outcome.COMPLETE}
    creator, *others = sorted(sent.values(), reverse=True)
    assert creator <= 2 * n * n
    assert max(others) <= 4
    assert sum(sent.values()) <= 2 * n * (n + 1) + 4 * n


def test_two_daemons_with_seventeen_keys_sign() -> None:
    for creators, others in ((9, 8), (1, 16), (16, 1)):
        world = World(17, grouping=[creators, others]).sign()
        assert outcomes(world) == {Outcome.COMPLETE}
        assert {node.row.attempt for node in world.nodes} == {1}


def test_a_creator_that_dies_with_its_partial_signature_out_is_not_needed_any_more() -> None:
    world = met(weather=Weather(delay_ms=(2, 2)))
    creator, *_ = hubs(world)
    world.approve()
    until_each_said(world, [creator], 2)
    world.run(3)
    assert Outcome.COMPLETE not in outcomes(world)
    creator.crash()
    world.run(100)
    assert outcomes(world) == {Outcome.COMPLETE}
    creator.restart()
    world.run(2_000)
    assert creator.machine.outcome is Outcome.COMPLETE


@pytest.mark.parametrize("after_ms", [0, 1, 2, 3, 4, 6, 8])
def test_a_creator_that_dies_at_any_moment_costs_an_attempt_at_most(after_ms: int) -> None:
    world = met(weather=Weather(delay_ms=(2, 2)))
    creator, *_ = hubs(world)
    world.approve()
    world.run(after_ms)
    creator.crash()
    world.run(3_000)
    creator.restart()
    world.run(10_000)
    assert outcomes(world) == {Outcome.COMPLETE}
    assert {node.row.attempt for node in world.nodes} <= {1, 2}


def test_a_spare_hub_that_dies_while_the_creator_lives_is_missed_only_as_a_signer() -> None:
    world = met(weather=Weather(delay_ms=(2, 2)))
    _, spare, *_ = hubs(world)
    world.approve()
    until_each_said(world, [spare], 2)
    world.run(2)
    spare.crash()
    world.run(100)
    assert outcomes(world) == {Outcome.COMPLETE}


def test_the_creator_and_a_spare_hub_may_die_and_the_next_hub_is_met() -> None:
    world = met(weather=Weather(delay_ms=(2, 2)))
    first, second, third, _ = hubs(world)
    world.approve(auto=False)
    world.run(200)
    for node in world.nodes:
        node.feed(StartRound1(node.row.session, None))
    world.run(200)
    for node in world.nodes:
        world.network.cut(first.peer, node.peer)
        if node is not third:
            world.network.cut(second.peer, node.peer)
    world.network.heal(first.peer, third.peer)
    for node in world.nodes:
        node.feed(StartRound2(node.row.session, None))
    world.run(1_000)
    assert outcomes(world) == {Outcome.COMPLETE}


def test_a_signer_that_does_not_reach_the_creator_signs_through_a_spare_hub() -> None:
    world = met()
    creator, *spares = hubs(world)
    lonely = next(node for node in world.nodes if node not in (creator, *spares))
    world.network.cut(creator.peer, lonely.peer)
    world.approve()
    world.run(2_500)
    assert outcomes(world) == {Outcome.COMPLETE}


def test_a_spare_hub_that_does_not_reach_the_creator_signs_through_another() -> None:
    world = met()
    creator, spare, *_ = hubs(world)
    world.network.cut(creator.peer, spare.peer)
    world.approve()
    world.run(2_500)
    assert outcomes(world) == {Outcome.COMPLETE}


class Withholds(Liar):
    """Signs like all others, and passes on nothing that others signed."""

    def other(self, frame: Frame, peer: bytes) -> list[Frame]:
        if not isinstance(frame, Signed):
            return [frame] if isinstance(frame, Have) else []
        join = frame.record
        return [frame] if isinstance(join, Join) and join.pubkey in self.own else []


@pytest.mark.parametrize("withholding", [(0,), (0, 1), (0, 2, 3)])
def test_hubs_that_withhold_cost_seconds_and_no_attempt(withholding: tuple[int, ...]) -> None:
    places = World(N, mesh=1).nodes[0].machine.hubs()
    world = met(odd={places[number]: Withholds for number in withholding})
    world.approve(auto=True)
    world.run(60_000)
    honest = [node for node in world.nodes if not isinstance(node, Liar)]
    joined = [node for node in honest if node.row.state is State.COMPLETE]
    assert joined == honest
    assert {node.row.attempt for node in honest} == {1}
    assert all(not node.row.culprits and not node.blames for node in honest)


class GivesTwoVersions(Liar):
    """A hub that passes on another nonce of a signer, its accomplice, to half of those that it serves."""

    accomplice: Node
    forged: Signed[Message] | None = None

    def other(self, frame: Frame, peer: bytes) -> list[Frame]:
        if not isinstance(frame, Signed) or not isinstance(frame.record, Message):
            return [frame]
        body, accomplice = frame.record.body, self.accomplice
        theirs = frame.record.join == accomplice.join().id
        if not isinstance(body, NonceBody) or not theirs or self.victims().index(peer) % 2:
            return [frame]
        if self.forged is None:
            record = replace(frame.record, body=replace(body, pubnonces=self.fresh_nonces()))
            self.forged = seal(record, accomplice.identity.sign, peer=accomplice.peer)
        return [self.forged]


def test_a_hub_that_passes_on_two_versions_of_its_accomplice_exposes_that_one() -> None:
    places = World(N, mesh=1).nodes[0].machine.hubs()
    accomplice = next(index for index in range(N) if index not in places)
    world = met(odd={places[0]: GivesTwoVersions, accomplice: Liar})
    creator = world.nodes[places[0]]
    assert isinstance(creator, GivesTwoVersions)
    creator.accomplice = world.nodes[accomplice]
    world.approve()
    world.run(60_000)
    culprit = world.nodes[accomplice].key
    honest = [node for node in world.nodes if not isinstance(node, Liar)]
    assert {node.row.culprits for node in honest} == {(culprit,)}
    for node in honest:
        assert {blame.key for blame in node.blames} == {culprit}
        proof = [save.signed.envelope for save in node.store.records.values() if save.culprit == culprit]
        assert verify_evidence(world.request.envelope, proof) == [(culprit, "equivocation")]


def test_a_bad_partial_signature_behind_a_hub_is_proven_against_its_signer_everywhere() -> None:
    places = World(N, mesh=1).nodes[0].machine.hubs()
    cheat = next(index for index in range(N) if index not in places)
    world = met(odd={cheat: BadPartial})
    world.approve()
    world.run(3_000)
    key = world.nodes[cheat].key
    honest = [node for node in world.nodes if not isinstance(node, Liar)]
    assert {node.machine.outcome for node in honest} == {Outcome.FAILED}
    assert {node.row.culprits for node in honest} == {(key,)}
    assert {blame.peer for node in honest for blame in node.blames} == {world.nodes[cheat].peer}


def test_who_is_silent_behind_a_hub_is_missing_and_nobody_else() -> None:
    places = World(N, mesh=1).nodes[0].machine.hubs()
    silent = next(index for index in range(N) if index not in places)
    world = met(odd={silent: SilentInRound2})
    world.approve()
    world.run(25_000)
    honest = [node for node in world.nodes if not isinstance(node, Liar)]
    assert {node.row.missing for node in honest} == {(world.nodes[silent].key,)}
    assert {node.row.reason for node in honest} <= {"timeout_round2", "aborted_by_signer"}


def test_a_signer_hears_of_joins_before_it_joins_and_whether_the_creator_has() -> None:
    world = met()
    creator, *_ = hubs(world)
    late = world.nodes[-1] if world.nodes[-1] is not creator else world.nodes[-2]
    for node in world.nodes:
        if node not in (late, creator):
            node.feed(Approved(node.key, auto=True))
    world.run(1_500)
    assert len(late.told("participant:joined")) == N - 2
    for node in (creator, late):
        node.feed(Approved(node.key, auto=True))
    world.run(500)
    assert outcomes(world) == {Outcome.COMPLETE}


def test_an_abort_of_one_signer_reaches_all_through_the_hub() -> None:
    world = met()
    world.approve(auto=False)
    world.run(200)
    node = next(node for node in world.nodes if node not in hubs(world))
    node.feed(OwnerAbort(None, "aborted_by_owner"))
    world.run(100)
    assert {one.row.state for one in world.nodes} == {State.ABORTED}
    assert {one.row.by for one in world.nodes if one is not node} == {node.key}


def test_a_decline_that_reaches_a_hub_reaches_all() -> None:
    world = met()
    creator, *_ = hubs(world)
    node = next(node for node in world.nodes if node not in hubs(world))
    world.approve(auto=False)
    world.run(200)
    record = Decline("lotus", world.request.id, node.key, "no", world.clock.now().wall_ms)
    decline = seal(record, lambda digest: scheme("lotus").schnorr_sign(node.secrets[node.key], digest))
    creator.feed(Received(decline, node.peer))
    world.run(100)
    assert {one.machine.outcome for one in world.nodes if one is not node} == {Outcome.DECLINED}


def test_that_a_transaction_was_broadcast_is_told_to_those_behind_the_hub() -> None:
    world = met(election=Election("lexicographic", 60_000))
    world.approve()
    world.run(500)
    node = world.nodes[0]
    node.feed(NotifyBroadcast(node.row.session, bytes(32)))
    world.run(500)
    assert all(one.told("session:broadcast-confirmed") for one in world.nodes)


def test_a_lossy_network_only_costs_time_with_hubs_too() -> None:
    for seed in range(5):
        world = met(seed=seed + 1, weather=Weather(loss=0.2, delay_ms=(1, 200)))
        world.approve()
        world.run()
        assert outcomes(world) == {Outcome.COMPLETE}


@pytest.mark.parametrize("old", ["creator", "members", "half"])
def test_daemons_that_know_of_no_hubs_still_sign_with_those_that_do(old: str) -> None:
    world = World(20)
    creator, *_ = hubs(world)
    for number, node in enumerate(world.nodes):
        of_old = {"creator": node is creator, "members": node is not creator, "half": number % 2 == 0}[old]
        if of_old:
            node.mesh = 100
            node.machine = node._fresh()
    world.start()
    world.approve()
    world.run(8_000)
    assert outcomes(world) == {Outcome.COMPLETE}
    assert {node.row.attempt for node in world.nodes} == {1}
    assert sum(world.network.sent.values()) <= 5 * 20 * 20
