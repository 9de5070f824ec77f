"""The image as the Dockerfile says to run it: read-only, without capabilities, as its own user."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from tests.docker.container import Container, run_line
from tests.docker.engine import Engine

OFTEN = ("--health-interval=1s", "--health-timeout=5s", "--health-retries=1", "--health-start-period=0s")


def test_the_run_line_removes_every_right_that_can_be_removed() -> None:
    assert {"--read-only", "ALL", "no-new-privileges"} <= set(run_line())


def test_the_daemon_is_ready_as_an_unprivileged_user_without_capabilities(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()
        status = Path(f"/proc/{container.state['Pid']}/status").read_text()

        assert container.call("getInfo")["ready"] is True
    rights = dict(line.split(":\t", 1) for line in status.splitlines())
    assert set(rights["Uid"].split()) == {"10001"}
    assert {rights[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert rights["NoNewPrivs"] == "1"


def test_nothing_is_written_outside_the_volume(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()
        container.call("createKey", scheme="lotus")

        assert engine.run("diff", container.id).split("\n") == [""]


def test_nobody_else_can_read_the_volume(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()

        assert container.data.stat().st_mode & 0o777 == 0o700
        assert [file.name for file in container.data.iterdir() if file.stat().st_mode & 0o077] == []


def test_a_daemon_that_answers_is_healthy_and_one_that_hangs_is_not(engine: Engine, volume: str) -> None:
    with Container(engine, volume, *OFTEN) as container:
        container.assert_becomes("healthy")

        engine.run("kill", "--signal=STOP", container.id)

        container.assert_becomes("unhealthy")
        engine.run("kill", "--signal=CONT", container.id)


def test_the_commands_work_inside(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()

        assert json.loads(container.inside("musig-cli", "getInfo"))["ready"] is True
        assert json.loads(container.inside("musig-cli", "--socket", "getInfo"))["ready"] is True
        assert container.ended_by("musigd", "stop") == 0
        assert "stopping" in container.logs()


def test_a_stop_is_clean_before_the_engine_loses_patience(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()

        engine.run("stop", container.id)

        assert container.state["ExitCode"] == 0, "the engine had to kill it"


def test_a_stop_with_an_open_round_is_clean_too(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()
        first, second = (container.call("createKey", scheme="bip340")["publicKey"] for _ in range(2))
        both = {"requiredPublicKeys": [first, second], "message": secrets.token_hex(32), "autoAdvance": False}
        made = container.call("announceSigningRequest", publicKey=first, **both)
        container.call("joinSigningRequest", requestId=made["requestId"], publicKey=second, autoAdvance=False)
        container.call("startRound1", sessionId=made["sessionId"], publicKey=first)

        engine.run("stop", container.id)

        assert container.state["ExitCode"] == 0, "the engine had to kill it"


def test_a_new_container_finds_identity_and_keys_in_the_volume(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()
        peer = container.call("getInfo")["peerId"]
        made = container.call("createKey", scheme="lotus")["publicKey"]
        engine.run("stop", container.id)

    with Container(engine, volume) as again:
        again.ready()

        assert again.call("getInfo")["peerId"] == peer
        assert [key["publicKey"] for key in again.call("listKeys")["keys"]] == [made]


def test_a_killed_container_finds_everything_again(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        made = container.ready().call("createKey", scheme="lotus")["publicKey"]
        engine.run("kill", container.id)
        engine.run("start", container.id)

        keys = Container.call(container.ready(), "listKeys")["keys"]

    assert [key["publicKey"] for key in keys] == [made]


def test_a_wrong_setting_ends_the_container_with_its_sentence(engine: Engine, volume: str) -> None:
    with Container(engine, volume, "--env=MUSIGD_LOG__LEVEL=loud") as container:
        assert container.ended() == 2
        assert "log.level" in container.logs()


def test_a_second_container_on_the_same_volume_is_refused(engine: Engine, volume: str) -> None:
    with Container(engine, volume) as container:
        container.ready()
        with Container(engine, volume, published=False) as second:
            assert second.ended() == 3
            assert "in use" in second.logs()
        assert container.call("getInfo")["ready"] is True


def test_the_image_has_no_compiler_and_no_installer(engine: Engine) -> None:
    found = engine.attempt("run", "--rm", "--entrypoint=sh", "musigd", "-c", "command -v cc gcc pip pip3")

    assert found.stdout == ""
