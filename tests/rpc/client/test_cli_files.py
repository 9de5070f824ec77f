"""`musig-cli`: a token into a file, and times as dates."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from rpc.cli import api
from rpc.cli.params import UsageError, params_of
from tests.rpc.client.test_cli import run
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World


async def test_a_token_goes_into_a_new_file_of_its_owner_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "cookie").write_text(COOKIE)
    place = {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": str(tmp_path / "cookie")}
    file = tmp_path / "anna.token"
    made = await run("createToken", "scopes=read,approve", "label=anna", "--to", str(file), **place)
    assert made.code == 0, made.err
    token = file.read_text().strip()
    told = json.loads(made.out)
    assert ("token" in told, told["tokenFile"]) == (False, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await run("getInfo", "--token-file", str(file), "--url", world.base)).code == 0
    tokens = len(world.tokens.all())
    again = await run("createToken", "scopes=read", "--to", str(file), **place)
    assert (again.code, file.read_text().strip(), len(world.tokens.all())) == (2, token, tokens)
    refused = await run("createToken", "scopes=nothing", "--to", str(tmp_path / "none"), **place)
    assert (refused.code, (tmp_path / "none").exists()) == (1, False)
    assert (await run("getInfo", "--to", str(tmp_path / "none"), **place)).code == 2


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-27", 1_795_737_600_000),
        ("2026-11-27T01:00", 1_795_741_200_000),
        ("2026-11-27T01:00:00+01:00", 1_795_737_600_000),
        ("7", 7),
    ],
)
def test_a_time_is_a_date_in_utc_or_milliseconds(text: str, ms: int) -> None:
    assert params_of(api.METHODS["createToken"], [f"expiresAt={text}"]) == {"expiresAt": ms}
    assert params_of(api.METHODS["approveRequest"], [f"until={text}"]) == {"until": ms}


def test_what_is_no_date_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match="expiresAt: 2026-13-01 is no date or time such as 2026-11-27"):
        params_of(api.METHODS["createToken"], ["expiresAt=2026-13-01"])


async def test_the_socket_is_never_used_in_place_of_a_token_that_was_named(world: World, tmp_path: Path) -> None:
    for besides in (("--token-file", str(tmp_path / "weaker")), ("--url", world.base)):
        refused = await run("getInfo", "--socket", *besides)
        assert (refused.code, "leave out" in refused.err) == (2, True)
    asked = await run("getInfo", "--socket", MUSIG_URL=world.base, MUSIGD_DATADIR=str(tmp_path))
    assert (asked.code, str(tmp_path) in asked.err) == (3, True)
