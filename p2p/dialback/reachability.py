"""What this node knows about whether it can be dialled: the answers of peers that dialled it back, one per range.

    unknown --- the first answer ---> public    more of the newest answers say that it was reached
                                      private   else; then it is reached through relays (p2p/relay/client.py)
    addresses of this host changed (p2p/node/moves.py) ---> asked again; the verdict stays until there are answers

An address that was reached though it is not announced, as behind a router that forwards a port, is announced then.
Where a router was asked to do so (p2p/port_mapping/upnp), the port that it gave is tried first, until it is proven.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import trio
from libp2p.host.autonat.pb.autonat_pb2 import Message
from libp2p.peer.id import ID

from p2p.addresses import Multiaddr, is_relayed, without_peer
from p2p.compat.host import GuardedHost
from p2p.compat.swarm_conn import PromptConn
from p2p.dialback.messages import AUTONAT, Verdict, dial_me, read_message, write_message
from p2p.ports import Reach, Reachability
from p2p.sources import source_of

WANTED = 3  # answers from different ranges
COUNTED = 5  # the newest answers that make the verdict
ANSWER_S = 20.0
AGAIN_S = 900.0  # until a range is asked again; a third of that while nobody can dial this node
DOUBT_S = 60.0
LOOK_S = 5.0
BREATH_S = 0.3  # after a peer was met, so that a start is over first
MOST_ASKED = 8  # addresses in a question


@dataclass(frozen=True, slots=True)
class Answered:
    """One peer's answer."""

    reached: bool
    at_s: float


