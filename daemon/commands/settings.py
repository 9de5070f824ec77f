"""Finds the data directory and reads the settings, for every command."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from config.load import load_settings
from config.locations import config_file_of, datadir_of
from config.output.terminal import complain
from config.settings import Settings

IGNORED = "variables that Kubernetes sets for a Service are no settings and are ignored"
FLAGS = {
    "network": "network",
    "rpc.listen": "rpc_listen",
    "p2p.listen": "p2p_listen",
    "p2p.bootstrap": "bootstrap",
    "log.level": "log_level",
    "log.format": "log_format",
}


def datadir_from(arguments: argparse.Namespace) -> Path:
    """The data directory from flag and environment."""
    return datadir_of(arguments.datadir, os.environ)


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The effective settings. Raises SettingsError."""
    given = {name: getattr(arguments, attribute) for name, attribute in FLAGS.items()}
    file, must_exist = config_file_of(arguments.config, os.environ, datadir_from(arguments))
    return load_settings(flags=given, file=file, must_exist=must_exist)


def say_what_was_ignored(settings: Settings) -> None:
    """One line on stderr about variables of Kubernetes that look like ours; `run` logs it instead."""
    if settings.ignored_variables:
        complain(f"musigd: {IGNORED}: {', '.join(settings.ignored_variables)}.")
