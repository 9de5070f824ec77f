"""How much work each peer has asked for: one account per peer, and one per address range for its unknown peers.

    charge ----> the balance of the peer and of its range ----> below zero: `settled` waits, and so does the reader
    fine ------> the same, and counted: enough fines are a ban

Everything is charged before it is done, and a peer is not read while it owes. Strangers that owe share one amount,
however many they are, and so do new ones for their first work; a peer that asks for little never owes, and so never
waits for them. Beside a session, those that do not owe yet take turns too (lane.py). Belongs to the trio side; only
`hurry` and `is_calm` are called from elsewhere.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import trio

from p2p.ports import Standing
from p2p.rates import Budget, Fading
from p2p.sources import range_or_host, source_of
from p2p.streams.lane import LEAST, RUN, Attained, Lane
from p2p.streams.prices import (
    ALLOWANCES,
    BAN_AT,
    DOOR,
    DOOR_BESIDE,
    IDLE_FACTOR,
    LEAST_AT_ONCE,
    PRICES_US,
    RANGE,
    TOGETHER,
    WELCOME,
    Allowance,
    Work,
)

REMEMBERED = 8_192  # accounts; they outlive connections, or each new connection would start with a full account
NAP_S = 0.25  # waits are cut into these, as the standing may change meanwhile
BUSY_S = 2.0  # for so long after the last frame of an own session strangers get less
OWING_S = 2.0  # ranges that owed within this time share the amount of all strangers
DEEPEST_S = 60.0  # nobody owes more than can be paid in this time
FINES_HALF_LIFE_S = 3_600.0


class Account:
    """Microseconds that are left; below zero they are owed."""

    __slots__ = ("allowance", "at", "left", "taken")

    def __init__(self, allowance: Allowance, now: float) -> None:
        self.allowance = allowance
        self.left = allowance.at_once
        self.at = now
        self.taken = Attained()

    def owed_s(self, per_second: float, now: float) -> float:
        """Refill since the last check; returns the seconds until nothing is owed."""
        left = min(self.allowance.at_once, self.left + (now - self.at) * per_second)
        self.left = max(left, -DEEPEST_S * per_second)
        self.at = now
        return -self.left / per_second if self.left < -1 else 0.0  # below a microsecond no wait is needed


class PeerAccount(Account):
    """The account of a peer, and that of its range: None on a private network, and until the peer has connected."""

    __slots__ = ("due", "fines", "home", "paying", "range", "source", "standing")

    def __init__(self, standing: Standing, now: float) -> None:
        super().__init__(ALLOWANCES[standing], now)
        self.standing = standing
        self.due = 0.0  # charged since the last turn
        self.paying: trio.Event | None = None  # set once the turns have come for which a task of this peer waits
        self.range: Account | None = None
        self.source: bytes | None = None
        self.home: bytes | None = None
        self.fines = Fading(FINES_HALF_LIFE_S, now)

    @property
    def even(self) -> bool:
        """Whether nothing is owed, without reading the clock."""
        return self.left >= 0 and (self.range is None or self.standing is Standing.KNOWN or self.range.left >= 0)


class Accounts:
    """The accounts of all peers; they outlive a life of the node. `steady_s` is a steady clock in seconds."""

    def __init__(self, steady_s: Callable[[], float] = time.monotonic) -> None:
        self.on_ban: Callable[[bytes, str], None] = lambda peer, reason: None
        self._steady_s = steady_s
        self._peers: OrderedDict[bytes, PeerAccount] = OrderedDict()
        self._ranges: OrderedDict[bytes, Account] = OrderedDict()
        self._door = Account(DOOR, steady_s())
        self._lane = Lane(steady_s)
        self._welcome = Budget(WELCOME.per_second, WELCOME.at_once, steady_s())
        self._homes: OrderedDict[bytes, None] = OrderedDict()
        self._standings: dict[bytes, Standing] = {}
        # Accounts by id, and when they last owed.
        self._owing: dict[Standing, OrderedDict[int, float]] = {standing: OrderedDict() for standing in TOGETHER}
        self._hurried_s = -BUSY_S

    def hurry(self) -> None:
        """A session of this daemon is under way; may be called on any thread."""
        self._hurried_s = self._steady_s()

    def is_calm(self) -> bool:
        """Whether no session has been under way for two seconds; may be called on any thread."""
        return not self._is_busy()

    def arrived(self, peer: bytes, host: str | None, relay: bytes | None = None) -> None:
        """A peer is connected from there, or through a relay there, whose peers have one range."""
        account, source = self._of(peer), source_of(peer, host, relay)
        account.home = None if host is None or relay is not None else range_or_host(host)
        self._note_home(account)
        account.source = None if source == peer else source
        if source != peer:
            account.range = self._range(source)

    def stand(self, peer: bytes, standing: Standing) -> None:
        """A peer is known from now on, or no longer. What it owed as a stranger is forgotten once it is known."""
        if standing is Standing.STRANGER:
            self._standings.pop(peer, None)
        else:
            self._standings[peer] = standing
        account = self._peers.get(peer)
        if account is not None and account.standing is not standing:
            account.standing, account.allowance = standing, ALLOWANCES[standing]
            self._note_home(account)
            most = account.allowance.at_once
            account.left = most if standing is Standing.KNOWN else min(account.left, most)

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> float:
        """Charge work to a peer's account, in microseconds; await `settled` before doing it."""
        account = self._peers.get(peer) or self._of(peer)
        price = PRICES_US[work] * amount
        account.left -= price
        account.due += price
        if account.range is not None and account.standing is not Standing.KNOWN:
            account.range.left -= price
        return price

    def fine(self, peer: bytes, work: Work, amount: float = 1) -> None:
        """Charge for a refused request; a peer that keeps doing so is banned, unless it is known."""
        self.charge(peer, work, amount)
        account, now = self._of(peer), self._steady_s()
        if account.standing is not Standing.KNOWN and account.fines.add(now, PRICES_US[work] * amount) > BAN_AT:
            account.fines = Fading(FINES_HALF_LIFE_S, now)
            self.on_ban(peer, "it kept sending requests that had to be refused")

    def source(self, peer: bytes) -> bytes | None:
        """The range that a peer has come from; None on a private network, and until it has connected."""
        account = self._peers.get(peer)
        return None if account is None else account.source

    def standing(self, peer: bytes) -> Standing:
        """How well a peer is known."""
        return self._standings.get(peer, Standing.STRANGER)

    def owed_s(self, peer: bytes) -> float:
        """Seconds until a peer owes nothing; 0 for nearly all peers, at the cost of a look-up."""
        account = self._peers.get(peer)
        return 0.0 if account is None or account.even else self._owed_s(account)

    async def settled(self, peer: bytes) -> None:
        """Wait until a peer owes nothing, and beside a session until its turn has come."""
        while (owed := self.owed_s(peer)) > 0:  # noqa: ASYNC110 - what it waits for is the time
            await trio.sleep(min(owed, NAP_S))
        account = self._peers.get(peer)
        while account is not None and (account.due >= LEAST or account.paying is not None):
            if account.paying is None:
                await self._pay(account)
            else:  # or what one task of a peer has charged would be done before another task has waited for it
                await account.paying.wait()

    async def _pay(self, account: PeerAccount) -> None:
        """Wait for the turns of all that was charged to a peer since its last."""
        due, account.due = account.due, 0.0
        account.paying = trio.Event()
        try:
            while due > 0 and self._takes_turns(account):
                run = min(due, RUN)
                await self._lane.turn((account.range or account).taken, run, lambda: self._takes_turns(account))
                due -= run
        except BaseException:
            account.due += due  # it is left to the other tasks of this peer
            raise
        finally:
            account.paying.set()
            account.paying = None

    def _takes_turns(self, account: PeerAccount) -> bool:
        return account.standing is not Standing.KNOWN and self._is_busy()

    def door_s(self) -> float:
        """In how many seconds the next handshake may begin; at 0 it is charged."""
        now, busy = self._steady_s(), self._is_busy()
        if busy:
            self._door.left = min(self._door.left, DOOR_BESIDE)
        owed = self._door.owed_s(DOOR.per_second * (1 if busy else IDLE_FACTOR), now)
        if not owed:
            self._door.left -= PRICES_US[Work.HANDSHAKE]
        return owed

    def is_home(self, source: bytes) -> bool:
        """Whether a known peer came from that range lately, or on a private network from that address."""
        return source in self._homes

    def _note_home(self, account: PeerAccount) -> None:
        if account.standing is Standing.KNOWN and account.home is not None:
            self._homes[account.home] = None
            self._homes.move_to_end(account.home)
            if len(self._homes) > REMEMBERED:
                self._homes.popitem(last=False)

    def _is_busy(self) -> bool:
        """Whether a session of this daemon is under way."""
        return self._steady_s() - self._hurried_s < BUSY_S

    def _owed_s(self, account: PeerAccount) -> float:
        now = self._steady_s()
        per_second = account.allowance.per_second
        if account.standing is Standing.KNOWN:
            return account.owed_s(per_second, now)
        factor = 1 if self._is_busy() else IDLE_FACTOR
        per_second = min(per_second, TOGETHER[account.standing] / self._how_many_owe(account, now))
        owed = account.owed_s(factor * per_second, now)
        if account.range is None:
            return owed
        return max(owed, account.range.owed_s(factor * min(RANGE.per_second, 2 * per_second), now))

    def _how_many_owe(self, account: PeerAccount, now: float) -> int:
        """How many ranges share the amount of all peers of that standing, the range of this account included."""
        owing, mine = self._owing[account.standing], id(account.range or account)
        owing[mine] = now
        owing.move_to_end(mine)
        while next(iter(owing.values())) < now - OWING_S:
            owing.popitem(last=False)
        return len(owing)

    def _of(self, peer: bytes) -> PeerAccount:
        account = self._peers.get(peer)
        if account is None:
            standing = self._standings.get(peer, Standing.STRANGER)
            now = self._steady_s()
            account = self._peers[peer] = PeerAccount(standing, now)
            if standing is Standing.STRANGER and not self._welcome.take(account.left, now):
                account.left = LEAST_AT_ONCE  # or each new identity would bring the whole amount
            if len(self._peers) > REMEMBERED:
                self._peers.popitem(last=False)
        else:
            self._peers.move_to_end(peer)
        return account

    def _range(self, source: bytes) -> Account:
        found = self._ranges.get(source)
        if found is None:
            found = self._ranges[source] = Account(RANGE, self._steady_s())
            if len(self._ranges) > REMEMBERED:
                self._ranges.popitem(last=False)
        else:
            self._ranges.move_to_end(source)
        return found
