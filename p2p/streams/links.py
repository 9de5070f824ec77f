"""One long-lived stream per peer for one protocol, used by both sides, opened when there is something to send.

either side may open; if both do at once, the stream that the smaller peer id opened is written to from then on,
the other one is closed by its opener after its last write, and is read until then
every peer has its own outbox, writer task and readers: a slow peer delays nobody else
a stream that fails is opened again after a growing pause while the peer is connected and something waits
everything of a peer ends when its last connection does
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID

from musig2.protocol.errors import BadEncoding
from musig2.protocol.wire.frame_codec import split
from p2p.compat.host import GuardedHost
from p2p.rates import Budget
from p2p.streams.line import Line
from p2p.streams.outbox import PeerOutbox, pieces

OPEN_S = 10.0
FLUSH_S = 1.0  # of the three seconds in which trio has to end
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 5.0
MOST_UNREAD = 8 * 1024 * 1024  # of all strangers together, that wait for them to read it
TRIES = 12  # until what waits is dropped: the peer is connected but does not speak this protocol
Deliver = Callable[[bytes, list[bytes]], Awaitable[None]]
Blame = Callable[[bytes, bool], None]  # (peer, True: unreadable, False: too fast)


class Link:
    """Everything about one peer."""

    def __init__(self, peer: bytes, outbox: PeerOutbox, frames: Budget, size: Budget) -> None:
        self.peer = peer
        self.outbox = outbox
        self.frames = frames
        self.size = size
        self.lines: list[Line] = []
        self.nursery: trio.Nursery | None = None
        self.changed = trio.Event()
        self.idle = trio.Event()  # set by the writer when there is nothing left to write
        self.resting = False  # the writer waits for `changed`
        self.moving = False  # there is a better connection for the stream that is written
        self.writing = 0  # bytes that were taken from the outbox and have not left
        self.since = trio.current_time()  # when the last of them left, or the first of them came
        self.used = 0.0  # when something was read

    @property
    def unread(self) -> int:
        """Bytes that wait for the peer to read them."""
        return self.outbox.waiting_bytes + self.writing

    def wake(self) -> None:
        """Something was put into the outbox, or a stream came or went."""
        self.changed.set()

    def write_now(self) -> bool:
        """Write what waits without the writer, which takes a turn of all tasks; False where the writer has to do it."""
        if not self.resting or self.changed.is_set() or len(self.lines) != 1 or self.lines[0].retired:
            return False
        taken = self.outbox.take()
        if not taken:
            return True
        if self.lines[0].write_now(b"".join(pieces(taken))):
            return not self.outbox.waiting_frames
        self.outbox.put_back(taken)
        return False

    async def flushed(self) -> None:
        """Return when the writer has written everything, or the link ends."""
        self.idle = trio.Event()
        self.wake()
        await self.idle.wait()

    def best(self) -> Line | None:
        """The line to write to: that of the smaller opener; of one opener's, the newest."""
        usable = [line for line in reversed(self.lines) if not line.retired]
        return min(usable, key=lambda line: line.opened_by, default=None)

    def end(self) -> None:
        """Stop the writer and the readers of streams that were opened here."""
        self.outbox.closed = True
        self.outbox.clear()
        self.idle.set()
        if self.nursery is not None:
            self.nursery.cancel_scope.cancel()


