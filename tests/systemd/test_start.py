"""A start as systemd sees it: ready, status, sandbox, what stands on the disk."""

from __future__ import annotations

from tests.systemd.unit import STATE, Unit


def test_start_returns_when_the_api_answers(unit: Unit) -> None:
    unit.start()

    assert unit.call("getInfo")["ready"] is True
    assert unit.show("ActiveState") == "active"
    assert unit.show("Type") == "notify"


def test_the_status_line_says_where_the_daemon_is_and_who(unit: Unit) -> None:
    unit.start()

    assert unit.show("StatusText") == f"rpc http://127.0.0.1:8327/rpc, peer {unit.call('getInfo')['peerId']}"


def test_the_daemon_runs_as_its_own_user_without_capabilities_in_a_closed_sandbox(unit: Unit) -> None:
    unit.start()

    status = unit.machine.path(f"/proc/{unit.show('MainPID')}/status").read_text()
    rights = dict(line.split(":\t", 1) for line in status.splitlines())
    assert "0" not in rights["Uid"].split()
    assert {rights[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (rights["NoNewPrivs"], rights["Seccomp"]) == ("1", "2")
    exposure = unit.machine.run("systemd-analyze", "security", "musigd.service", "--no-pager").splitlines()[-1]
    assert "OK" in exposure, exposure


def test_nobody_else_can_read_the_state_directory(unit: Unit) -> None:
    unit.start()

    open_to_others = unit.machine.run("find", f"{STATE}/", "-perm", "/0077", "-not", "-type", "s").split()

    assert open_to_others == []
    assert unit.machine.attempt("runuser", "-u", "nobody", "--", "ls", f"{STATE}/").returncode != 0


def test_a_key_made_before_a_restart_is_there_after_it(unit: Unit) -> None:
    unit.start()
    made = unit.call("createKey", scheme="lotus")["publicKey"]

    unit.machine.run("systemctl", "restart", "musigd")

    assert [key["publicKey"] for key in unit.call("listKeys")["keys"]] == [made]
