"""Random schedules: one number makes a world, its weather, its crashes and its liar, and everything must still hold.

What must hold, whatever happens:
    every request ends                      at every honest node, in a signature or with a reason
    one nonce, one partial signature        on what went over the wire
    no honest signer is ever a culprit
    a contradiction or a bad partial        held by honest nodes names exactly the liar
    silence is `missing`                    and a signer that was only silent is no culprit
    two finished nodes are silent           nothing is in flight at the end
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import combinations

from musig2 import scheme
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.interface.effects import Outcome, State
from musig2.protocol.interface.inputs import Approved, StartRound1, StartRound2
from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import Election, Message, NonceBody, PartialBody
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.wire.frames import Frame, Signed
from tests.protocol.sim.liars import LIARS, Climber, LateFinisher, Liar, SilentInRound1, SilentInRound2
from tests.protocol.sim.network import Weather
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import ROUND_MS, TTL_MS, World

FINAL = {Outcome.COMPLETE, Outcome.DECLINED, Outcome.CANCELLED, Outcome.EXPIRED, Outcome.FAILED}
SKEW_MS = 30_000
PROVEN = {"bad_partial", "equivocation", "invalid_contribution"}


@dataclass
class Wire:
    """Watches the network, as an eavesdropper with all keys could."""

    partials: dict[tuple[bytes, bytes], set[bytes]] = field(default_factory=dict)  # (signing peer, session) -> ids
    nonces: dict[tuple[bytes, bytes], set[bytes]] = field(default_factory=dict)  # (signing peer, pubnonce) -> sessions
    frames: int = 0

    def tap(self, source: bytes, target: bytes, frame: Frame) -> None:
        self.frames += 1
        if not isinstance(frame, Signed) or not isinstance(frame.record, Message):
            return
        message, peer = frame.record, signer_peer(frame)
        assert peer is not None
        if isinstance(message.body, PartialBody):
            self.partials.setdefault((peer, message.session), set()).add(frame.id)
        elif isinstance(message.body, NonceBody):
            for pubnonce in message.body.pubnonces:
                self.nonces.setdefault((peer, pubnonce), set()).add(message.session)


@dataclass(frozen=True)
class Schedule:
    """One random run. `liar` is the class of the malicious signer, None for an honest crowd."""

    seed: int
    liar: type[Liar] | None
    world: World
    wire: Wire
    clean: bool  # no loss, no crash, no partition: the liar is the only trouble

    @property
    def honest(self) -> list[Node]:
        return [node for node in self.world.nodes if not isinstance(node, Liar)]

    @property
    def liars_keys(self) -> set[bytes]:
        return {key for node in self.world.nodes if isinstance(node, Liar) for key in node.own}


def run(seed: int, *, hubs: bool = False) -> Schedule:
    """Run the schedule of that number to the end; with `hubs` the signers meet at hubs, however few they are."""
    rng = random.Random(seed)
    schedule = _build(seed, rng, hubs=hubs)
    world = schedule.world
    if hubs and rng.random() < 0.5:
        _part_those_who_are_no_hubs(world)
    world.network.taps.append(schedule.wire.tap)
    blamed = schedule.clean and schedule.liar in (SilentInRound1, SilentInRound2)  # who holds a round is missing too
    _plan_approvals(world, rng, hold=not blamed)
    if not schedule.clean:
        _plan_trouble(world, rng)
    _plan_lies(world, rng)
    world.clock.at(TTL_MS - 20_000, lambda: _repair(world))
    world.run(TTL_MS + SKEW_MS + 3 * ROUND_MS)
    for node in world.nodes:
        node.restart()
    world.run(ROUND_MS)
    return schedule


def assert_sound(schedule: Schedule) -> None:
    """Assert what must hold; the message names the seed."""
    label = f"schedule {schedule.seed}, {schedule.liar.__name__ if schedule.liar else 'honest'}"
    for node in schedule.honest:
        assert node.machine.outcome in FINAL, f"{label}: {node.machine.outcome} at the end"
        _check_node(schedule, node, label)
    _check_wire(schedule, label)
    _check_proofs(schedule, label)
    if schedule.clean and schedule.liar in (None, *_HARMLESS):
        outcomes = {node.machine.outcome for node in schedule.honest}
        assert outcomes == {Outcome.COMPLETE}, f"{label}: {outcomes}"
    frames = schedule.wire.frames
    schedule.world.run(10 * ROUND_MS)
    assert schedule.wire.frames == frames, f"{label}: finished nodes still talk"


_HARMLESS = tuple(kind for kind in LIARS if kind.__name__ in ("Babbler", "Impostor"))


def _part_those_who_are_no_hubs(world: World) -> None:
    met = {world.peer_of[world.keys[index]] for index in world.nodes[0].machine.hubs()}
    for one, other in combinations([node for node in world.nodes if node.peer not in met], 2):
        world.network.cut(one.peer, other.peer)


def _build(seed: int, rng: random.Random, *, hubs: bool) -> Schedule:
    n = rng.choice((2, 3, 4, 6, 7, 8) if hubs else (2, 2, 3, 3, 3, 4))
    liar = rng.choice(LIARS) if rng.random() < 0.5 else None
    clean = rng.random() < 0.3
    grouping = [2] + [1] * (n - 2) if n > 2 and liar is None and rng.random() < 0.25 else [1] * n
    world = World(
        n,
        scheme_name=rng.choice(("lotus", "bip340")),
        items=rng.choice((1, 1, 2)),
        seed=seed,
        weather=Weather(delay_ms=(1, rng.choice((1, 20, 300)))) if clean else _weather(rng),
        grouping=grouping,
        election=Election("lexicographic", 5_000) if rng.random() < 0.2 else None,
        odd={rng.randrange(len(grouping)): liar} if liar else None,
        mesh=1 if hubs else MESH,
    )
    return Schedule(seed, liar, world, Wire(), clean)


def _weather(rng: random.Random) -> Weather:
    return Weather(
        loss=rng.choice((0.0, 0.05, 0.2, 0.4)),
        duplication=rng.choice((0.0, 0.1, 0.5)),
        delay_ms=(1, rng.choice((1, 20, 300, 2_000))),
        reorder=rng.random() < 0.5,
        coded=rng.random() < 0.1,
    )


def _plan_approvals(world: World, rng: random.Random, *, hold: bool) -> None:
    world.start()
    for node in world.nodes:
        auto, stubborn = rng.random() < 0.8, rng.random() < 0.5
        for key in sorted(node.own):
            world.clock.at(
                rng.choice((0, 5, rng.randrange(5_000))), lambda n=node, k=key, a=auto: n.feed(Approved(k, a))
            )
            for time in range(10_000, TTL_MS, 10_000):
                world.clock.at(time, lambda n=node, k=key, a=auto, s=stubborn: _insist(n, k, a, s))
            if hold and rng.random() < 0.3:
                _plan_second_thoughts(world, rng, node, key)
        if not auto:
            for time in range(6_000, TTL_MS, 4_000):
                world.clock.at(time, lambda n=node: _press(n))


def _plan_second_thoughts(world: World, rng: random.Random, node: Node, key: bytes) -> None:
    """Plan a wallet that turns autoAdvance off and on again after it has joined."""
    for start in rng.sample(range(TTL_MS // 2), 4):
        for time, auto in ((start, False), (start + rng.randrange(3_000), True)):
            world.clock.at(time, lambda a=auto: _join_again(node, key, a))


def _join_again(node: Node, key: bytes, auto: bool) -> None:
    views = [view for view in node.machine.session_views() if view.row.key == key]
    if views and views[-1].state not in (State.ABORTED, State.COMPLETE):
        node.feed(Approved(key, auto))


def _insist(node: Node, key: bytes, auto: bool, stubborn: bool) -> None:
    """A wallet whose call was lost calls again; a stubborn one also after a dead attempt."""
    views = [view for view in node.machine.session_views() if view.row.key == key]
    dead = views and views[-1].state is State.ABORTED and not views[-1].retrying
    if not views or (stubborn and dead):
        node.feed(Approved(key, auto))


def _press(node: Node) -> None:
    """A wallet that calls for the rounds by hand, sometimes too early."""
    for view in node.machine.session_views():
        node.feed(StartRound1(view.session, None))
        if view.state is State.ROUND1 and all(view.nonces):
            node.feed(StartRound2(view.session, None))


def _plan_trouble(world: World, rng: random.Random) -> None:
    for node in world.nodes:
        if rng.random() < 0.3:
            _plan_crashes(world, node, rng)
        if rng.random() < 0.2:
            node.skew_ms = rng.randrange(-SKEW_MS, SKEW_MS)
            jump = rng.randrange(-SKEW_MS, SKEW_MS)
            world.clock.at(rng.randrange(TTL_MS), lambda n=node, j=jump: setattr(n, "skew_ms", j))
    if rng.random() < 0.3:
        begin = rng.randrange(8_000)
        side = {rng.choice(world.nodes).peer}
        world.clock.at(begin, lambda: world.network.split(side))
        world.clock.at(begin + rng.choice((500, 5_000, 25_000)), world.network.heal_all)
    if rng.random() < 0.1:
        broken = rng.choice(world.nodes)
        world.clock.at(rng.randrange(6_000), lambda: setattr(broken, "store_broken", True))


def _plan_crashes(world: World, node: Node, rng: random.Random) -> None:
    """Plan up to three crashes at random points, each with a restart after a while."""
    own = random.Random(rng.random())
    left = [own.choice((1, 1, 2, 3))]

    def crash_at(_: str) -> bool:
        if left[0] and own.random() < 0.08:
            left[0] -= 1
            world.clock.after(own.choice((10, 1_000, 10_000)), node.restart)
            return True
        return False

    node.crash_at = crash_at


def _plan_lies(world: World, rng: random.Random) -> None:
    for node in world.nodes:
        if isinstance(node, Climber):
            for _ in range(rng.randrange(1, 8)):
                world.clock.at(rng.randrange(40_000), node.climb)
        if isinstance(node, LateFinisher):
            world.clock.at(TTL_MS + 2 * ROUND_MS, node.finish)


def _repair(world: World) -> None:
    """End the schedule calmly: every node is up and reaches every other."""
    world.network.heal_all()
    world.network.weather.loss = 0.0
    for node in world.nodes:
        node.crash_at = lambda _: False
        node.restart()


def _check_node(schedule: Schedule, node: Node, label: str) -> None:
    for row in node.store.rows.values():
        assert set(row.culprits) <= schedule.liars_keys, f"{label}: an honest signer is accused of {row.reason}"
        assert set(row.conflicting) <= schedule.liars_keys, f"{label}: an honest signer is named"
        if row.culprits:
            assert schedule.liar is not None
            assert row.reason is None or row.reason in schedule.liar.proven, f"{label}: proven {row.reason}"
        if schedule.liar in (SilentInRound1, SilentInRound2) and schedule.clean:
            silent = row.reason is not None and row.reason.startswith("timeout_round")
            assert not silent or set(row.missing) == schedule.liars_keys, f"{label}: {row.reason} {row.missing}"
    for blame in node.blames:
        assert blame.key in schedule.liars_keys, f"{label}: an honest signer's peer is blamed"
    record = node.request.record
    for item, signature in zip(record.items, node.machine.signatures, strict=False):
        assert scheme(record.scheme).schnorr_verify(item.agg, item.msg, signature), f"{label}: a wrong signature"
    told = [emit.event for emit in node.events]
    if node.machine.signatures and any(row.state is State.COMPLETE for row in node.store.rows.values()):
        assert "signature:finalized" in told, f"{label}: nobody was told"


def _check_wire(schedule: Schedule, label: str) -> None:
    keys_of = {node.peer: len(node.own) for node in schedule.honest}
    for (peer, _), ids in schedule.wire.partials.items():
        assert len(ids) <= keys_of.get(peer, len(ids)), f"{label}: two partial signatures under one nonce"
    for (peer, _), sessions in schedule.wire.nonces.items():
        assert peer not in keys_of or len(sessions) == 1, f"{label}: a nonce in two attempts"


def _check_proofs(schedule: Schedule, label: str) -> None:
    """Contradictions among honest nodes, and what they stored as evidence, as a third party sees it."""
    request = schedule.world.request.envelope
    accused: set[bytes] = set()
    for node in schedule.honest:
        rows = [row for row in node.store.rows.values() if row.culprits]
        for row in rows:
            accused.update(row.culprits)
            kept = [save.signed.envelope for save in node.store.records.values() if save.culprit]
            found = {key for key, reason in verify_evidence(request, kept) if reason in PROVEN}
            assert set(row.culprits) <= found, f"{label}: the stored evidence does not prove it"
        if schedule.liar is not None and node.machine.outcome is not Outcome.COMPLETE:
            held = [save.join.envelope for save in node.store.joins.values()]
            held += [save.message.envelope for save in node.store.messages.values()]
            proven = {key for key, reason in verify_evidence(request, held) if reason in PROVEN}
            named = {key for row in rows for key in row.culprits}
            assert proven <= named, f"{label}: a proof is held and nobody named"
    seen: dict[tuple[bytes, int], set[bytes]] = {}
    for node in schedule.honest:
        for save in node.store.messages.values():
            if save.seq <= 2:
                seen.setdefault((save.message.record.join, save.seq), set()).add(save.message.id)
    contradicted = any(len(ids) > 1 for ids in seen.values())
    if contradicted:
        assert accused == schedule.liars_keys, f"{label}: a contradiction without a culprit"