class ReachTests:
    """Belongs to the trio side of one life. `changed()` is called after each answer."""

    def __init__(self, host: GuardedHost, changed: Callable[[], None], *, wanted: bool) -> None:
        """`wanted`: whether to ask at all; a node that listens on loopback only does not."""
        self._host = host
        self._changed = changed
        self._wanted = wanted
        self._answers: OrderedDict[bytes, Answered] = OrderedDict()
        self._refused: dict[bytes, float] = {}  # ranges that could not tell, and until when they are not asked
        self._wake = trio.Event()
        self.proven: list[Multiaddr] = []
        self.mapped: Mapping[int, int] = {}  # ports on which this node listens: those of the router that lead there
        self.verdict = Reach.UNKNOWN

    def met(self) -> None:
        """A peer was identified."""
        self._wake.set()

    def moved(self) -> None:
        """This host has other addresses than before: what peers said is of the past."""
        self._answers.clear()
        self._refused.clear()
        if self.proven:
            self.proven = []
            self._changed()
        self._wake.set()

    def report(self) -> Reachability:
        """The verdict, and how many peers it comes from."""
        newest = list(self._answers.values())[-COUNTED:]
        reached = sum(answer.reached for answer in newest)
        return Reachability(self.verdict, len(newest), reached, tested=self._wanted)

    async def run(self) -> None:
        """Ask peers, for as long as the node runs."""
        while self._wanted:
            await self._ask_some()
            self._wake = trio.Event()
            with trio.move_on_after(LOOK_S):
                await self._wake.wait()
                await trio.sleep(BREATH_S)
        await trio.sleep_forever()

    def _seen_by(self, peer: ID) -> list[str]:
        return [conn.seen_as for conn in self._host.swarm.direct(peer) if conn.seen_as is not None]

    async def _ask_some(self) -> None:
        now = trio.current_time()
        self._refused = {source: until for source, until in self._refused.items() if until > now}
        pause_s = self._pause_s()
        fresh = sum(answer.at_s > now - pause_s for answer in self._answers.values())
        peers = [peer for peer in list(self._host.swarm.connections) if self._host.swarm.direct(peer)]
        random.shuffle(peers)
        for peer in peers:
            source = self._source(self._host.swarm.direct(peer)[0], peer)
            before = self._answers.get(source)
            asked = (before is not None and before.at_s > now - pause_s) or source in self._refused
            if fresh < WANTED and not asked and AUTONAT in self._host.swarm.peerstore.get_protocols(peer):
                fresh += await self._ask(peer, source)

    def _pause_s(self) -> float:
        """Until a range is asked again: soon where the answers differ, since a packet may have been lost."""
        if len({answer.reached for answer in self._answers.values()}) > 1:
            return DOUBT_S
        return AGAIN_S / 3 if self.verdict is Reach.PRIVATE else AGAIN_S

    def _source(self, conn: PromptConn, peer: ID) -> bytes:
        remote = conn.muxed_conn.get_remote_address()
        return source_of(peer.to_bytes(), None if remote is None else remote[0])

    async def _ask(self, peer: ID, source: bytes) -> bool:
        """Ask one peer; whether it gave an answer that counts."""
        named = self._where(peer)
        answer = await self._answer_of(peer, named) if named else None
        status = Verdict.E_INTERNAL_ERROR if answer is None else answer.dialResponse.status
        now = trio.current_time()
        if answer is None or status not in (Verdict.OK, Verdict.E_DIAL_ERROR):
            self._refused[source] = now + AGAIN_S
            return False
        self._answers[source] = Answered(status == Verdict.OK, now)
        self._answers.move_to_end(source)
        if len(self._answers) > COUNTED:
            self._answers.popitem(last=False)
        self._judge([addr for addr in named if addr.to_bytes() == answer.dialResponse.addr and status == Verdict.OK])
        return True

    def _where(self, peer: ID) -> list[Multiaddr]:
        """What this node announces, and the ports on which it listens at the host under which that peer sees it."""
        own = [without_peer(addr) for addr in self._host.get_addrs() if not is_relayed(addr)]
        mapped = []
        for host in self._seen_by(peer):
            family = "ip6" if ":" in host else "ip4"
            for rest in self._bound(family):
                own.append(Multiaddr(f"/{family}/{host}/{rest}"))
                _, port, *way = rest.split("/")
                if family == "ip4" and int(port) in self.mapped:
                    mapped.append(Multiaddr("/".join(["", family, host, "tcp", str(self.mapped[int(port)]), *way])))
        own += [addr for addr in mapped if addr not in own]
        first = [addr for addr in mapped if addr not in self.proven][:1]
        return [*first, *[addr for addr in dict.fromkeys(own) if addr not in first][len(first) - MOST_ASKED :]]

    def _bound(self, family: str) -> Iterator[str]:
        """`tcp/PORT`, perhaps with `/ws`, of each listener of that family, plain TCP first."""
        for addr in sorted(
            (str(addr) for addr in self._host.get_transport_addrs()), key=lambda text: (len(text), text)
        ):
            _, kind, _, rest = addr.split("/", 3)
            if kind == family:
                yield rest

    async def _answer_of(self, peer: ID, named: list[Multiaddr]) -> Message | None:
        try:
            stream = await self._host.direct_stream(peer, AUTONAT)
            try:
                await write_message(
                    stream, dial_me(self._host.get_id().to_bytes(), [addr.to_bytes() for addr in named])
                )
                return await read_message(stream, ANSWER_S)
            finally:
                with trio.CancelScope(shield=True):
                    await stream.reset()
        except Exception:  # noqa: BLE001 - gone, silent, not what it said: another peer is asked
            return None

    def _judge(self, reached_at: list[Multiaddr]) -> None:
        newest = list(self._answers.values())[-COUNTED:]
        reached = sum(answer.reached for answer in newest)
        verdict = Reach.PUBLIC if 2 * reached > len(newest) else Reach.PRIVATE
        proven = self.proven if verdict is Reach.PUBLIC else []
        proven = [*proven, *(addr for addr in reached_at if verdict is Reach.PUBLIC and addr not in proven)][-2:]
        self.verdict, self.proven = verdict, proven
        self._changed()
