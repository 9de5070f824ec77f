"""`musig-cli createToken --to FILE`: the raw token goes into a new file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rpc.cli.params import UsageError


def with_token_file(path: Path, create: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer of `create` without its token, which is in the file. Raises UsageError; never overwrites a file.

    The file is made before the call, so that no token is created that cannot be kept.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise UsageError(f"--to: cannot make {path} ({problem.strerror}); no token was created") from problem
    with os.fdopen(descriptor, "w") as file:
        try:
            answer = dict(create())
        except BaseException:
            path.unlink()
            raise
        file.write(f"{answer.pop('token')}\n")
    return {**answer, "tokenFile": str(path)}
