"""`musigd config show` and `musigd config check`."""

from __future__ import annotations

import argparse
import sys

from config.show import as_text

from .settings import ending_in_a_sentence, settings_from


@ending_in_a_sentence
def show(arguments: argparse.Namespace) -> int:
    """Print every effective setting with where it comes from."""
    sys.stdout.write(as_text(settings_from(arguments)) + "\n")
    return 0


@ending_in_a_sentence
def check(arguments: argparse.Namespace) -> int:
    """Read everything as `run` would, and say that it is well."""
    settings_from(arguments)
    sys.stdout.write("The settings are valid.\n")
    return 0
