"""One container of the image, run as the Dockerfile says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.debian import api, trees
from tests.docker.engine import Engine

READY = "musigd is ready"


def run_line() -> list[str]:
    """The arguments of `docker run` at the top of the Dockerfile, up to the name of the image."""
    lines = (trees.REPOSITORY / "Dockerfile").read_text().splitlines()
    comment = " ".join(line.lstrip("# ").rstrip("\\") for line in lines[: lines.index("")])
    _, _, rest = comment.partition("docker run ")
    words = shlex.split(rest.partition(" Wallets ")[0])
    return words[: words.index("musigd")]


class Container:
    """Runs from the making of this object to the end of its block; its volume stays."""

    def __init__(self, engine: Engine, volume: str, *options: str, published: bool = True) -> None:
        self._engine = engine
        given = [word.replace("musigd:/data", f"{volume}:/data") for word in run_line()]
        if not published:
            given = [word for word in given if word not in ("-p", "4327:4327")]
        self.id = engine.run("run", "--detach", *given, *options, "musigd").strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.attempt("rm", "--force", self.id)

    @property
    def state(self) -> Any:
        """As `docker inspect` shows it."""
        return json.loads(self._engine.run("inspect", "--format", "{{json .State}}", self.id))

    @property
    def data(self) -> Path:
        """Its data directory, as this process reaches it."""
        return Path(f"/proc/{self.state['Pid']}/root/data")

    def call(self, method: str, **params: Any) -> Any:
        """One call of the API, as root."""
        return api.call(self.data / "musigd.sock", method, **params)

    def inside(self, *command: str) -> str:
        """`docker exec`."""
        return self._engine.run("exec", self.id, *command)

    def ended_by(self, *command: str) -> int:
        """The exit code that a `docker exec` leads to: the command ends with the container, often before it prints."""
        self._engine.attempt("exec", self.id, *command)
        return self.ended()

    def logs(self) -> str:
        """Everything that it has printed."""
        said = self._engine.attempt("logs", self.id)
        return said.stdout + said.stderr

    def ready(self) -> Self:
        """Wait until the daemon of this start says that it is ready."""
        said = self._engine.until(READY, "logs", "--follow", f"--since={self.state['StartedAt']}", self.id)
        assert said, f"it is {self.state['Status']}, exit code {self.state['ExitCode']}: {self.logs()[-2000:]}"
        return self

    def assert_becomes(self, health: str) -> None:
        """Wait until the engine says that the container is `healthy` or `unhealthy`."""
        of_this = (f"--filter=container={self.id}", "--filter=event=health_status", "--format={{.Action}}")
        assert self._engine.until(f"health_status: {health}", "events", "--since=0", *of_this), self.state["Health"]

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return int(self._engine.run("wait", self.id))
