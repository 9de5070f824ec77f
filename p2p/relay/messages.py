"""The messages of circuit relay v2: protobuf behind a length, bounded in size and in time."""

from __future__ import annotations

from typing import Protocol, TypeVar

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.relay.circuit_v2.pb import circuit_pb2
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, StopMessage
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

HOP = TProtocol("/libp2p/circuit/relay/0.2.0/hop")
STOP = TProtocol("/libp2p/circuit/relay/0.2.0/stop")
MESSAGE_BYTES = 4 * 1024
MESSAGE_S = 10.0
Status = circuit_pb2.Status


class Fillable(Protocol):
    """A protobuf message that can be read from bytes."""

    def ParseFromString(self, serialized: bytes) -> int:  # noqa: N802 - protobuf's name
        """Fill this message."""


Read = TypeVar("Read", bound=Fillable)


class Malformed(Exception):
    """The bytes of a peer are not a message of this protocol."""


async def read_hop(stream: INetStream) -> HopMessage:
    """The next message to or from a relay. Raises Malformed, TooSlowError, or what the stream raises when it ends."""
    return parsed(HopMessage(), await _read(stream))


async def read_stop(stream: INetStream) -> StopMessage:
    """The next message between a relay and the peer to which a circuit leads. Raises as `read_hop`."""
    return parsed(StopMessage(), await _read(stream))


async def _read(stream: INetStream) -> bytes:
    with trio.fail_after(MESSAGE_S):
        return await read_varint_prefixed_bytes_limited(stream, MESSAGE_BYTES)


def parsed(message: Read, data: bytes) -> Read:
    """The message, filled from its bytes. Raises Malformed."""
    try:
        message.ParseFromString(data)
    except Exception as error:  # protobuf's own kind, which has no type information
        raise Malformed(f"not a {type(message).__name__}") from error
    return message


async def write_message(stream: INetStream, message: HopMessage | StopMessage) -> None:
    """Send a message. Raises TooSlowError when the peer does not read it."""
    with trio.fail_after(MESSAGE_S):
        await stream.write(encode_varint_prefixed(message.SerializeToString()))


def hop_status(status: circuit_pb2.Status.ValueType) -> HopMessage:
    """The relay's answer to the peer that asked."""
    return HopMessage(type=HopMessage.STATUS, status=status)


def stop_status(status: circuit_pb2.Status.ValueType) -> StopMessage:
    """The answer of the peer to which a circuit leads."""
    return StopMessage(type=StopMessage.STATUS, status=status)
