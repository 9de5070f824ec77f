"""`musig-cli` as a shell sees it: output, exit codes, secrets kept off the command line, completion."""

from __future__ import annotations

import asyncio
import fcntl
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from rpc.calls.params import params_of as checked
from rpc.cli import api
from rpc.cli.completion import completion
from rpc.cli.help import method_help, methods_help
from rpc.cli.params import UsageError, params_of
from rpc.cli.people.table import as_table
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.schema import generate_cli
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World
from tests.rpc.secret_params import as_received


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
    async with asyncio.timeout(180):
        heard = [orjson.loads(await process.stdout.readline())["seq"] for _ in range(2)]
        world.log.append("session:ready", publicKeys=[])
        heard.append(orjson.loads(await process.stdout.readline())["seq"])
    process.kill()
    await process.wait()
    assert heard == [1, 3, 4]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_help_and_completion_know_every_method_and_parameter(method: Method) -> None:
    assert method.name in methods_help()
    said = method_help(api.METHODS[method.name])
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
        ("createToken", ["array (1 to 6) of read or discover or sign or approve or webhook or admin; required"]),
        ("getInfo", ["it takes no parameters"]),
    ],
)
def test_help_tells_types_ranges_defaults_and_values(name: str, parts: list[str]) -> None:
    said = method_help(api.METHODS[name])
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_example_in_the_help_means_the_params_of_the_table(method: Method, tmp_path: Path) -> None:
    told = api.METHODS[method.name]
    words = shlex.split(told.example)[2:]
    for name in (name for name, param in told.params.items() if param.secret and name in method.example):
        (tmp_path / name).write_text(str(method.example[name]))
    words = [word.replace("=@FILE", f"=@{tmp_path / word.partition('=')[0]}") for word in words]
    assert params_of(told, words) == method.example
    checked(method.params, as_received(params_of(told, words)))


def test_values_are_converted_to_the_types_of_the_method() -> None:
    found = params_of(api.METHODS["findAvailableSigners"], ["transactionType=swap", "minAmount=5", "refresh=true"])
    assert found == {"transactionType": "swap", "minAmount": 5, "refresh": True}
    for words in ("spend,swap", "spend, swap,", '["spend","swap"]'):
        assert params_of(api.METHODS["subscribeToSignerDiscovery"], [f"transactionTypes={words}"]) == {
            "transactionTypes": ["spend", "swap"]
        }
    for wrong in (["minAmount=x"], ["limit=1"], ["minAmount"], ["minAmount=1", "minAmount=2"], ["purpose=@/nowhere"]):
        with pytest.raises(UsageError):
            params_of(api.METHODS["findAvailableSigners"], wrong)


ROWS = [
    {
        "envelope": "00" * 200,
        "description": "sells signatures by the dozen, at any hour of the day and most hours of the night",
        "fees": 12_500,
        "expiresAt": 1_800_000_000_000,
        "peerId": "12D3KooWQy9p5mJYfFBEQTFqKyuxZNCJp1h9ZsuyKTx6dA6cUQVf",
        "publicKey": f"02{at:064x}",
        "localReputation": {"score": 90, "responseTime": 1_500},
    }
    for at in (1, 2)
]


def test_rows_begin_with_the_distinguishing_column_and_fit_the_terminal() -> None:
    text = as_table({"nextSeq": 7, "signers": ROWS}, width=80)
    head, first = text.splitlines()[3:5]
    assert "nextSeq  7" in text
    assert "signers (2)" in text
    assert head.split()[0] == "publicKey"
    assert "peerId" in text
    assert first.split()[0] == ROWS[0]["publicKey"]
    assert max(map(len, text.splitlines())) <= 80
    assert "12,500 sats" in text
    assert "2027-01-15 08:00:00" in text
    assert "envelope" not in text


def test_text_that_does_not_fit_is_shown_whole_below_its_row() -> None:
    text = as_table({"signers": ROWS}, width=60)
    words = " ".join(text.split())
    assert words.count(str(ROWS[0]["description"])) == 2
    assert "responseTime 1.5 s" in words


def test_single_answers_show_ids_whole_and_plain_values_in_words() -> None:
    text = as_table({"publicKey": ROWS[1]["publicKey"], "paused": False, "label": "", "uptime": 7_200_000}, width=50)
    assert str(ROWS[1]["publicKey"]) in text
    assert "paused     no" in text
    assert "uptime     2 h" in text
    assert as_table(True) == "yes\n"


def test_what_the_command_knows_of_the_api_is_what_the_table_says() -> None:
    assert generate_cli.TABLE.read_bytes() == generate_cli.text(), "run python -m rpc.schema.generate_cli"


