"""A daemon of which one part has stopped is told by systemd's watchdog, killed and started again."""

from __future__ import annotations

import pytest

from tests.systemd.unit import NAME, Unit

PERIOD = ("WatchdogSec=4", "RestartSec=100ms")
READY = "musigd is ready"


@pytest.fixture
def watched(unit: Unit) -> Unit:
    """A running unit whose watchdog waits four seconds instead of sixty."""
    unit.with_faults(*PERIOD)
    unit.start()
    unit.journal.until(READY)
    return unit


def test_a_daemon_that_works_feeds_its_watchdog(watched: Unit) -> None:
    watched.fed(times=6)

    assert (watched.show("NRestarts"), watched.show("ActiveState")) == ("0", "active")


def test_a_stopped_event_loop_ends_in_a_restart(watched: Unit) -> None:
    watched.fault("stop MainThread")

    watched.journal.until("Watchdog timeout")
    watched.journal.until(READY)

    assert watched.show("NRestarts") == "1"
    assert watched.call("getInfo")["ready"] is True


@pytest.mark.parametrize(("thread", "named"), [("musigd-store", "the store"), ("libp2p", "libp2p")])
def test_a_stuck_thread_is_named_in_the_log_and_ends_in_a_restart(watched: Unit, thread: str, named: str) -> None:
    watched.fault(f"stop {thread}")

    assert named in watched.journal.until("does not answer")
    watched.journal.until("Watchdog timeout")
    watched.journal.until(READY)

    assert watched.show("NRestarts") == "1"
    assert watched.call("getInfo")["ready"] is True


def test_a_libp2p_thread_that_dies_is_replaced_without_a_restart(watched: Unit) -> None:
    before = watched.call("getInfo")["peerId"]

    watched.fault("end libp2p")
    watched.journal.until("the libp2p side ended and is started again")
    watched.journal.until("the network is up again")

    assert (watched.show("NRestarts"), watched.show("ActiveState")) == ("0", "active")
    assert watched.call("getInfo")["peerId"] == before


def test_a_stop_ends_in_time_though_the_libp2p_thread_is_stuck(watched: Unit) -> None:
    watched.fault("stop libp2p")

    watched.systemctl("stop")

    assert watched.show("Result") in ("success", "exit-code"), "systemd had to kill it"


def test_kill_9_ends_in_a_restart_with_everything_there(watched: Unit) -> None:
    made = watched.call("createKey", scheme="lotus")["publicKey"]

    watched.machine.run("systemctl", "kill", "--signal=KILL", NAME)
    watched.journal.until("Main process exited")
    watched.journal.until(READY)

    assert watched.show("NRestarts") == "1"
    assert [key["publicKey"] for key in watched.call("listKeys")["keys"]] == [made]
