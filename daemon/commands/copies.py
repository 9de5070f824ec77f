"""`musigd backup FILE` and `musigd restore FILE`."""

from __future__ import annotations

import argparse

from config.output.terminal import say
from daemon.commands.settings import datadir_from
from daemon.upkeep.backup import back_up_datadir, restore_datadir

OPENED = " and what opens them: keep it as you keep money."
SEALED = ", but not the passphrase that opens them: keep both, and apart."


def backup(arguments: argparse.Namespace) -> int:
    """Write database, keys and identity of the data directory to the file, while the daemon runs or not."""
    opens_itself = back_up_datadir(datadir_from(arguments), arguments.file)
    say(f"Wrote {arguments.file}. It holds your keys{OPENED if opens_itself else SEALED}\n")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Restore the file into an empty data directory, with a new peer identity."""
    datadir = datadir_from(arguments)
    restore_datadir(arguments.file, datadir)
    say(f"Restored into {datadir}. Open sessions were abandoned; start with `musigd run`.\n")
    return 0
