"""The arena of secret memory on systems that refuse advice or locking."""

import mmap
from typing import Any

import pytest

from musig2.curve.memory import REGION_SIZE, SLOT_SIZE, Arena, Protection, _advise, _mlock

PER_REGION = REGION_SIZE // SLOT_SIZE


class RefusingMapping:
    """A mapping on a system that knows no such advice, or no advice at all."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def madvise(self, option: int) -> None:
        raise self.error


@pytest.mark.parametrize("error", [OSError(22, "no"), ValueError("no"), AttributeError("no")])
def test_refused_memory_advice_is_tolerated(error: Exception) -> None:
    mapping: Any = RefusingMapping(error)
    assert _advise(mapping, 16) is False


def test_other_errors_are_not_swallowed() -> None:
    mapping: Any = RefusingMapping(KeyError("no"))
    with pytest.raises(KeyError):
        _advise(mapping, 16)


def test_a_page_that_cannot_be_locked_is_reported() -> None:
    assert _mlock(1 << 60, 4096) is False
    arena = Arena(mlock=lambda address, size: False)
    assert len(arena.take().view) == SLOT_SIZE
    assert arena.protection == Protection(locked=False, undumpable=True, wiped_on_fork=True)


def test_one_unprotected_region_spoils_the_report() -> None:
    answers = iter([True, False, True])
    arena = Arena(mlock=lambda address, size: next(answers))
    kept = [arena.take() for _ in range(PER_REGION)]
    first = arena.protection
    assert first.locked
    kept.append(arena.take())
    spoiled = arena.protection
    assert not spoiled.locked
    kept += [arena.take() for _ in range(PER_REGION)]
    assert not arena.protection.locked
    assert len({id(slot.view) for slot in kept}) == 2 * PER_REGION + 1


@pytest.mark.parametrize("refused", ["locked", "undumpable", "wiped_on_fork"])
def test_reports_add_up_field_by_field(refused: str) -> None:
    full = Protection(locked=True, undumpable=True, wiped_on_fork=True)
    less = Protection(**{name: name != refused for name in ("locked", "undumpable", "wiped_on_fork")})
    assert full & less == less & full == less
    assert full & full == full


def test_advice_is_asked_for_each_region() -> None:
    asked: list[int] = []

    def advise(mapping: mmap.mmap, option: int) -> bool:
        asked.append(option)
        return option != 18

    arena = Arena(advise=advise)
    arena.take()
    assert asked == [16, 18]
    assert arena.protection == Protection(locked=True, undumpable=True, wiped_on_fork=False)


def test_a_slot_is_zero_when_taken_and_after_a_wipe() -> None:
    arena = Arena()
    slot = arena.take()
    assert slot.view == bytes(SLOT_SIZE)
    assert repr(slot) == "<Slot>"
    slot.view[:] = b"\xff" * SLOT_SIZE
    slot.wipe()
    assert slot.view == bytes(SLOT_SIZE)


def test_a_dropped_slot_comes_back_zeroed() -> None:
    arena = Arena()
    for _ in range(3 * PER_REGION):
        slot = arena.take()
        assert slot.view == bytes(SLOT_SIZE)
        slot.view[:] = b"\xff" * SLOT_SIZE
        del slot
    assert len(arena._free) == PER_REGION


def test_two_threads_that_find_it_empty_grow_it_once() -> None:
    arena = Arena()
    arena._grow()
    arena._grow()
    assert len(arena._free) == PER_REGION