def test_call_loads_nothing_that_it_does_not_need() -> None:
    """Models and the network library cost more than the call itself."""
    script = (
        "import sys; from rpc.cli.__main__ import main; main(['getInfo', '--url', 'http://127.0.0.1:9']);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'pydantic', 'aiohttp', 'structlog', 'asyncio', 'yaml', 'libp2p', 'trio', 'sqlite3', 'multidict'}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["[]"]
    assert "no daemon answers" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["help"], "usage: musig-cli"),
        (["--help"], "usage: musig-cli"),
        ([], "usage: musig-cli"),
        (["help", "createKey"], "createKey: Creates a key"),
        (["createKey", "--help"], "createKey: Creates a key"),
        (["--help", "createKey"], "createKey: Creates a key"),
        (["help", "events"], "signing-request:received"),
        (["events", "--help"], "signing-request:received"),
        (["methods"], "joinSigningRequest"),
    ],
)
async def test_help_is_about_the_named_command(words: list[str], said: str) -> None:
    ran = await run(*words)
    assert (ran.code, ran.err) == (0, "")
    assert said in ran.out


@pytest.mark.parametrize(
    ("words", "guess"),
    [
        (["getinfo"], "did you mean getInfo?"),
        (["help", "createkey"], "did you mean createKey?"),
        (["event"], "did you mean events?"),
        (["createKey", "shceme=lotus"], "did you mean scheme?"),
        (["events", "--event", "signing-request:recieved"], "did you mean signing-request:received?"),
        (["getInfo", "--tabel"], "unknown argument '--tabel' (did you mean --table?)"),
        (["--datadri=/x", "getInfo"], "unknown argument '--datadri' (did you mean --datadir?)"),
        (["doctor"], "did you mean musigd doctor?"),
        (["getInfo", "datadir=/x"], "did you mean --datadir?"),
        (["createKey", "--scheme", "lotus"], "scheme is a parameter, written without the dashes: scheme=..."),
        (["--scheme=lotus", "createKey"], "scheme is a parameter, written without the dashes: scheme=..."),
        (["scheme=lotus", "createkey"], "did you mean createKey?"),
        (["scheme=lotus", "createKey", "shceme=lotus"], "did you mean scheme?"),
        (["createKey", "scheme", "lotus"], "without spaces; createKey takes: idempotencyKey, scheme"),
        (["review", "request=ab"], "review takes the id of a request, as it is"),
    ],
)
async def test_mistyped_name_is_answered_with_the_nearest(words: list[str], guess: str) -> None:
    ran = await run(*words)
    assert ran.code == 2
    assert guess in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["getEvents", "fromSeq=" + "1" * 5_000], "a number of 5000 digits is too large"),
        (["getEvents", "fromSeq:=[" + "1" * 5_000 + "]"], "a number of 5000 digits is too large"),
        (["events", "--from", "1" * 5_000], "must be a whole number of at most 16 digits"),
    ],
)
async def test_number_of_thousands_of_digits_is_refused_with_the_true_reason(words: list[str], said: str) -> None:
    ran = await run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err) < 300


async def test_a_daemon_that_is_not_ready_is_reported_as_starting(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        starting = await run("getInfo", "--datadir", str(tmp_path))
    gone = await run("getInfo", "--datadir", str(tmp_path))
    assert (starting.code, gone.code) == (3, 3)
    assert "is starting" in starting.err
    assert "no daemon runs" in gone.err


async def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    ask = script.with_name("ask")
    ask.write_text(
        f"source {shlex.quote(str(script))}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); "
        f'COMP_CWORD={len(words) - 1}; _musig_cli 2>/dev/null; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    process = await asyncio.create_subprocess_exec("bash", str(ask), stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode().split()


async def test_completion_goes_on_after_options_and_knows_values(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion("bash"))
    assert await completed(script, "musig-cli", "createK") == ["createKey"]
    assert await completed(script, "musig-cli", "--datadir", "/x", "createK") == ["createKey"]
    assert "scheme=" in await completed(script, "musig-cli", "--table", "createKey", "")
    assert await completed(script, "musig-cli", "createKey", "scheme", "=", "") == ["lotus", "bip340"]
    assert await completed(script, "musig-cli", "createKey", "scheme", "=", "bi") == ["bip340"]
    assert await completed(script, "musig-cli", "findAvailableSigners", "refresh", "=", "t") == ["true"]
    assert "signature:finalized" in await completed(script, "musig-cli", "events", "--event", "sig")
    assert await completed(script, "musig-cli", "help", "createK") == ["createKey"]
    assert await completed(script, "musig-cli", "--so") == ["--socket"]


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
        ("createKey", "scheme:=lotus", "scheme:= must be followed by JSON; scheme=TEXT takes text as it is"),
        ("createKey", "label=@/nowhere/file", "label: cannot read /nowhere/file (No such file or directory)"),
    ],
)
def test_parameter_that_cannot_be_read_is_one_plain_sentence(method: str, pair: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        params_of(api.METHODS[method], [pair])
    assert str(caught.value) == sentence


async def test_options_may_stand_anywhere(world: World, token_file: str) -> None:
    place = {"MUSIG_URL": world.base, "MUSIG_TOKEN_FILE": token_file}
    made = await run("createKey", "--table", "scheme=lotus", **place)
    assert (made.code, made.err) == (0, "")
