"""Every setting is read by some part of the program."""

from __future__ import annotations

import re
from pathlib import Path

from config.settings import setting_names
from tests.project.test_sizes import PROJECT, sources

TELLING = {"sections.py", "settings.py", "sample.py", "show.py"}  # they define and show settings


def test_no_setting_is_without_effect() -> None:
    readers = [
        path for top in ("config", "daemon", "p2p", "rpc") for path in sources(top) if Path(path).name not in TELLING
    ]
    text = "\n".join((PROJECT / path).read_text() for path in readers)
    unread = [name for name in setting_names() if not re.search(rf"\.{name.rpartition('.')[2]}\b", text)]
    assert unread == [], "read it where it takes effect, or remove it"
