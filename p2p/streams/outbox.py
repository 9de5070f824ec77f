"""The frames to send to one peer: bounded, filled by one thread, emptied by the other, without a lock.

`deque.append` and `deque.popleft` are atomic; each counter is written by one side only (`put` by the filler, the rest
by the emptier), so that a reading is at most a moment old.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from musig2.protocol.wire.frame_codec import PREFIX_BYTES, with_length

WRITE_BYTES = 256 * 1024  # at most this much in one write, so that later frames are not delayed for long
PIECE_BYTES = 64 * 1024


def pieces(frames: Sequence[bytes]) -> Iterator[bytes]:
    """Frames as they stand on a stream: short ones together, long ones cut, so that nothing large is there twice."""
    if len(frames) == 1 and len(frames[0]) < PIECE_BYTES:
        yield with_length(frames[0])
        return
    buffer = bytearray()
    for frame in frames:
        buffer += len(frame).to_bytes(PREFIX_BYTES, "big")
        for start in range(0, len(frame), PIECE_BYTES):
            buffer += frame[start : start + PIECE_BYTES]
            if len(buffer) >= PIECE_BYTES:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)


class PeerOutbox:
    """Encoded frames for one peer. `closed` is set for good when the peer has left."""

    __slots__ = (
        "_bytes_in",
        "_bytes_out",
        "_frames",
        "_frames_in",
        "_frames_out",
        "_max_bytes",
        "_max_frames",
        "closed",
    )

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self._frames: deque[bytes] = deque()
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames_in = self._frames_out = 0
        self._bytes_in = self._bytes_out = 0
        self.closed = False

    @property
    def waiting_frames(self) -> int:
        """Frames not yet given to the transport."""
        return self._frames_in - self._frames_out

    @property
    def waiting_bytes(self) -> int:
        """Bytes not yet given to the transport."""
        return self._bytes_in - self._bytes_out

    def widen(self, max_bytes: int) -> None:
        """More bytes may wait from now on."""
        self._max_bytes = max_bytes

    def put(self, frames: Sequence[bytes]) -> bool:
        """Add all frames, or none and answer False when they do not fit or the peer has left."""
        size = sum(map(len, frames))
        too_many = self.waiting_frames + len(frames) > self._max_frames
        if self.closed or too_many or self.waiting_bytes + size > self._max_bytes:
            return False
        self._frames.extend(frames)
        self._frames_in += len(frames)
        self._bytes_in += size
        return True

    def take(self) -> list[bytes]:
        """The next frames for one write; empty when there are none."""
        taken: list[bytes] = []
        size = 0
        while self._frames and size < WRITE_BYTES:
            taken.append(self._frames.popleft())
            size += len(taken[-1])
        self._frames_out += len(taken)
        self._bytes_out += size
        return taken

    def put_back(self, frames: list[bytes]) -> None:
        """Return frames whose write failed to the front."""
        self._frames.extendleft(reversed(frames))
        self._frames_out -= len(frames)
        self._bytes_out -= sum(map(len, frames))

    def clear(self) -> None:
        """Drop everything."""
        while self.take():
            pass
