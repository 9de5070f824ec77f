"""Memory for secrets: fixed slots in pages that are locked, left out of dumps, and empty after a fork.

Each protection is requested from the system, and skipped where the system refuses; `protection()` says which ones are
in force. A slot is zeroed when it is wiped and again when nothing refers to it any more; only then is it reused, so a
secret in use by one thread never shares its slot with another.
"""

import ctypes
import mmap
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar, Final

SLOT_SIZE: Final = 256
REGION_SIZE: Final = 64 * 1024

_MADV_DONTDUMP: Final = getattr(mmap, "MADV_DONTDUMP", 16)
_MADV_WIPEONFORK: Final = 18  # Linux 4.14; the standard library does not name it


@dataclass(frozen=True, slots=True)
class Protection:
    """What the system granted for every region so far."""

    locked: bool
    undumpable: bool
    wiped_on_fork: bool

    def __and__(self, other: "Protection") -> "Protection":
        return Protection(
            self.locked and other.locked,
            self.undumpable and other.undumpable,
            self.wiped_on_fork and other.wiped_on_fork,
        )


class Slot:
    """256 bytes of secret memory. `view` may be written to; slices of it must not outlive the slot's owner."""

    __slots__ = ("_home", "view")
    _zeros: ClassVar[bytes] = bytes(SLOT_SIZE)  # held by the class: module globals may be gone at interpreter exit

    def __init__(self, view: memoryview, home: "deque[memoryview]") -> None:
        self.view = view
        self._home = home

    def wipe(self) -> None:
        self.view[:] = self._zeros

    def __del__(self) -> None:
        self.view[:] = self._zeros
        self._home.append(self.view)

    def __repr__(self) -> str:
        return "<Slot>"


def _mlock(address: int, size: int) -> bool:
    libc = ctypes.CDLL(None)
    return bool(libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(size)) == 0)


def _advise(mapping: mmap.mmap, option: int) -> bool:
    with suppress(OSError, ValueError, AttributeError):  # refused, unknown, or no madvise on this system
        mapping.madvise(option)
        return True
    return False


def _region(
    size: int,
    mlock: Callable[[int, int], bool] = _mlock,
    advise: Callable[[mmap.mmap, int], bool] = _advise,
) -> tuple[memoryview, Protection]:
    """Pages of their own for at least `size` bytes, given back to the system with the last view of them."""
    mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(mapping))
    protection = Protection(
        locked=mlock(address, size),
        undumpable=advise(mapping, _MADV_DONTDUMP),
        wiped_on_fork=advise(mapping, _MADV_WIPEONFORK),
    )
    return memoryview(mapping), protection


class LockedBuffer:
    """`size` bytes for one secret of any length, in separate pages: for secrets that are rare and short-lived."""

    __slots__ = ("view",)

    def __init__(self, size: int) -> None:
        self.view = _region(max(1, size))[0][:size]

    def shorten(self, size: int) -> None:
        """Keep the first `size` bytes; the rest must be 0 or is left behind."""
        self.view = self.view[:size]

    def wipe(self) -> None:
        self.view[:] = bytes(len(self.view))

    def __del__(self) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "<LockedBuffer>"


def wipe_bytes(data: bytes) -> None:
    """Zero an immutable object in place. Only for bytes that just came from a socket or file and that nobody shares.

    Python shares empty and one-byte objects, so those are left alone.
    """
    if len(data) > 1:
        ctypes.memset(ctypes.c_char_p(data), 0, len(data))


class Arena:
    """Hands out slots; grows by a region when all are taken. Safe to use from several threads."""

    def __init__(
        self,
        mlock: Callable[[int, int], bool] = _mlock,
        advise: Callable[[mmap.mmap, int], bool] = _advise,
    ) -> None:
        self._mlock = mlock
        self._advise = advise
        self._free: deque[memoryview] = deque()
        self._growing = Lock()
        self.protection = Protection(locked=True, undumpable=True, wiped_on_fork=True)

    def take(self) -> Slot:
        while True:
            try:
                return Slot(self._free.pop(), self._free)
            except IndexError:
                self._grow()

    def _grow(self) -> None:
        with self._growing:
            if self._free:
                return
            whole, protection = _region(REGION_SIZE, self._mlock, self._advise)
            self.protection &= protection
            self._free.extend(whole[start : start + SLOT_SIZE] for start in range(0, REGION_SIZE, SLOT_SIZE))


_arena: Final = Arena()


def take_slot() -> Slot:
    """A zeroed slot of the process's arena."""
    return _arena.take()


def protection() -> Protection:
    """What the system granted so far, for a daemon to report at start. (The import itself takes slots.)"""
    return _arena.protection
