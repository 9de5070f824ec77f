"""A fixed slice of the random schedules; `python -m tests.protocol.sim.run_schedules 10000` runs more."""

from __future__ import annotations

import pytest

from tests.protocol.sim.schedules import assert_sound, run

SLICE = 300
HUB_SLICE = 100
BATCH = 50


@pytest.mark.parametrize("first", range(0, SLICE, BATCH))
def test_whatever_happens_every_request_ends_and_no_honest_signer_is_accused(first: int) -> None:
    for seed in range(first, first + BATCH):
        assert_sound(run(seed))


@pytest.mark.parametrize("first", range(0, HUB_SLICE, BATCH))
def test_the_same_holds_where_signers_meet_at_hubs(first: int) -> None:
    for seed in range(first, first + BATCH):
        assert_sound(run(seed, hubs=True))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SLICE, 1_300, 5 * BATCH))
def test_more_random_schedules_hold(first: int) -> None:
    for seed in range(first, first + 5 * BATCH):
        assert_sound(run(seed))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(HUB_SLICE, 1_100, 5 * BATCH))
def test_more_of_the_same_with_hubs(first: int) -> None:
    for seed in range(first, first + 5 * BATCH):
        assert_sound(run(seed, hubs=True))
