"""What is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
from daemon.host.memory import give_back
def resident():
    return int(open("/proc/self/statm").read().split()[1])
pieces = [bytes(1_000) for _ in range(40_000)]
last = pieces[-1]  # at the end of the heap: all before it stays with the C library
del pieces
before = resident()
give_back()
print(before - resident())
"""


def test_freed_memory_between_what_is_in_use_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(done.stdout) > 5_000  # pages
