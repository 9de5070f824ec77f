"""`scheme` beside a key, a request or a session: it may be given, and another than the true one is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from daemon.api.guard import HandlerGuard
from rpc.caller import Caller, Scope, owner
from rpc.errors import ApiError
from rpc.methods.table import METHODS
from rpc.models.wire import OfScheme
from tests.signing.signing_world import Daemon, World, announce

NAMING = {"public_key", "required_public_keys", "request_id", "session_id"}
OF_OTHERS = {"muteCreator", "unmuteCreator", "removeContact"}  # they name a signer by its key, whatever it signs


def test_every_method_that_names_a_key_a_request_or_a_session_takes_a_scheme() -> None:
    naming = [method for method in METHODS.values() if NAMING & set(method.params.model_fields)]
    without = [method.name for method in naming if "scheme" not in method.params.model_fields]
    assert len(naming) > 15
    assert set(without) == OF_OTHERS


async def held(daemon: Daemon, method: str, caller: Caller | None = None, **params: Any) -> Any:
    """A call with its scheme checked, as the daemon wires it."""
    guard = HandlerGuard(daemon.keystore, daemon.service.finder)
    guard.check(caller or owner(), METHODS[method].params.model_validate(params))
    return await daemon.call(method, caller, **params)


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_scheme_of_a_request_may_be_given_and_another_one_is_a_mismatch(world: World, name: str) -> None:
    one, two = await world.grow(2, name)
    other = "bip340" if name == "lotus" else "lotus"
    keys = [one.key.hex(), two.key.hex()]
    call: dict[str, Any] = {"publicKey": keys[0], "requiredPublicKeys": keys, "message": "11" * 32}
    with pytest.raises(ApiError) as caught:
        await held(one, "announceSigningRequest", **call, scheme=other)
    assert (caught.value.reason, caught.value.data["scheme"]) == ("scheme_mismatch", name)
    assert one.told("signing-request:created") == []
    announced = await held(one, "announceSigningRequest", **call, scheme=name)
    request: dict[str, Any] = {"requestId": announced["requestId"]}
    session: dict[str, Any] = {"sessionId": announced["sessionId"]}
    await two.until("signing-request:received", **request)
    key: dict[str, Any] = {"publicKey": keys[1]}
    naming: Sequence[tuple[Daemon, str, dict[str, Any]]] = (
        (two, "getSigningRequest", request),
        (two, "findSigningRequestsForMe", key),
        (two, "joinSigningRequest", {**request, **key}),
        (two, "declineSigningRequest", {**request, **key}),
        (two, "getSession", session),
        (two, "listSessions", key),
        (two, "listSessions", request),
        (two, "getFinalSignature", request),
        (two, "getFinalSignature", session),
        (one, "cancelSigningRequest", request),
        (one, "startRound1", session),
        (one, "startRound2", session),
        (one, "abortSession", session),
        (one, "closeSession", session),
        (one, "getEvidence", session),
        (one, "notifyBroadcastComplete", {**session, "txid": "22" * 32}),
    )
    for daemon, method, params in naming:
        assert issubclass(METHODS[method].params, OfScheme)
        with pytest.raises(ApiError) as caught:
            await held(daemon, method, **params, scheme=other)
        assert caught.value.reason == "scheme_mismatch", method
    assert (await two.call("getSigningRequest", **request))["state"] == "open", "nothing was changed"
    await held(two, "joinSigningRequest", **request, **key, scheme=name)
    final = await held(one, "getFinalSignature", **request, scheme=name, waitMs=60_000)
    assert final["scheme"] == name
    assert (await held(one, "getSession", **session, scheme=name))["scheme"] == name


async def test_scheme_tells_nothing_of_what_a_token_may_not_see(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    stranger = Caller("stranger", frozenset(Scope), frozenset(), create_key=False)
    for method, params, reason in (
        ("getSigningRequest", {"requestId": announced["requestId"]}, "not_found"),
        ("getSession", {"sessionId": announced["sessionId"]}, "not_found"),
        ("findSigningRequestsForMe", {"publicKey": one.key.hex()}, "unknown_key"),
    ):
        with pytest.raises(ApiError) as caught:
            await held(one, method, stranger, **params, scheme="bip340")
        assert caught.value.reason == reason


async def test_scheme_without_anything_that_fixes_it_is_refused(world: World) -> None:
    one, _ = await world.grow(2)
    for method in ("listSessions", "findSigningRequestsForMe"):
        with pytest.raises(ValueError, match="goes with publicKey"):
            await one.call(method, scheme="lotus")
