"""`musigd config show`, `musigd config check` and `musigd config sample`."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from config.output.terminal import complain, say
from config.sample import sample
from config.settings import Settings
from config.show import as_text, effective
from daemon.commands.settings import FLAGS, datadir_from, say_what_was_ignored, settings_from
from daemon.commands.settings_in_force import settings_of_running
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.datadir import group_id
from daemon.limits import network_config, rpc_config
from daemon.upkeep.policy_file import read_as_a_start
from p2p.announce import check_addresses
from p2p.errors import NetworkError
from rpc.errors import ListenError
from rpc.server.listen import require_safe, tls_context


class UnusableSetting(DaemonError):
    """A setting names a file or address that does not exist; the sentence names the setting."""

    exit_code = EXIT_CONFIGURATION


def show(arguments: argparse.Namespace) -> int:
    """Print every setting and where it comes from: of the running daemon, otherwise as a start would read it."""
    datadir = datadir_from(arguments)
    running = None if _is_about_a_start(arguments) else asyncio.run(settings_of_running(datadir))
    if running is not None:
        rows, problem = running
        say(f"# The daemon of {datadir} runs with these settings.\n{as_text(rows)}\n")
        if problem is not None:
            complain(f"musigd: a restart would fail: {problem}")
        return 0
    settings = settings_from(arguments)
    say_what_was_ignored(settings)
    say(f"# A start with {datadir} would read these settings.\n{as_text(effective(settings))}\n")
    return 0


def print_sample(arguments: argparse.Namespace) -> int:
    """Print a commented file with every setting."""
    say(sample(FLAGS))
    return 0


def _is_about_a_start(arguments: argparse.Namespace) -> bool:
    """Whether flags for settings are given: then the question is what a start with them would do."""
    return arguments.fresh or arguments.config is not None or any(getattr(arguments, flag) for flag in FLAGS.values())


def check(arguments: argparse.Namespace) -> int:
    """Read the settings as `run` would, check the files and addresses they name, and report success."""
    settings = settings_from(arguments)
    say_what_was_ignored(settings)
    _look_for_what_is_named(settings, datadir_from(arguments))
    say("The settings are valid.\n")
    return 0


def _look_for_what_is_named(settings: Settings, datadir: Path) -> None:
    listener = rpc_config(settings, "", Path())
    try:
        check_addresses(network_config(settings, ""))
        require_safe(listener)
        tls_context(listener)
    except (NetworkError, ListenError) as error:
        raise UnusableSetting(str(error)) from error
    read_as_a_start(settings.policy.file, datadir)
    if settings.rpc.cookie_group is not None:
        group_id(settings.rpc.cookie_group)
    passphrase = settings.keys.passphrase_file
    if passphrase is not None and (passphrase.is_dir() or not os.access(passphrase, os.R_OK)):
        raise UnusableSetting(f"keys.passphrase_file: {passphrase} cannot be read: correct the path, or its rights.")
