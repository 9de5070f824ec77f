"""The collector of garbage looks at new objects only, and at all of them once in a while."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
BEGIN = """
import gc, json, sys, weakref
from daemon.host.memory import DUE, GARBAGE
if "by-default" not in sys.argv:
    GARBAGE.begin()
"""
LOOKED_AT = """
seen = []
def look(phase, info):
    if phase == "start" and info["generation"] == 2:
        seen.append(sum(len(gc.get_objects(generation=each)) for each in range(3)))
gc.callbacks.append(look)
kept = [[number] for number in range(400_000)]
print(json.dumps([len(seen), max(seen)]))
"""
TIDIED = """
class Ring:
    def __init__(self):
        self.itself = self
ring = Ring()
dead = weakref.ref(ring)
kept = []
while GARBAGE.aside < DUE:
    kept.append([])
del ring
gc.collect()
found = [dead() is None]
found += [GARBAGE.tidy(calm=False), dead() is None]
found += [GARBAGE.tidy(calm=True), dead() is None, GARBAGE.tidy(calm=True), gc.get_freeze_count() > len(kept)]
print(json.dumps(found))
"""


def said(program: str, *words: str) -> str:
    """What a process of its own prints: the collector belongs to all of it."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_collection_looks_at_what_is_new_however_much_is_kept() -> None:
    times, most = map(int, said(LOOKED_AT).strip("[]").split(","))
    assert times > 5
    assert most < 40_000
    assert int(said(LOOKED_AT, "by-default").strip("[]").split(",")[1]) > 150_000


def test_a_cycle_that_was_set_aside_is_freed_when_all_is_looked_at_while_nothing_is_signed() -> None:
    assert said(TIDIED) == "[false, false, false, true, true, false, true]"
