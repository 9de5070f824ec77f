"""`musig-cli` as a shell sees it: output, exit codes, secrets kept off the command line, completion."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from rpc.calls.params import params_of as checked
from rpc.cli.completion import completion
from rpc.cli.help import example_line, method_help, methods_help
from rpc.cli.params import UsageError, is_secret, params_of
from rpc.cli.table import as_table
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


async def run(*arguments: str, stdin: str = "", **environment: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rpc.cli",
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 20)
    return Ran(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(COOKIE + "\n")
    return str(path)


async def test_answer_is_json_and_a_refusal_too_with_its_exit_code(world: World, token_file: str) -> None:
    place = {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": token_file}
    made = await run("createKey", "scheme=lotus", "label=my phone", **place)
    assert made.code == 0
    assert orjson.loads(made.out)["label"] == "my phone"
    refused = await run("getSession", f"sessionId={'00' * 32}", **place)
    assert refused.code == 1
    assert orjson.loads(refused.out)["error"]["data"]["reason"] == "not_found"
    assert (await run("createKey", "schema=lotus", **place)).code == 2
    Path(token_file).write_text("wrong")
    assert (await run("getInfo", **place)).code == 4
    assert (await run("getInfo", "--url", "http://127.0.0.1:9", "--token-file", token_file)).code == 3


async def test_secret_is_read_from_file_or_input_and_refused_on_the_command_line(
    world: World, token_file: str, tmp_path: Path
) -> None:
    place = {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": token_file}
    refused = await run("importKey", f"privateKey={samples.PRIVATE_KEY_C}", "scheme=lotus", **place)
    assert refused.code == 2
    assert samples.PRIVATE_KEY_C not in refused.err
    secret = tmp_path / "key"
    secret.write_text("aa" * 32 + "\n")
    assert (await run("importKey", f"privateKey=@{secret}", "scheme=lotus", **place)).code == 0
    assert (await run("importKey", "privateKey=-", "scheme=lotus", stdin="bb" * 32, **place)).code == 0


async def test_events_are_followed_line_by_line(world: World, token_file: str) -> None:
    world.log.append("session:ready", "session:complete", "session:ready", publicKeys=[])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rpc.cli", "--url", world.base, "--token-file", token_file),
        *("events", "--from", "1", "--event", "session:ready"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        heard = [orjson.loads(await process.stdout.readline())["seq"] for _ in range(2)]
        world.log.append("session:ready", publicKeys=[])
        heard.append(orjson.loads(await process.stdout.readline())["seq"])
    process.kill()
    await process.wait()
    assert heard == [1, 3, 4]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_help_and_completion_know_every_method_and_parameter(method: Method) -> None:
    assert method.name in methods_help()
    said = method_help(method)
    for name, info in method.params.model_fields.items():
        assert str(info.alias) in said, name
    for shell in ("bash", "zsh", "fish"):
        script = completion(shell)
        assert method.name in script
        assert all(f"{info.alias}=" in script for info in method.params.model_fields.values())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("createKey", ["lotus or bip340; required", "text (at most 100 characters)"]),
        ("findAvailableSigners", ["integer (1 to 500); default 50", "boolean; default false"]),
        (
            "announceSigningRequest",
            [
                "array (2 to 100) of public key (33 bytes hex); required",
                "messages[].tweaks[].xOnly",
                "lexicographic or hash-based or first-signer or last-signer",
                'default {"method":"lexicographic"}',
            ],
        ),
        ("createToken", ["array (1 to 4) of read or discover or sign or admin; required"]),
        ("getInfo", ["it takes no parameters"]),
    ],
)
def test_help_tells_types_ranges_defaults_and_values(name: str, parts: list[str]) -> None:
    said = method_help(METHODS[name])
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_example_in_the_help_means_the_params_of_the_table(method: Method, tmp_path: Path) -> None:
    words = shlex.split(example_line(method))[2:]
    secrets = {info.alias: name for name, info in method.params.model_fields.items() if is_secret(info)}
    for name in secrets:
        (tmp_path / str(name)).write_text(str(method.example[str(name)]))
    words = [word.replace("=@FILE", f"=@{tmp_path / word.partition('=')[0]}") for word in words]
    assert params_of(method, words) == method.example
    checked(method.params, params_of(method, words))


def test_values_become_what_the_method_wants() -> None:
    found = params_of(METHODS["findAvailableSigners"], ["transactionType=swap", "minAmount=5", "refresh=true"])
    assert found == {"transactionType": "swap", "minAmount": 5, "refresh": True}
    for words in ("spend,swap", "spend, swap,", '["spend","swap"]'):
        assert params_of(METHODS["subscribeToSignerDiscovery"], [f"transactionTypes={words}"]) == {
            "transactionTypes": ["spend", "swap"]
        }
    for wrong in (["minAmount=x"], ["limit=1"], ["minAmount"], ["minAmount=1", "minAmount=2"], ["purpose=@/nowhere"]):
        with pytest.raises(UsageError):
            params_of(METHODS["findAvailableSigners"], wrong)


def test_table_shows_rows_and_shortens_hex() -> None:
    text = as_table({"nextSeq": 7, "keys": [samples.KEY]})
    assert "nextSeq  7" in text
    assert "0279be667ef..5b16f81798" in text
    assert as_table(True) == "true\n"


async def test_completion_scripts_are_valid_for_their_shell(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion("bash"))
    process = await asyncio.create_subprocess_exec("bash", "-n", str(script))
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("method", "pair", "sentence"),
    [
        ("getEvents", "fromSeq=abc", "fromSeq must be a whole number"),
        ("findAvailableSigners", "refresh=perhaps", "refresh must be true or false"),
        ("advertiseSigner", "criteria=spend", "criteria must be an object as JSON"),
        ("createKey", "scheme:=lotus", "scheme:= wants JSON, which this is not; scheme=TEXT takes text as it is"),
        ("createKey", "label=@/nowhere/file", "label: cannot read /nowhere/file (No such file or directory)"),
    ],
)
def test_parameter_that_cannot_be_read_is_one_plain_sentence(method: str, pair: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        params_of(METHODS[method], [pair])
    assert str(caught.value) == sentence


async def test_options_may_stand_anywhere(world: World, token_file: str) -> None:
    place = {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": token_file}
    made = await run("createKey", "--table", "scheme=lotus", **place)
    assert (made.code, made.err) == (0, "")
