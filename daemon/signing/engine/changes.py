"""Changes that a client asks for: made in a turn, with the answer stored in the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeAlias

from daemon.signing.engine.engine import Engine
from daemon.signing.engine.turn import Part, Turn
from rpc.ports import Once

# The answer to the client, read inside the transaction of the change; None if there is no answer yet.
AnswerOf: TypeAlias = Callable[[sqlite3.Connection], Mapping[str, object] | None]


async def act(
    engine: Engine,
    work: Callable[[Turn], Part | None],
    answer: AnswerOf,
    once: Once | None,
    *,
    certain: bool = True,
) -> None:
    """`Engine.do`. With an idempotency key the answer is stored with the change: a repetition after a crash finds it.

    `answer` runs in the store's writer thread. Without a key it is not asked, unless only it knows whether the change
    was made: `certain` False.
    """

    def with_answer(turn: Turn) -> Part | None:
        part = work(turn)
        if part is not None and once is not None:
            part.also.append(keep)
        return part

    def keep(conn: sqlite3.Connection) -> None:
        told = answer(conn) if once is not None and (once.wants_answer or not certain) else {}
        if told is not None and once is not None:
            once.keep(conn, told)

    await engine.do(with_answer)
