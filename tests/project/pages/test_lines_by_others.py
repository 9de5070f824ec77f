"""Every log call is named with who can cause it, and what others cause has a fixed event, by which it is bounded.

The bound is in one place, `config/output/bounded_log.py`: so many lines a minute of each place and event. A text that
holds what a peer says would make each line a kind of its own, so it belongs into a fact beside the event.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[3]
LEVELS = ("info", "warning", "error", "exception", "critical")
PEER, ROUTER, RECEIVER, CLIENT = "peer", "router", "receiver of a webhook", "client"
BY_OTHERS = {  # a byte of theirs can lead there, be it through a fault of ours
    "config/output/printed.py: '%s'": PEER,  # what libraries print
    "config/output/printed.py: 'a thread ended with an error'": PEER,
    "config/output/printed.py: told.err_msg or 'an error that nobody could catch'": PEER,
    "daemon/audit/calls.py: 'a refused call is not on record'": CLIENT,
    "daemon/discovery/peers/clocks.py: 'the clock of this machine is right again'": PEER,
    "daemon/discovery/peers/clocks.py: 'the clock of this machine is wrong'": PEER,
    "daemon/discovery/sync/cursors.py: 'cursors could not be stored; some log pages may be read twice'": PEER,
    "daemon/discovery/sync/rounds.py: 'what a peer sent could not be stored'": PEER,
    "daemon/keys/attempts.py: 'a wrong passphrase was given'": CLIENT,
    "daemon/peers/junction.py: 'a fact about a peer could not be stored'": PEER,
    "daemon/peers/junction.py: 'peer banned'": PEER,
    "daemon/signing/engine/engine.py: 'a commit failed; its requests are tried one by one'": PEER,
    "daemon/signing/engine/engine.py: 'a request cannot be stored'": PEER,
    "daemon/signing/engine/engine.py: "
    "'a turn of the signing engine failed; its input is lost and will be sent again'": PEER,
    "daemon/signing/engine/engine.py: 'an input failed; its request is rebuilt from the store'": PEER,
    "daemon/signing/engine/signer.py: 'a key cannot sign now'": PEER,
    "daemon/signing/engine/signer.py: 'an attempt is burned'": PEER,
    "daemon/signing/owner/consent.py: 'the policy holds a key back'": PEER,
    "daemon/signing/owner/declines.py: 'a request of another scheme cannot be declined yet'": PEER,
    "daemon/signing/owner/declines.py: 'a request of another scheme is declined'": PEER,
    "daemon/signing/owner/in_the_log.py: LINES[ruling.verdict]": PEER,
    "daemon/signing/peers/new_requests.py: 'a request gives way to one of who asks for less'": PEER,
    "daemon/signing/peers/new_requests.py: 'a request is not taken'": PEER,
    "daemon/signing/peers/notices.py: 'a peer asks one of our keys and cannot be reached'": PEER,
    "daemon/signing/peers/outcomes.py: 'a key in conflict could not be paused'": PEER,
    "daemon/signing/peers/outcomes.py: 'a signer broke the protocol'": PEER,
    "daemon/signing/peers/outcomes.py: 'an own key is used elsewhere and is paused'": PEER,
    "daemon/tasks.py: 'a background task failed'": PEER,
    "daemon/webhooks/deliveries.py: 'webhook_not_taken'": RECEIVER,
    "p2p/bridge/mirror.py: 'a directory question could not be answered'": PEER,
    "p2p/bridge/mirror.py: 'another peer answers at %s: %s'": PEER,
    "p2p/bridge/portal.py: 'a call into the libp2p side failed'": PEER,
    "p2p/bridge/portal.py: 'a callback of the libp2p side failed; its items are lost'": PEER,
    "p2p/bridge/supervisor.py: 'the libp2p side ended and is started again'": PEER,
    "p2p/port_mapping/mappings.py: '%s'": ROUTER,
    "p2p/port_mapping/mappings.py: 'no port is mapped: %s'": ROUTER,
    "p2p/port_mapping/mappings.py: 'port %d is mapped: %s:%d, by %s'": ROUTER,
    "p2p/port_mapping/mappings.py: 'port %d is no longer mapped at %s'": ROUTER,
    "p2p/port_mapping/mappings.py: 'port %d stays mapped at %s: %s'": ROUTER,
    "p2p/port_mapping/mappings.py: 'the router %s has forgotten port %d: it is mapped again'": ROUTER,
    "rpc/calls/call.py: 'rpc.call_failed'": CLIENT,
}
BY_ITSELF = {  # the owner, the system, or time
    "daemon/commands/run.py: 'a part did not stop cleanly'",
    "daemon/commands/run.py: 'musigd is ready'",
    "daemon/commands/run.py: 'stopped at once, by a second signal'",
    "daemon/commands/run.py: 'stopping'",
    "daemon/commands/run.py: IGNORED",
    "daemon/discovery/directory/damage.py: '%d lines of the stored directory were damaged; they are fetched again.'",
    "daemon/discovery/own/renewal.py: 'An advertisement expires soon and cannot be renewed (%s): unlock the keys.'",
    "daemon/host/systemd_notify.py: 'a part of the daemon does not answer; the watchdog will end it'",
    "daemon/host/systemd_notify.py: 'it answers again'",
    "daemon/keys/lock_events.py: 'the event of a lock or unlock could not be stored'",
    "daemon/keys/lock_events.py: 'the keys are locked' if locked else 'the keys are unlocked'",
    "daemon/peers/junction.py: 'the network is down'",
    "daemon/peers/junction.py: 'the network is up again'",
    "daemon/reload.py: 'a reload failed for one thing, which stays as it was'",
    "daemon/reload.py: 'settings read again'",
    "daemon/store/store.py: f'store.{error.reason}'",
    "daemon/upkeep/file_watch.py: 'a file of the daemon is lost'",
    "daemon/upkeep/file_watch.py: 'a file of the daemon was lost and is made again'",
    "daemon/upkeep/retention.py: 'old rows could not be removed'",
    "p2p/bridge/portal.py: 'the asyncio loop was closed before the libp2p side had stopped'",
    "p2p/node/mdns.py: 'mDNS is not available here: %s'",
}


class Line(NamedTuple):
    """A call that logs. `place`: file and event, as the code has it."""

    place: str
    event: ast.expr


def log_calls() -> Iterator[Line]:
    for top in ("config", "daemon", "musig2", "p2p", "rpc"):
        for path in sorted((PROJECT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and is_log(node.func):
                    event = node.args[0]
                    yield Line(f"{path.relative_to(PROJECT)}: {ast.unparse(event)}", event)


def is_log(called: ast.expr) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr not in LEVELS:
        return False
    name = called.value.attr if isinstance(called.value, ast.Attribute) else getattr(called.value, "id", "")
    return name in ("log", "_log", "logger", "_logger")


def test_of_every_log_call_it_is_known_who_can_cause_it() -> None:
    found = {line.place for line in log_calls()}
    assert found - BY_OTHERS.keys() - BY_ITSELF == set(), "say here whether bytes of others can lead to this line"
    assert (BY_OTHERS.keys() | BY_ITSELF) - found == set(), "no such line: take it out here"


def test_what_others_cause_has_a_fixed_event() -> None:
    variable = {line.place for line in log_calls() if isinstance(line.event, ast.JoinedStr | ast.BinOp)}
    assert variable & BY_OTHERS.keys() == set(), "put what varies into a fact beside the event"


def test_every_line_of_the_daemon_goes_through_the_bound() -> None:
    emitting = (PROJECT / "config/logging.py").read_text(encoding="utf-8")
    assert "self._bounds.admits(record)" in emitting
    assert "getLogger().handlers[:] = [handler]" in emitting, "the only handler of the process"
