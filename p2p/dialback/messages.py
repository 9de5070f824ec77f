"""The messages of AutoNAT 1: protobuf behind a length, bounded in size and in time."""

from __future__ import annotations

from collections.abc import Iterable

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.autonat.pb.autonat_pb2 import Message
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

AUTONAT = TProtocol("/libp2p/autonat/1.0.0")
MESSAGE_BYTES = 4 * 1024
Verdict = Message.ResponseStatus


class NotAutonat(Exception):
    """What a peer sent is no message of this protocol."""


async def read_message(stream: INetStream, seconds: float) -> Message:
    """The next message. Raises NotAutonat, TooSlowError, or what the stream raises when it ends."""
    message = Message()
    with trio.fail_after(seconds):
        data = await read_varint_prefixed_bytes_limited(stream, MESSAGE_BYTES)
    try:
        message.ParseFromString(data)
    except Exception as error:  # protobuf's own kind, which has no type information
        raise NotAutonat("not a message of AutoNAT") from error
    return message


async def write_message(stream: INetStream, message: Message) -> None:
    """Send a message. Raises what the stream raises when it ends."""
    await stream.write(encode_varint_prefixed(message.SerializeToString()))


def dial_me(peer: bytes, addrs: Iterable[bytes]) -> Message:
    """The question: can you reach me at one of these?"""
    asked = Message(type=Message.DIAL)
    asked.dial.peer.id = peer
    asked.dial.peer.addrs.extend(addrs)
    return asked


def verdict(status: Verdict.ValueType, text: str = "", addr: bytes = b"") -> Message:
    """The answer; `addr` is the address that was reached."""
    answer = Message(type=Message.DIAL_RESPONSE)
    answer.dialResponse.status = status
    answer.dialResponse.statusText = text
    if addr:
        answer.dialResponse.addr = addr
    return answer
