"""`systemctl stop` while a session is open."""

from __future__ import annotations

import secrets

from tests.systemd.unit import Unit


def test_a_stop_with_an_open_session_is_clean_and_in_time_and_the_session_goes_on_later(unit: Unit) -> None:
    unit.start()
    first, second = (unit.call("createKey", scheme="lotus")["publicKey"] for _ in range(2))
    made = unit.call(
        "announceSigningRequest",
        requiredPublicKeys=[first, second],
        publicKey=first,
        message=secrets.token_hex(32),
        autoAdvance=False,
    )
    request = made["requestId"]
    unit.call("joinSigningRequest", requestId=request, publicKey=second, autoAdvance=False)
    unit.call("startRound1", sessionId=made["sessionId"], publicKey=first)

    stopped = unit.systemctl("stop")

    assert stopped.returncode == 0
    assert (unit.exit_status(), unit.show("Result"), unit.show("ActiveState")) == ("0", "success", "inactive")
    unit.start()
    session = next_attempt(unit, after=made["sessionId"])
    for number in (1, 2):
        for key in (first, second):
            unit.call(f"startRound{number}", sessionId=session, publicKey=key)
    assert unit.call("getFinalSignature", requestId=request, waitMs=60_000)["signature"]


def next_attempt(unit: Unit, after: str) -> str:
    """Wait until everybody has joined another session than this one; its id."""
    seq = 1
    while True:
        page = unit.call("getEvents", fromSeq=seq, events=["session:ready"], waitMs=60_000)
        assert page["events"], "no other attempt begins"
        found = [event["data"]["sessionId"] for event in page["events"] if event["data"]["sessionId"] != after]
        if found:
            return str(found[0])
        seq = page["nextSeq"]
