"""The traffic with peers of other signers: connects the parts of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.rooms import Berths, Rooms
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.declines import Declines
from daemon.signing.peers.admission import Admission
from daemon.signing.peers.dialling import Delivery
from daemon.signing.peers.early_frames import EarlyFrames
from daemon.signing.peers.incoming import IncomingFrames
from daemon.signing.peers.key_schemes import KeySchemes
from daemon.signing.peers.mutes import Mutes
from daemon.signing.peers.new_requests import NewRequests
from daemon.signing.peers.notices import Notices
from daemon.signing.peers.outcomes import Outcomes, Parties
from daemon.signing.ports import Surroundings
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frames import Frame, Signed


class Traffic:
    """Hands frames of peers to the engine and, after each turn, dials, publishes notices and counts outcomes."""

    def __init__(
        self,
        around: Surroundings,
        *,
        inbox: Inbox,
        roster: Roster,
        rooms: Rooms,
        berths: Berths,
        loader: Loader,
        declines: Declines,
        mutes: Mutes,
        consent: Consent,
    ) -> None:
        self._inbox = inbox
        self.schemes = KeySchemes(keystore=around.keystore, discovery=around.discovery)
        self._outcomes = Outcomes(discovery=around.discovery, pause=around.keystore.pause)
        self.notices = Notices(
            store=around.store,
            network=around.network,
            discovery=around.discovery,
            keystore=around.keystore,
            identity=around.identity,
            clock=around.clock,
            roster=roster,
            schemes=self.schemes,
            limits=around.limits,
        )
        self.delivery = Delivery(
            network=around.network,
            discovery=around.discovery,
            roster=roster,
            clock=around.clock,
            limits=around.limits,
            put=inbox.put,
            unreached=self.notices.unreached,
        )
        self.early = EarlyFrames(around.limits)
        self._requests = NewRequests(
            network=around.network,
            inbox=inbox,
            roster=roster,
            loader=loader,
            admission=Admission(roster=roster, rooms=rooms, limits=around.limits, mutes=mutes),
            berths=berths,
            early=self.early,
            declines=declines,
            consent=consent,
            limits=around.limits,
        )
        self._incoming = IncomingFrames(
            store=around.store,
            network=around.network,
            inbox=inbox,
            roster=roster,
            early=self.early,
            requests=self._requests,
            serve=self.notices.serve,
            limits=around.limits,
        )
        self.parties = Parties(store=around.store, roster=roster, standings=around.standings)

    def start(self) -> None:
        """Begin to dial."""
        self.delivery.start()

    async def stop(self) -> None:
        """Cancel all dials and fetches."""
        await self.delivery.stop()
        await self.notices.stop()
        await self._requests.stop()

    async def counted(self) -> None:
        """Return when every outcome so far is stored; after the engine's last turn."""
        await self._outcomes.stop()

    # What the network and discovery tell

    def on_frames(self, batch: Sequence[tuple[bytes, Frame]]) -> None:
        """Frames from peers, signatures checked."""
        self._incoming.receive(batch)

    def on_connected(self, peer: bytes) -> None:
        """A peer has its first connection."""
        self._inbox.put(lambda turn: self.delivery.connected(turn, peer))

    def on_disconnected(self, peer: bytes) -> None:
        """A peer lost its last connection."""
        self._inbox.put(lambda turn: self.delivery.disconnected(turn, peer))

    def on_notice(self, signed: Signed[Notice]) -> None:
        """A verified notice that discovery brought, new or from its store."""
        self.notices.on_notice(signed)

    # What the engine tells

    def committed(self, part: Part) -> None:
        """Look for signers to connect, count outcomes."""
        if part.created is not None or part.joined:
            self.delivery.pursue(part.entry)
        self._outcomes.note(part)
        self.parties.note(part)

    def unreachable(self, entry: OpenRequest, index: int) -> None:
        """A frame could not be handed over."""
        self.delivery.unreachable(entry, index)

    def not_committed(self, part: Part) -> None:
        """Pause own keys that are used elsewhere, even so."""
        self._outcomes.note_conflicts(part)

    def forget_old(self, mono_ms: int) -> None:
        """Free memory of messages whose request never came."""
        self.early.forget_old(mono_ms)
