"""Several attacks at the same time, each by a share of the peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from tests.adversary.hostile import Crew

Attack = Callable[[Crew], Awaitable[None]]


class Share(Crew):
    """A part of a crew, with source addresses of its own; it is ready when all are."""

    def __init__(self, whole: Crew, number: int, parts: int, go: trio.Event) -> None:
        super().__init__(whole.target, max(1, whole.count // parts), whole.random.randrange(2**32))
        self.counted = whole.counted
        self.prepared = trio.Event()
        self._first = number * self.count
        self._go = go

    async def ready(self, *, mute: Sequence[str] = ()) -> None:
        """Wait for the others. Nobody is muted."""
        self.prepared.set()
        await self._go.wait()

    def address(self, index: int) -> str:
        """The source address of one peer of this share."""
        return super().address(self._first + index)


async def together(crew: Crew, attacks: Sequence[Attack]) -> None:
    """Run all attacks until this is cancelled."""
    go = trio.Event()
    shares = [Share(crew, number, len(attacks), go) for number in range(len(attacks))]
    async with trio.open_nursery() as nursery:
        for share, attack in zip(shares, attacks, strict=True):
            nursery.start_soon(attack, share)
        for share in shares:
            await share.prepared.wait()
        await crew.ready()
        go.set()
