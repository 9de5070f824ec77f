"""getRights tells a program what its token may do, so that it offers nothing that would be refused."""

from __future__ import annotations

import pytest

from rpc.caller import OWNER, Caller, owner, scopes_of
from rpc.calls.call import CallContext, require_right
from rpc.errors import ApiError
from rpc.methods.method import Method
from rpc.methods.samples import KEY_A
from rpc.methods.table import METHODS
from rpc.models.wire import NoParams
from rpc.schema.openrpc import Description
from tests.rpc.rpc_world import World

KEYS = frozenset({bytes.fromhex(KEY_A)})
CALLERS = {
    "owner": owner(),
    **{
        f"{scope}, {'bound' if keys else 'free'}": Caller(OWNER, scopes_of([scope]), keys, create_key=bool(keys))
        for scope in ("read", "discover", "sign", "admin")
        for keys in (None, KEYS)
    },
}


def is_refused(method: Method, caller: Caller) -> bool:
    try:
        require_right(method, CallContext(caller))
    except ApiError as problem:
        return problem.reason == "forbidden"
    return False


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
async def test_methods_of_a_token_are_those_that_are_not_refused(caller: Caller) -> None:
    said = await Description("1").get_rights(caller, NoParams())
    assert list(said["methods"]) == [name for name, method in METHODS.items() if not is_refused(method, caller)]


async def test_the_owner_has_every_scope_and_no_keys(world: World) -> None:
    said = await world.result("getRights")
    assert {"read", "discover", "sign", "admin"} <= set(said["scopes"])
    assert said["createKey"] is True
    assert "publicKeys" not in said
    assert set(said["methods"]) == set(METHODS)


async def test_a_bound_token_has_its_keys_and_no_method_of_the_whole_daemon(world: World) -> None:
    made = await world.result("createToken", {"scopes": ["sign"], "publicKeys": [KEY_A]})
    said = await world.result("getRights", token=made["token"])
    assert said["publicKeys"] == [KEY_A]
    assert said["scopes"] == ["read", "sign"]
    assert "joinSigningRequest" in said["methods"]
    assert not {"connectPeer", "createToken", "advertiseSigner"} & set(said["methods"])
