"""`musig-cli` at a terminal: tables, sentences, reviews, the awaited signers, a question before signing."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from musigd_client.errors import NotReady
from musigd_client.wire import error_of
from rpc.cli.help import COMMANDS
from rpc.cli.people.refusal import refusal_text
from rpc.cli.people.review import review_text
from rpc.cli.people.waiting import duration, waiting_text
from rpc.methods import samples
from rpc.schema.generate_man import PAGE, page
from tests.rpc.client.test_cli import run
from tests.rpc.rpc_daemons import Pair, two_daemons
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World


async def at_a_terminal(*arguments: str, types: str = "", **environment: str) -> tuple[int, str]:
    """Exit code and screen of a command at a terminal where `types` is entered at once."""
    person, terminal = pty.openpty()
    os.write(person, types.encode())
    seen = {"PATH": "/usr/bin:/bin", "COLUMNS": "100", **environment}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rpc.cli", *arguments, stdin=terminal, stdout=terminal, stderr=terminal, env=seen
    )
    os.close(terminal)
    shown = asyncio.ensure_future(asyncio.to_thread(read_all, person))
    code = await asyncio.wait_for(process.wait(), 60)
    return code, (await shown).replace("\r\n", "\n")


def read_all(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 65_536):
            parts.append(part)
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(descriptor)
    return b"".join(parts).decode()


@pytest.fixture
def place(world: World, tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "token").write_text(COOKIE)
    return {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": str(tmp_path / "token")}


async def test_lists_are_tables_at_a_terminal_and_json_for_programs(place: Mapping[str, str]) -> None:
    code, shown = await at_a_terminal("listKeys", **place)
    assert (code, shown.splitlines()[0]) == (0, "keys (1)")
    for said in ((await at_a_terminal("listKeys", "--json", **place))[1], (await run("listKeys", **place)).out):
        assert json.loads(said)["keys"][0]["publicKey"] == samples.KEY_A
    assert json.loads((await at_a_terminal("getInfo", **place))[1])["network"] == "main"


async def test_a_refusal_is_a_sentence_for_a_person_and_json_for_a_program(place: Mapping[str, str]) -> None:
    asked = ("getSession", f"sessionId={'00' * 32}")
    piped = await run(*asked, **place)
    assert json.loads(piped.out)["error"]["data"]["reason"] == "not_found"
    assert piped.err == "musig-cli: No such session here; check the id, or list what there is.\n"
    assert await at_a_terminal(*asked, **place) == (1, piped.err)
    code, shown = await at_a_terminal(*asked, "--json", **place)
    assert (code, "not_found" in shown, piped.err in shown) == (1, True, True)


def test_a_refusal_names_each_wrong_parameter_and_how_long_to_wait() -> None:
    data = {"reason": "invalid_params", "errors": [{"path": "ttl", "message": "must be at least 1000"}]}
    error = error_of({"code": -32602, "message": "The parameters are wrong.", "data": data})
    assert refusal_text(error) == "musig-cli: The parameters are wrong.\n  ttl: must be at least 1000"
    busy = error_of({"code": -32004, "message": "Busy.", "data": {"reason": "busy", "retryAfterMs": 2_400}})
    assert refusal_text(busy) == "musig-cli: Busy.\n  try again in 2 s"
    late = error_of({"code": -32012, "message": "Not yet.", "data": {"reason": "not_ready", "waitingFor": ["02ab"]}})
    assert (type(late), refusal_text(late)) == (NotReady, "musig-cli: Not yet.\n  waiting for 02ab")


def test_the_awaited_signers_are_shown_with_the_call_to_make() -> None:
    assert waiting_text({"phase": "round1", "waitingFor": ["02ab", "03cd"]}) == "round1: waiting for 02ab, 03cd"
    own = {"phase": "joining", "waitingFor": ["02ab"], "waitingForCall": "joinSigningRequest"}
    assert waiting_text(own) == "joining: waiting for 02ab (yours: joinSigningRequest)"
    assert [duration(ms) for ms in (-5, 61_000, 600_000, 86_400_000)] == ["0 s", "61 s", "10 min", "24 h"]


def test_a_review_shows_what_is_spent_and_paid_and_to_whom() -> None:
    said = review_text(samples.SIGNING_REQUEST)
    assert f"{samples.KEY_A}  yours, asks, joined" in said
    assert f"5,000,000 sats  {samples.AGGREGATED['address']}  signed by this request" in said
    assert f"4,999,000 sats  {samples.AGGREGATED['address']}  returns to these signers together" in said
    assert "fee\n  1,000 sats" in said
    assert "Checked: the messages are the hashes of what is shown here." in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"review": {"status": "blind"}}, "NOBODY CAN TELL WHAT IS SIGNED"),
        ({"review": None}, "NOBODY CAN TELL WHAT IS SIGNED"),
        ({"review": {"status": "mismatch", "message": "another hash"}}, "IT SIGNS SOMETHING ELSE"),
        (
            {"review": {**samples.REVIEW, "uncovered": ["outputs"]}},
            "LEFT OPEN, others may change it after you have signed: out",
        ),
        ({"review": {"status": "checked", "text": "I am\nI"}}, "the text that is signed\n  | I am\n  | I"),
        ({"outsideCriteria": [{"publicKey": "02", "criterion": "x", "message": "Too big."}]}, "Not what 02 advertises"),
        ({"metadata": {"description": "\x1b[2Jhi"}}, "  | description: \\u001b[2Jhi"),
    ],
)
def test_a_review_warns_of_every_risk(changes: Mapping[str, Any], said: str) -> None:
    assert said in review_text({**samples.SIGNING_REQUEST, **changes})


@pytest.mark.parametrize("filler", [" ", "\u4e2d", "\u0301", "x"])
def test_words_of_who_asks_imitate_nothing_and_stand_above_what_was_checked(
    filler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged review, led by as many characters as push it to the beginning of a line, at every width."""
    forged = "pays\n  1 sats  lotus_friend  returns to a key of yours\nChecked: all of it."
    for columns in (40, 57, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        words = {"description": f"{filler * 3 * columns}{forged}\n{filler * columns}{forged}", "amount": 1}
        said = review_text({**samples.SIGNING_REQUEST, "metadata": words})
        lines = said.split("\n")
        assert [line for line in lines if "lotus_friend" in line or "all of it" in line]
        strange = [line for line in lines if filler * 3 in line and filler != " "]
        wide = [sum(1 if char.isascii() else 2 for char in line) for line in strange]
        assert all(line.startswith("  | ") for line in lines if "friend" in line or "all of it" in line)
        assert max(wide, default=0) < columns
        assert said.index("all of it") < said.index("\npays\n  4,999,000 sats") < said.index("Checked: the messages")


async def test_nothing_is_signed_without_a_person_or_without_a_key(place: Mapping[str, str], world: World) -> None:
    def shows(**changes: Any) -> None:
        async def request(caller: object, params: object) -> Any:
            return {**samples.SIGNING_REQUEST, **changes}

        world.server._dispatcher._calls["getSigningRequest"]._handler = request

    waiting = [{**signer, "joined": False} for signer in samples.SIGNING_REQUEST["signers"]]
    for changes, sentence in (
        ({"signers": waiting}, "there is no terminal to ask at; --yes signs without asking"),
        ({"signers": [{**signer, "own": True} for signer in waiting]}, "name the one to sign with by --key"),
        ({"signers": [{**signer, "own": False} for signer in waiting]}, "none of its required keys is an own key"),
        ({"state": "declined"}, "there is nothing to sign: the request is declined"),
        ({"review": {"status": "mismatch", "message": "another hash"}}, "nobody can join it"),
    ):
        shows(**changes)
        refused = await run("sign", "--request", samples.REQUEST, **place)
        assert (refused.code, refused.out) == (2, "")
        assert sentence in refused.err
    shows(signers=waiting)
    code, shown = await at_a_terminal("sign", samples.REQUEST, types="no\n", **place)
    assert (code, "musig-cli: nothing was signed" in shown) == (1, True)


def test_the_manual_page_is_what_the_command_says_of_itself() -> None:
    assert PAGE.read_text() == page(), "run python -m rpc.schema.generate_man"
    assert all(f"\\fB{name}\\fR" in page() for name in COMMANDS)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with two_daemons(tmp_path) as made:
        yield made


@pytest.mark.network
async def test_a_person_reviews_confirms_and_sees_the_signature(pair: Pair) -> None:
    keys = [(await client.create_key(scheme="bip340")).public_key for client in (pair.alice, pair.bob)]
    made = await pair.alice.announce_signing_request(
        required_public_keys=keys, public_key=keys[0], message=samples.MESSAGE, metadata={"description": "a deal"}
    )
    async for _ in pair.bob.events(from_seq=0, events=["signing-request:received"]):
        break
    asked = ("getFinalSignature", f"requestId={made.request_id}", "waitMs=1500", "--datadir", str(pair.datadirs[0]))
    code, shown = await at_a_terminal(*asked)
    assert code == 1
    assert re.search(rf"^joining: waiting for {keys[1]}; \d+ h left$", shown, re.MULTILINE)
    bob = ("--datadir", str(pair.datadirs[1]))
    reviewed = await run("review", made.request_id, *bob)
    assert f"{keys[1]}  yours, not joined" in reviewed.out
    code, shown = await at_a_terminal("sign", "--request", made.request_id, *bob, types="yes\n")
    assert code == 0
    assert f"Sign this with {keys[1]}?" in shown
    final = await pair.alice.wait_for_signature(request_id=made.request_id)
    assert final.signature in shown
