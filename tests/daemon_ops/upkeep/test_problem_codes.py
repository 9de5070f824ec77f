"""docs/operating.md has every problem that the daemon reports, with its remedy, and no other."""

from __future__ import annotations

import re
from typing import Final

from p2p.ports import MappingFault
from tests.project.locks import PROJECT

SOURCES: Final = (
    "daemon/discovery/peers/problems.py",
    "daemon/api/reachability.py",
    "daemon/api/info.py",
    "daemon/upkeep/health.py",
    "daemon/upkeep/file_remedies.py",
    "daemon/upkeep/times_ahead.py",
)
BESIDES: Final = {  # the store's errors, /readyz alone, and what the router says
    *("database_gone", "lock_gone", "shutting_down"),
    *MappingFault,
}
_CODE: Final = re.compile(r'(?:Problem|REASON: Final =)?[(\s]\s*"(locked|[a-z0-9]+(?:_[a-z0-9]+)+)"[,\n]')


def test_every_problem_stands_on_the_page_with_its_remedy() -> None:
    section = (PROJECT / "docs/operating.md").read_text(encoding="utf-8").partition("## What to watch")[2]
    listed = re.findall(r"^\| `([a-z0-9_]+)` \| .{20,}", section, re.MULTILINE)
    reported = {code for path in SOURCES for code in _CODE.findall((PROJECT / path).read_text(encoding="utf-8"))}
    assert set(listed) == reported | BESIDES
    assert listed == sorted(listed)


def test_no_other_place_makes_problems() -> None:
    made = {
        str(path.relative_to(PROJECT))
        for folder in ("daemon", "rpc")
        for path in (PROJECT / folder).rglob("*.py")
        if re.search(r"\bProblem\($", path.read_text(encoding="utf-8"), re.MULTILINE)
        or re.search(r"[^a-zA-Z]Problem\(\"", path.read_text(encoding="utf-8"))
    }
    assert made <= {*SOURCES, "rpc/server/routes.py"}