class Links:
    """All peers of one protocol. `deliver(peer, parts)` gets what was between the length prefixes, in order."""

    def __init__(
        self,
        host: GuardedHost,
        protocol: str,
        *,
        max_frame_bytes: int,
        rates: tuple[float, float],  # frames and bytes per second and peer
        outbox: tuple[
            int, int, int
        ],  # per peer: frames, bytes, bytes for one that is no stranger and has said anything
        is_stranger: Callable[[bytes], bool],
        deliver: Deliver,
        blame: Blame,
    ) -> None:
        self._host = host
        self._own = host.get_id().to_bytes()
        self._protocol = TProtocol(protocol)
        self._max_frame_bytes = max_frame_bytes
        self._rates = rates
        self._bounds = outbox
        self._is_stranger = is_stranger
        self._deliver = deliver
        self._blame = blame
        self._links: dict[bytes, Link] = {}
        self.on_broken: Callable[[bytes], None] = lambda _: None
        host.set_stream_handler(self._protocol, self._accept)

    def of(self, peer: bytes) -> Link:
        """The link of a connected peer, made at first use."""
        link = self._links.get(peer)
        if link is None:
            now = trio.current_time()
            frames, size = (Budget(rate, 2 * rate, now) for rate in self._rates)
            link = self._links[peer] = Link(peer, PeerOutbox(*self._bounds[:2]), frames, size)
            self._host.swarm.manager.run_task(self._run, link)
        return link

    def unread(self, peer: bytes) -> int:
        """Bytes that wait for that peer to read them."""
        link = self._links.get(peer)
        return 0 if link is None else link.unread

    def used(self, peer: bytes) -> float:
        """When something of that peer was read; infinite while something waits for it."""
        link = self._links.get(peer)
        if link is None:
            return 0.0
        return math.inf if link.unread else link.used

    def make_room(self, link: Link | None = None, size: int = 0) -> None:
        """Where too much waits for all strangers together, who reads least has to leave.

        Called before so much is put for that link, or after something was put.
        """
        if link is not None and not link.unread:
            link.since = trio.current_time()
        waiting = sorted(
            (each for each in self._links.values() if each.unread and self._is_stranger(each.peer)),
            key=lambda each: each.since,
        )
        total = size + sum(each.unread for each in waiting)
        for each in waiting:
            if total <= MOST_UNREAD:
                return
            total -= each.unread
            each.end()
            self._host.swarm.manager.run_task(self._host.disconnect, ID(each.peer))

    def drop(self, peer: bytes) -> None:
        """The peer's last connection is gone."""
        link = self._links.pop(peer, None)
        if link is not None:
            link.end()

    def wake(self, peer: bytes) -> None:
        """Something was put into this peer's outbox."""
        link = self._links.get(peer)
        if link is None:
            return
        first = link.resting and not link.changed.is_set()
        if not link.write_now():
            link.since = trio.current_time() if first else link.since
            if self._is_stranger(peer):
                self.make_room()
            link.wake()

    def move(self, peer: bytes) -> None:
        """There is a better connection to a peer: the stream that was opened here is opened anew there."""
        link = self._links.get(peer)
        if link is not None:
            link.moving = True
            link.wake()

    async def flush(self) -> None:
        """Return when everything queued was written, or has taken too long."""
        with trio.move_on_after(FLUSH_S):
            async with trio.open_nursery() as nursery:
                for link in self._links.values():
                    nursery.start_soon(link.flushed)

    @property
    def waiting_frames(self) -> int:
        """Frames in all outboxes."""
        return sum(link.outbox.waiting_frames for link in self._links.values())

    @property
    def waiting_bytes(self) -> int:
        """Bytes in all outboxes."""
        return sum(link.outbox.waiting_bytes for link in self._links.values())

    @property
    def open_streams(self) -> int:
        """Streams that are open now. May be read from another thread: the list is made in one step."""
        return sum(len(link.lines) for link in list(self._links.values()))

    # Writing.

    async def _run(self, link: Link) -> None:
        if link.outbox.closed:
            return
        try:
            async with trio.open_nursery() as nursery:
                link.nursery = nursery
                await self._write(link)
        except Exception:
            await self._host.disconnect(ID(link.peer))  # with the next connection comes a new link
            raise

    async def _write(self, link: Link) -> None:
        pause_s, tries = FIRST_PAUSE_S, 0
        while True:
            if link.moving:
                link.moving = False
                await self._move(link)
            if not link.outbox.waiting_frames:
                link.idle.set()
                link.resting = True
                await link.changed.wait()
                link.resting = False
                link.changed = trio.Event()
            elif await self._write_once(link):
                pause_s, tries = FIRST_PAUSE_S, 0
            else:
                tries += 1
                if tries >= TRIES:
                    link.outbox.clear()
                    self.on_broken(link.peer)
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, LAST_PAUSE_S)

    async def _write_once(self, link: Link) -> bool:
        """One write of what waits; False: it is back in the outbox, because the stream failed or cannot be opened."""
        line = link.best() or await self._open(link)
        if line is None:
            return False
        taken = link.outbox.take()
        link.writing = sum(map(len, taken))
        try:
            for piece in pieces(taken):
                await line.write(piece)
                link.writing -= len(piece)
                link.since = trio.current_time()
        except Exception:  # noqa: BLE001 - closed, reset, lost: the library has many words for the end of a stream
            link.outbox.put_back(taken)
            await self._close(link, line)
            return False
        finally:
            link.writing = 0
        await self._retire_ours(link)
        return True

    async def _open(self, link: Link) -> Line | None:
        peer_id = ID(link.peer)
        if not self._host.swarm.get_connections(peer_id):
            return None
        try:
            with trio.fail_after(OPEN_S):
                stream = await self._host.new_stream(peer_id, [self._protocol])
        except Exception:  # noqa: BLE001 - refused, unsupported, lost: all mean to try again later
            return None
        line = Line(stream, self._own)
        link.lines.append(line)
        assert link.nursery is not None  # this runs in it
        link.nursery.start_soon(self._read, link, line)
        return link.best()

    async def _move(self, link: Link) -> None:
        """The old stream is written no more, and read until the peer has moved too; the peer moves those it opened."""
        old = link.best()
        if old is None or old.opened_by != self._own:
            return
        new = await self._open(link)
        if new is not None and new is not old:
            old.retired = True
            await old.stream.close()

    async def _retire_ours(self, link: Link) -> None:
        """Both sides opened a stream and the peer's is kept: close ours for writing, and read it to its end."""
        best = link.best()
        if best is None or best.opened_by == self._own:
            return
        for line in link.lines:
            if line.opened_by == self._own and not line.retired:
                line.retired = True
                await line.stream.close()

    async def _close(self, link: Link, line: Line) -> None:
        if line in link.lines:
            link.lines.remove(line)
            with trio.CancelScope(shield=True), trio.move_on_after(1):
                await line.stream.reset()
        if not link.lines:
            self.on_broken(link.peer)

    # Reading.

    async def _accept(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id.to_bytes()
        link = self.of(peer)
        line = Line(stream, peer)
        for older in [line for line in link.lines if line.opened_by == peer]:
            if older.stream.muxed_conn is stream.muxed_conn:  # one of another connection is read to its end
                await self._close(link, older)
        link.lines.append(line)
        link.wake()
        await self._read(link, line)

    async def _read(self, link: Link, line: Line) -> None:
        """Read frames until the stream ends; a peer that is too fast is read more slowly, not dropped."""
        buffer = bytearray()
        try:
            while data := await line.read():
                link.used = trio.current_time()
                buffer += data
                parts = split(buffer, max_bytes=self._max_frame_bytes)
                if parts:
                    if not self._is_stranger(link.peer):
                        link.outbox.widen(self._bounds[2])
                    await self._deliver(link.peer, parts)
                    await self._slow_down(link, len(parts), len(data))
        except BadEncoding:
            self._blame(link.peer, True)
        finally:
            await self._close(link, line)

    async def _slow_down(self, link: Link, frames: int, size: int) -> None:
        now = trio.current_time()
        pause_s = max(link.frames.owe(frames, now), link.size.owe(size, now))
        if pause_s > 0.001:
            self._blame(link.peer, False)
            await trio.sleep(min(pause_s, LAST_PAUSE_S))
