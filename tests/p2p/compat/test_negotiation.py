"""Negotiations end: messages are short, and few protocols may be proposed, also before anybody has a name."""

from __future__ import annotations

import asyncio

import pytest
import trio
from libp2p.abc import IMultiselectCommunicator
from libp2p.custom_types import TProtocol
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator

from p2p.compat.upgrade import MAX_MESSAGE_BYTES, MAX_PROPOSALS, ShortMultiselect, TooManyProposals, WholeMessages
from tests.p2p.nodes import networks

SERVED = TProtocol("/served/1")


class Script(IMultiselectCommunicator):
    """A peer that proposes one name after the other."""

    def __init__(self, *names: str) -> None:
        self._names = ["/multistream/1.0.0", *names]
        self.answers: list[str] = []

    async def read(self) -> str:
        return self._names.pop(0)

    async def write(self, msg_str: str) -> None:
        self.answers.append(msg_str)


def negotiate(script: Script) -> TProtocol | None:
    made = ShortMultiselect({SERVED: None})
    return trio.run(made.negotiate, script)[0]


def test_a_protocol_that_comes_after_some_others_is_found() -> None:
    assert negotiate(Script(*["/other/1"] * (MAX_PROPOSALS - 1), SERVED)) == SERVED


def test_proposals_without_end_are_not_answered_without_end() -> None:
    script = Script(*["/other/1"] * 1_000)
    with pytest.raises(TooManyProposals):
        negotiate(script)
    assert script.answers.count("na") == MAX_PROPOSALS


class Claim:
    """A stream on which a message claims a length."""

    def __init__(self, size: int) -> None:
        self._bytes = bytes([size & 0x7F | 0x80, size >> 7]) + bytes(size - 1) + b"\n"

    async def read(self, n: int | None = None) -> bytes:
        piece, self._bytes = self._bytes[:n], self._bytes[n:]
        return piece


def test_a_message_that_claims_more_than_a_kibibyte_is_not_read() -> None:
    assert len(trio.run(MultiselectCommunicator(Claim(MAX_MESSAGE_BYTES)).read)) == MAX_MESSAGE_BYTES - 1  # type: ignore[arg-type]  # below
    with pytest.raises(Exception, match="fail to read"):
        trio.run(MultiselectCommunicator(Claim(MAX_MESSAGE_BYTES + 1)).read)  # type: ignore[arg-type] # as much as it uses


@pytest.mark.network
async def test_who_proposes_without_end_before_it_has_a_name_loses_its_connection() -> None:
    async with networks(1) as (node,):
        port = int(node.address.split("/")[4])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x13/multistream/1.0.0\n" + b"\x03/x\n" * 1_000)
        answered = await reader.read(-1)
        assert answered.count(b"na\n") == MAX_PROPOSALS
        writer.close()


class Empty:
    """A noise connection over which three messages without content have come; it stands for all its layers."""

    def __init__(self) -> None:
        self.noise_state = self.read_writer = self.read_write_closer = self

    def _drain(self, n: int | None) -> bytes:
        return b""

    async def read(self, n: int) -> bytes:
        return (b"\x00\x10" + bytes(16)) * 3

    def decrypt(self, data: bytes) -> bytes:
        return b""


def test_messages_without_content_are_counted_and_not_read_for_ever() -> None:
    whole = WholeMessages(Empty(), Empty())  # type: ignore[arg-type] # as much of both as it uses
    assert trio.run(whole.read) == b""
    assert whole.opened == 3
