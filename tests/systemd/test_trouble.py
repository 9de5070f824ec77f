"""A start that cannot work ends with a sentence; one that may work later is tried again."""

from __future__ import annotations

import fcntl

import pytest

from tests.debian import api
from tests.systemd.unit import STATE, Unit

FULL_BYTES = 3 * 2**20


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MUSIGD_LOG__LEVEL", "loud", "log.level"),
        ("MUSIGD_COLOUR", "blue", "Unknown setting"),
        ("MUSIGD_RPC__LISTEN", "0.0.0.0:8327", "tls_cert"),
        ("MUSIGD_KEYS__PASSPHRASE_FILE", "/nowhere", "/nowhere"),
    ],
)
def test_a_wrong_setting_ends_the_start_once(unit: Unit, name: str, value: str, sentence: str) -> None:
    unit.environment(**{name: value})

    done = unit.systemctl("start")

    assert done.returncode != 0
    assert sentence in unit.journal.until("musigd: ")
    assert (unit.exit_status(), unit.show("NRestarts"), unit.show("ActiveState")) == ("2", "0", "failed")


def test_a_state_directory_that_another_daemon_uses_ends_the_start_once(unit: Unit) -> None:
    unit.start()
    unit.machine.run("systemctl", "stop", "musigd")
    holding = unit.machine.path(f"{STATE}/lock").open()
    with holding:
        fcntl.flock(holding, fcntl.LOCK_EX)

        unit.systemctl("start")

    assert "in use" in unit.journal.until("musigd: ")
    assert (unit.exit_status(), unit.show("NRestarts"), unit.show("ActiveState")) == ("3", "0", "failed")


def test_a_read_only_state_directory_ends_the_start_once(unit: Unit) -> None:
    unit.start()
    unit.machine.run("systemctl", "stop", "musigd")
    unit.drop_in(f"ReadOnlyPaths={STATE}")

    unit.systemctl("start")

    assert STATE in unit.journal.until("musigd: ")
    assert (unit.exit_status(), unit.show("NRestarts"), unit.show("ActiveState")) == ("2", "0", "failed")


def test_a_full_state_directory_is_told_and_mends_without_a_restart(unit: Unit) -> None:
    unit.start()
    unit.machine.run("systemctl", "stop", "musigd")
    small = ("mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES},mode=0700,uid={owner_of(unit)},gid={owner_of(unit)}")
    unit.machine.run(*small, "tmpfs", STATE)
    unit.drop_in("WatchdogSec=4")
    unit.start()
    unit.machine.attempt("dd", "if=/dev/zero", f"of={STATE}/ballast", "bs=64k")

    refused = api.refused(unit.socket, "createKey", scheme="lotus")
    unit.fed(times=4)
    unit.machine.run("rm", f"{STATE}/ballast")

    assert "full" in refused["message"]
    assert unit.call("createKey", scheme="lotus")["publicKey"]
    assert unit.call("getInfo")["ready"] is True
    assert unit.show("NRestarts") == "0"


def owner_of(unit: Unit) -> int:
    return unit.machine.path(STATE).stat().st_uid
