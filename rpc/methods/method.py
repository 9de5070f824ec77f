"""What there is to know about one method. Everything else (dispatch, docs, OpenRPC, client, CLI) follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from rpc.caller import Caller, Scope
from rpc.models.wire import Params


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    `changes`: it changes something, so its answer gets `seq`. `secret`: its params or answer hold a secret, so it takes
    no idempotency key. `whole_daemon`: it acts on more than keys, so a token bound to keys may not call it.
    `makes_key`: a token that may create keys may call it whatever its scopes. `websocket`: only there.
    `or_scope`: another scope that is enough for it. `waits`: it may take as long as the caller asked for.
    """

    name: str
    params: type[Params]
    result: type[BaseModel]
    scope: Scope
    summary: str
    example: Mapping[str, Any]
    answer: Any = field(repr=False)
    changes: bool = False
    secret: bool = False
    whole_daemon: bool = False
    makes_key: bool = False
    websocket: bool = False
    waits: bool = False
    or_scope: Scope | None = None

    @property
    def attribute(self) -> str:
        """Name of the coroutine function that serves it: `advertise_signer`."""
        return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda upper: "_" + upper[1].lower(), self.name).replace(".", "_")

    def allows(self, caller: Caller) -> bool:
        """Whether this caller has the right to call it; with which keys is for the handler to look at."""
        return self.granted(caller) and not (self.whole_daemon and caller.keys is not None)

    def granted(self, caller: Caller) -> bool:
        """Whether its scopes, or the right to make keys, are enough."""
        by_scope = not caller.scopes.isdisjoint((self.scope, self.or_scope))
        return by_scope or (self.makes_key and caller.create_key)

    @property
    def idempotent(self) -> bool:
        """Whether it takes an `idempotencyKey`."""
        return self.changes and not self.secret
