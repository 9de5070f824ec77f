"""Turns beside a session: small pieces, who took least first; nobody waits where no session is under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise

import trio
import trio.testing

from p2p.ports import Standing
from p2p.streams.accounts import BUSY_S, Accounts
from p2p.streams.lane import Attained, Lane
from p2p.streams.prices import ALLOWANCES, BESIDE, PRICES_US, SECOND, Work

STRANGER = ALLOWANCES[Standing.STRANGER]
PIECE = 2_000.0


def simulated(fn: Callable[[], Awaitable[None]]) -> None:
    """Run it on a clock that passes only while everybody waits."""
    trio.run(fn, clock=trio.testing.MockClock(autojump_threshold=0))


async def spend(accounts: Accounts, peer: bytes, microseconds: float) -> None:
    """Do so much work for a peer, in pieces."""
    for _ in range(int(microseconds / PIECE)):
        accounts.charge(peer, Work.FRAME, PIECE / PRICES_US[Work.FRAME])
        await accounts.settled(peer)


def begin_session(nursery: trio.Nursery, accounts: Accounts) -> None:
    """A session that goes on and on, from now on: tasks start in any order."""
    accounts.hurry()
    nursery.start_soon(session, accounts)


async def session(accounts: Accounts) -> None:
    while True:
        accounts.hurry()
        await trio.sleep(BUSY_S / 2)


def test_a_crowd_that_spends_what_it_has_is_spread_over_time_beside_a_session() -> None:
    async def main() -> None:
        accounts, began, crowd = Accounts(trio.current_time), trio.current_time(), 12
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            async with trio.open_nursery() as work:
                for number in range(crowd):
                    work.start_soon(spend, accounts, b"stranger %d" % number, STRANGER.at_once)
            nursery.cancel_scope.cancel()
        least_s = (crowd * STRANGER.at_once - BESIDE.at_once - PIECE) / BESIDE.per_second
        assert trio.current_time() - began > 0.99 * least_s

    simulated(main)


def test_a_crowd_is_not_held_back_where_no_session_is_under_way() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        await trio.sleep(10 * BUSY_S)
        began = trio.current_time()
        for number in range(12):
            await spend(accounts, b"stranger %d" % number, STRANGER.at_once)
        assert trio.current_time() == began

    simulated(main)


def test_the_turns_end_with_the_session() -> None:
    async def main() -> None:
        accounts, began = Accounts(trio.current_time), trio.current_time()
        accounts.hurry()
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(spend, accounts, b"stranger %d" % number, STRANGER.at_once / 2)
        assert trio.current_time() - began < BUSY_S + 1.0

    simulated(main)


def test_those_that_wait_when_a_session_ends_leave_no_debt_to_the_next() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        accounts.hurry()
        async with trio.open_nursery() as nursery:
            for number in range(200):
                peer = b"stranger %d" % number
                accounts.charge(peer, Work.FRAME, STRANGER.at_once / 2 / PRICES_US[Work.FRAME])
                nursery.start_soon(accounts.settled, peer)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            began = trio.current_time()
            await spend(accounts, b"newcomer", PIECE)
            assert trio.current_time() - began < 3 * PIECE / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_what_a_task_leaves_unpaid_is_paid_by_the_others_of_its_peer() -> None:
    async def main() -> None:
        accounts, each = Accounts(trio.current_time), 15_000.0
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            accounts.charge(b"before", Work.FRAME, BESIDE.at_once / PRICES_US[Work.FRAME])
            await accounts.settled(b"before")
            accounts.charge(b"stranger", Work.FRAME, each / PRICES_US[Work.FRAME])
            with trio.move_on_after(0.1 * PIECE / BESIDE.per_second):
                await accounts.settled(b"stranger")
            began = trio.current_time()
            await accounts.settled(b"stranger")
            assert trio.current_time() - began > 0.9 * (each - PIECE) / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_a_newcomer_is_served_before_a_crowd_that_came_earlier() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            for number in range(60):
                nursery.start_soon(spend, accounts, b"stranger %d" % number, 20 * STRANGER.at_once)
            await trio.sleep(10)
            began = trio.current_time()
            await spend(accounts, b"newcomer", 5 * PIECE)
            assert trio.current_time() - began < 10 * PIECE / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_a_newcomer_waits_for_a_small_piece_of_large_work_and_not_for_all_of_it() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            for number in range(4):
                peer = b"stranger %d" % number
                accounts.charge(peer, Work.FRAME, STRANGER.at_once / PRICES_US[Work.FRAME])
                nursery.start_soon(accounts.settled, peer)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            await spend(accounts, b"newcomer", 5 * PIECE)
            assert trio.current_time() - began < 1.5 * STRANGER.at_once / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_the_work_of_a_crowd_that_comes_at_once_is_spread_and_not_done_at_the_end() -> None:
    async def main() -> None:
        accounts, began, done, each = Accounts(trio.current_time), trio.current_time(), list[float](), 17_000.0

        async def ask(peer: bytes) -> None:
            accounts.charge(peer, Work.FRAME, each / PRICES_US[Work.FRAME])
            await accounts.settled(peer)
            done.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            async with trio.open_nursery() as work:
                for number in range(12):
                    work.start_soon(ask, b"stranger %d" % number)
            nursery.cancel_scope.cancel()
        pauses = [after - before for before, after in pairwise(sorted(done))]
        assert min(pauses) > 0.9 * each / BESIDE.per_second
        assert done[-1] - began < 1.1 * 12 * each / BESIDE.per_second

    simulated(main)


def test_no_task_of_a_peer_goes_on_while_another_waits_for_what_both_have_charged() -> None:
    async def main() -> None:
        accounts, each = Accounts(trio.current_time), 15_000.0

        async def ask() -> None:
            accounts.charge(b"stranger", Work.FRAME, each / PRICES_US[Work.FRAME])
            await accounts.settled(b"stranger")

        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            accounts.charge(b"before", Work.FRAME, BESIDE.at_once / PRICES_US[Work.FRAME])
            await accounts.settled(b"before")
            began = trio.current_time()
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            await accounts.settled(b"stranger")
            assert trio.current_time() - began > 0.7 * each / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_the_identities_of_one_ipv6_site_have_the_turns_of_one() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            for number in range(60):
                peer = b"site %d" % number
                accounts.arrived(peer, f"2a00:1:2:{number:x}::1")
                nursery.start_soon(spend, accounts, peer, 20 * STRANGER.at_once)
            await trio.sleep(10)
            accounts.arrived(b"elsewhere", "2a00:1:3::1")
            began = trio.current_time()
            await spend(accounts, b"elsewhere", STRANGER.at_once / 2)
            assert trio.current_time() - began < STRANGER.at_once / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_identities_of_one_site_that_come_at_once_wait_for_each_other_alone() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            accounts.charge(b"before", Work.FRAME, BESIDE.at_once / PRICES_US[Work.FRAME])
            await accounts.settled(b"before")
            for number in range(60):
                peer = b"site %d" % number
                accounts.arrived(peer, f"2a00:1:2:{number:x}::1")
                accounts.charge(peer, Work.FRAME, PIECE / 2 / PRICES_US[Work.FRAME])
                nursery.start_soon(accounts.settled, peer)
            await trio.testing.wait_all_tasks_blocked()
            accounts.arrived(b"elsewhere", "2a00:1:3::1")
            began = trio.current_time()
            await spend(accounts, b"elsewhere", 3 * PIECE)
            assert trio.current_time() - began < 8 * PIECE / BESIDE.per_second
            nursery.cancel_scope.cancel()

    simulated(main)


def test_a_known_peer_takes_no_turns() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        accounts.stand(b"friend", Standing.KNOWN)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            nursery.start_soon(spend, accounts, b"stranger", 20 * STRANGER.at_once)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            await spend(accounts, b"friend", SECOND)
            assert trio.current_time() == began
            nursery.cancel_scope.cancel()

    simulated(main)


def test_one_that_becomes_known_while_it_waits_waits_no_longer() -> None:
    async def main() -> None:
        accounts = Accounts(trio.current_time)
        async with trio.open_nursery() as nursery:
            begin_session(nursery, accounts)
            accounts.charge(b"large", Work.FRAME, STRANGER.at_once / PRICES_US[Work.FRAME])
            await accounts.settled(b"large")
            async with trio.open_nursery() as work:
                work.start_soon(spend, accounts, b"friend", PIECE)
                await trio.testing.wait_all_tasks_blocked()
                began = trio.current_time()
                accounts.stand(b"friend", Standing.KNOWN)
            assert trio.current_time() - began <= 0.25
            nursery.cancel_scope.cancel()

    simulated(main)


def test_a_place_that_is_given_up_does_not_stop_those_behind_it() -> None:
    async def main() -> None:
        lane, done = Lane(trio.current_time), 0

        async def one() -> None:
            nonlocal done
            await lane.turn(Attained(), PIECE, lambda: True)
            done += 1

        await lane.turn(Attained(), 10 * BESIDE.at_once, lambda: True)
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(0.5 * PIECE / BESIDE.per_second):
                await one()
            for _ in range(3):
                nursery.start_soon(one)
        assert done == 3
        assert len(lane) == 0

    simulated(main)


def test_what_was_taken_long_ago_counts_less_than_what_was_taken_just_now() -> None:
    early, late = Attained(), Attained()
    early.add(10 * PIECE, 0.0)
    late.add(PIECE, 100.0)
    assert Attained().rank < early.rank < late.rank
    early.add(2 * PIECE, 100.0)
    assert early.rank > late.rank
