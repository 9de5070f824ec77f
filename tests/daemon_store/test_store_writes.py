"""Group commit: an acknowledged write is on the disk, and a failed write harms no other."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable

import pytest

from daemon.store import Store, StoreClosed, StoreError, StoreFull


def put(name: str, value: object = 1) -> Callable[[sqlite3.Connection], None]:
    def fn(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))

    return fn


def names(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT name FROM meta ORDER BY name")]


async def test_a_write_that_returned_is_seen_by_readers(store: Store) -> None:
    await store.write(put("a"))
    assert store.read(names) == ["a"]
    assert await store.read_slow(names) == ["a"]


async def test_a_write_returns_what_its_function_returns(store: Store) -> None:
    assert await store.write(lambda conn: conn.execute("SELECT 41 + 1").fetchone()[0]) == 42


async def test_queued_writes_share_one_commit(store: Store) -> None:
    held = threading.Event()
    first = asyncio.create_task(store.write(lambda conn: held.wait(5)))
    others = [asyncio.create_task(store.write(put(str(n)))) for n in range(50)]
    await asyncio.sleep(0)  # all of them are queued behind the first now
    held.set()
    await asyncio.gather(first, *others)
    assert store.stats.commits <= 3
    assert store.stats.writes == 51


async def test_a_failing_function_undoes_only_its_own_rows(store: Store) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        put("half")(conn)
        raise KeyError("mine")

    results = await asyncio.gather(
        store.write(put("before")), store.write(broken), store.write(put("after")), return_exceptions=True
    )
    assert isinstance(results[1], KeyError)
    assert store.read(names) == ["after", "before"]


async def test_a_broken_constraint_reaches_the_caller_as_it_is(store: Store) -> None:
    await store.write(put("a"))
    with pytest.raises(sqlite3.IntegrityError):
        await store.write(put("a"))


async def test_stop_iteration_does_not_stop_the_writer(store: Store) -> None:
    with pytest.raises(RuntimeError):
        await store.write(lambda conn: next(iter(())))
    await store.write(put("a"))


async def test_a_function_that_commits_by_itself_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.write(lambda conn: conn.execute("COMMIT"))
    await store.write(put("a"))
    assert store.read(names) == ["a"]


async def test_a_cancelled_wait_does_not_take_back_the_write(store: Store) -> None:
    held = threading.Event()
    first = asyncio.create_task(store.write(lambda conn: held.wait(5)))
    second = asyncio.create_task(store.write(put("a")))
    await asyncio.sleep(0)
    second.cancel()
    held.set()
    await first
    await store.write(put("b"))
    assert store.read(names) == ["a", "b"]


async def test_close_writes_what_is_queued(store: Store) -> None:
    tasks = [asyncio.create_task(store.write(put(str(n)))) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*tasks)
    again = Store.open(store.path)
    assert len(again.read(names)) == 20
    await again.close()


async def test_a_closed_store_refuses_with_a_sentence(store: Store) -> None:
    await store.close()
    with pytest.raises(StoreClosed):
        await store.write(put("a"))
    with pytest.raises(StoreClosed):
        store.read(names)
    with pytest.raises(StoreClosed):
        await store.read_slow(names)


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="readonly"):
        store.read(put("a"))
    assert store.read(names) == []


async def test_a_read_sees_one_state_even_while_others_write(store: Store) -> None:
    await store.write(put("a"))

    def twice(conn: sqlite3.Connection) -> tuple[list[str], list[str]]:
        seen = names(conn)
        done = threading.Event()

        def other() -> None:
            with sqlite3.connect(store.path) as writer:
                writer.execute("INSERT INTO meta (name, value) VALUES ('b', 1)")
            writer.close()
            done.set()

        threading.Thread(target=other).start()
        assert done.wait(5)
        return seen, names(conn)

    assert store.read(twice) == (["a"], ["a"])
    assert store.read(names) == ["a", "b"]


async def test_a_full_disk_is_named_and_nothing_else_is_lost(store: Store) -> None:
    await store.write(put("a"))
    pages = await store.write(lambda conn: conn.execute("PRAGMA page_count").fetchone()[0])
    await store.write(lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone() and None)
    big, small = await asyncio.gather(
        store.write(put("big", b"x" * 1_000_000)), store.write(put("small")), return_exceptions=True
    )
    assert isinstance(big, StoreFull)
    assert small is None
    await store.write(lambda conn: conn.execute("PRAGMA max_page_count = 1000000").fetchone() and None)
    await store.write(put("b"))
    assert store.read(names) == ["a", "b", "small"]
