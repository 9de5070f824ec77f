"""Four of the expensive attacks at the same time."""

from __future__ import annotations

from tests.adversary.attacks.directory import large_questions
from tests.adversary.attacks.gossip import dht_records
from tests.adversary.attacks.signing import fetches, wrong_aggregates
from tests.adversary.hostile import Crew
from tests.adversary.shares import together


async def attack(crew: Crew) -> None:
    await together(crew, [part.attack for part in (wrong_aggregates, fetches, large_questions, dht_records)])
