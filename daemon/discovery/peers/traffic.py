"""What discovery hears of peers: connections, questions and greetings."""

from __future__ import annotations

from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.own.node_record import OwnNode
from daemon.discovery.own.renewal import Renewal
from daemon.discovery.peers.connector import Connector
from daemon.discovery.peers.presence import SignerPresence
from daemon.discovery.peers.topics import Topics
from daemon.discovery.ports import Offend
from daemon.discovery.sync.answers import Answers
from daemon.discovery.sync.rounds import Rounds
from daemon.tasks import BackgroundTasks
from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES, Busy, Hello, encode_answer
from p2p.network import Offence, PeerChange

NOT_YET_MS = 500


class DirectoryTraffic:
    """Belongs to the event loop. Before `start` and after `stop` questions are answered with "later"."""

    def __init__(
        self,
        *,
        ingest: Ingest,
        answers: Answers,
        rounds: Rounds,
        presence: SignerPresence,
        company: Connector,
        topics: Topics,
        node: OwnNode,
        renewal: Renewal,
        tasks: BackgroundTasks,
        offend: Offend,
    ) -> None:
        self._ingest = ingest
        self._answers = answers
        self._rounds = rounds
        self._presence = presence
        self._company = company
        self._topics = topics
        self._node = node
        self._renewal = renewal
        self._tasks = tasks
        self._offend = offend
        self._started = False

    def start(self) -> None:
        """Answer questions from now on."""
        self._started = True

    def stop(self) -> None:
        """Answer no more questions."""
        self._started = False

    # What the network tells

    def on_peer(self, change: PeerChange) -> None:
        """A peer came or left."""
        self._company.on_peer()
        if self._started:
            self._presence.on_peer(change)
            self._rounds.on_peer(change)

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        """Answer a question of the directory protocol; raises `p2p.network.BadAsk`."""
        if not self._started:
            return encode_answer(Busy(NOT_YET_MS))
        return await self._answers.answer(peer, payload)

    def on_network_up(self) -> None:
        """libp2p listens, perhaps on other addresses than before."""
        if self._started:
            self._tasks.once("network up", self._network_up())

    def on_addresses(self) -> None:
        """This daemon can be reached at other addresses than before."""
        if self._started:
            self._tasks.once("addresses", self._node.renew())
            self._renewal.wake()

    async def _network_up(self) -> None:
        await self._topics.follow()
        await self._node.renew()
        self._renewal.network_up()

    def greeted(self, peer: bytes, hello: Hello) -> None:
        """A peer said what its log holds; its node record comes with it."""
        self._rounds.greeted(peer, hello)
        if hello.node is not None:
            self._tasks.once("node record", self._take_node(peer, hello.node))

    async def _take_node(self, peer: bytes, envelope: bytes) -> None:
        try:
            records: list[Signed[Record]] = [open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES)]
        except BadEncoding:
            self._offend(peer, Offence.BAD_ENCODING)
            return
        await self._ingest.take(records, origin=RecordOrigin.SYNC, peer=peer)
