"""Directory questions: several at once over one stream, bounded, and never a wait without end."""

from __future__ import annotations

import asyncio

import pytest

from p2p.network import AskTimeout, BadAsk, Offence, P2PError, PeerUnreachable, Standing
from tests.p2p.nodes import networks

pytestmark = pytest.mark.network


async def test_many_questions_are_answered_over_one_stream_in_both_directions() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        questions = [str(number).encode() for number in range(30)]
        from_ben = await asyncio.gather(*(anna.ask(ben.peer, question, 5_000) for question in questions))
        from_anna = await asyncio.gather(*(ben.ask(anna.peer, question, 5_000) for question in questions))
        assert from_ben == from_anna == [question[::-1] for question in questions]
        stats = await anna.stats()
        assert (stats.directory_streams, stats.pending_asks) == (1, 0)


async def test_a_slow_answer_does_not_hold_up_a_quick_one() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        ben.stand(anna.peer, Standing.KNOWN)
        release = asyncio.Event()

        async def answer(peer: bytes, payload: bytes) -> bytes:
            if payload == b"slow":
                await release.wait()
            return payload

        ben.sink.answer = answer
        slow = asyncio.create_task(anna.ask(ben.peer, b"slow", 5_000))
        assert await anna.ask(ben.peer, b"quick", 60_000) == b"quick"
        release.set()
        assert await slow == b"slow"


async def test_an_answer_of_a_megabyte_arrives() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        payload = bytes(range(256)) * 4_096
        assert await anna.ask(ben.peer, payload, 60_000) == payload[::-1]
        with pytest.raises(P2PError):
            await anna.ask(ben.peer, payload + b"x", 5_000)


async def test_a_question_that_is_never_answered_times_out() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)

        async def never(peer: bytes, payload: bytes) -> bytes:
            await asyncio.Event().wait()
            return b""

        ben.sink.answer = never
        with pytest.raises(AskTimeout):
            await anna.ask(ben.peer, b"?", 50)
        assert (await anna.stats()).pending_asks == 0


async def test_rubbish_is_refused_and_counted() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)

        async def refuse(peer: bytes, payload: bytes) -> bytes:
            raise BadAsk("not a question")

        ben.sink.answer = refuse
        with pytest.raises(PeerUnreachable):
            await anna.ask(ben.peer, b"junk", 5_000)
        await ben.sink.until(lambda: ben.sink.offences == [(anna.peer, Offence.BAD_ENCODING)])


async def test_questions_beyond_the_limit_at_once_are_refused() -> None:
    async with networks(2, asks_in_flight=3) as (anna, ben):
        await anna.meet(ben)
        ben.stand(anna.peer, Standing.KNOWN)
        release, asked = asyncio.Event(), asyncio.Semaphore(0)

        async def answer(peer: bytes, payload: bytes) -> bytes:
            asked.release()
            await release.wait()
            return payload

        ben.sink.answer = answer
        under_way = [asyncio.create_task(anna.ask(ben.peer, b"?", 5_000)) for _ in range(3)]
        for _ in under_way:
            await asked.acquire()
        with pytest.raises(PeerUnreachable) as refused:
            await anna.ask(ben.peer, b"one more", 5_000)
        assert refused.value.reason == "busy"
        release.set()
        assert await asyncio.gather(*under_way) == [b"?"] * 3


async def test_a_question_to_a_peer_that_leaves_ends_at_once() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        asked = asyncio.Event()

        async def never(peer: bytes, payload: bytes) -> bytes:
            asked.set()
            await asyncio.Event().wait()
            return b""

        ben.sink.answer = never
        question = asyncio.create_task(anna.ask(ben.peer, b"?", 60_000))
        await asked.wait()
        await ben.disconnect(anna.peer)
        with pytest.raises(PeerUnreachable):
            async with asyncio.timeout(180):
                await question
        with pytest.raises(PeerUnreachable):
            await anna.ask(ben.peer, b"?", 1_000)


async def test_a_question_that_is_given_up_leaves_nothing_behind() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        asked = asyncio.Event()

        async def never(peer: bytes, payload: bytes) -> bytes:
            asked.set()
            await asyncio.Event().wait()
            return b""

        ben.sink.answer = never
        question = asyncio.create_task(anna.ask(ben.peer, b"?", 60_000))
        await asked.wait()
        question.cancel()
        await asyncio.gather(question, return_exceptions=True)
        assert (await anna.stats()).pending_asks == 0
