"""`systemctl reload`, on a system without any `kill` program: it says whether the settings were taken over."""

from __future__ import annotations

from tests.systemd.unit import Unit


def test_reload_needs_no_program_of_the_system(unit: Unit) -> None:
    assert unit.machine.attempt("sh", "-c", "test -e /bin/kill || test -e /usr/bin/kill").returncode == 1
    unit.start()
    before = unit.show("MainPID")

    unit.settings('[log]\nlevel = "debug"\n')
    done = unit.systemctl("reload")

    assert done.returncode == 0, done.stderr
    assert "log.level" in unit.journal.until("settings read again")
    assert (unit.show("MainPID"), unit.show("ActiveState")) == (before, "active")


def test_reload_leaves_the_status_line_in_place(unit: Unit) -> None:
    unit.start()
    before = unit.show("StatusText")

    unit.systemctl("reload")

    assert unit.show("StatusText") == before


def test_reload_of_a_file_that_cannot_be_read_fails_with_the_sentence_and_changes_nothing(unit: Unit) -> None:
    unit.start()

    unit.settings("[log\n")
    done = unit.systemctl("reload")

    assert done.returncode != 0
    assert "no valid TOML" in unit.journal.until("musigd: ")
    assert unit.show("ActiveState") == "active"
    assert unit.call("getInfo")["ready"] is True
