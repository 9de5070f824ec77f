"""`musigd doctor`."""

from __future__ import annotations

import argparse
import os

from config.output.terminal import say
from daemon.commands.settings import datadir_from, say_what_was_ignored, settings_from
from daemon.upkeep.doctor import Severity, examine


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was checked; 1 if something keeps a daemon from working."""
    settings = settings_from(arguments)
    say_what_was_ignored(settings)
    findings = examine(settings, datadir_from(arguments), os.environ)
    for finding in findings:
        say(f"{finding}\n")
    return int(any(finding.severity is Severity.FAULT for finding in findings))
