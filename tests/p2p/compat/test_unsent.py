"""What a peer does not read waits in the writer, where it is counted and bounded, and not in the kernel."""

from __future__ import annotations

import socket

import trio
import trio.testing

from p2p.compat.tcp import UNSENT_BYTES, BufferedTcpStream

PIECE = bytes(64 * 1024)
LITTLE = 16 * 1024  # of the peer's window
QUIET_S = 0.05  # without a turn of any task: the write waits
SENT = 64  # pieces: 4 MiB, as much as the kernel would take


async def taken_by_the_kernel() -> int:
    """How much can be written to a peer that has a small window and reads nothing, before a write waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        peer.connect(listener.getsockname())
        stream = BufferedTcpStream(trio.SocketStream(trio.socket.from_stdlib_socket(listener.accept()[0])))
        written = 0

        async def write() -> None:
            nonlocal written
            for _ in range(SENT):
                await stream.write(PIECE)
                written += len(PIECE)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await trio.testing.wait_all_tasks_blocked(QUIET_S)
            nursery.cancel_scope.cancel()
        await stream.close()
        return written


def test_the_kernel_takes_little_of_what_a_peer_does_not_read() -> None:
    assert 0 < trio.run(taken_by_the_kernel) < 3 * UNSENT_BYTES
