"""Makes the signed request record from the params of `announceSigningRequest`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from secrets import token_bytes
from typing import cast

from daemon.errors import Fact, InvalidParam, Refused
from daemon.signing.api.errors import OtherScheme, RequestTooLarge, TooManyItems, UnfitRequest
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.key_schemes import KeySchemes
from daemon.signing.ports import SigningKeystore
from musig2 import MusigError, scheme
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Election, Open, Request
from musig2.protocol.records.requests import ToSign, build_request
from musig2.protocol.wire.frames import Signed
from rpc.convert import not_a_point, not_combined, open_of, pubkeys_of, tweaks_of
from rpc.models.requests import AnnounceSigningRequest
from rpc.models.requests import Election as ElectionParams

SALTS_AT_ONCE = 256


def make_request(
    params: AnnounceSigningRequest,
    *,
    keystore: SigningKeystore,
    schemes: KeySchemes,
    limits: SigningLimits,
    wall_ms: int,
    salt: bytes,
) -> Signed[Request]:
    """The request, signed by its creator; `salt` are 16 random bytes.

    Raises SchemeMismatch for a key known to sign another scheme, a KeyRefused for the creator's key, TooManyItems,
    RequestTooLarge, UnfitRequest, InvalidParam, and the ApiError of `rpc.convert` for keys and tweaks that do not
    aggregate.
    """
    creator = bytes.fromhex(params.public_key)
    keystore.get(creator)
    if len(params.required_public_keys) * len(params.items) > limits.wire.items_times_signers:
        raise TooManyItems(limits.wire.items_times_signers)
    schemes.require(pubkeys_of(params.required_public_keys), keystore.scheme_of(creator), "requiredPublicKeys")
    request = _built(params, keystore.scheme_of(creator), limits, wall_ms=wall_ms, salt=salt)
    _require_aggregates(params, request)
    return _sealed(request, lambda digest: keystore.sign(creator, digest), limits)


def salts() -> Iterator[bytes]:
    """16 random bytes for each request, drawn for many: asking the system gives up the interpreter's lock."""
    while True:
        drawn = token_bytes(16 * SALTS_AT_ONCE)
        yield from (drawn[start : start + 16] for start in range(0, len(drawn), 16))


@contextmanager
def as_asked(params: AnnounceSigningRequest) -> Iterator[None]:
    """Let refusals name the members as the client wrote them: `message` instead of `messages[0].message`."""
    try:
        yield
    except Refused as refusal:
        if params.message is not None:
            errors = cast("list[dict[str, Fact]]", refusal.facts.get("errors", []))
            refusal.facts["errors"] = [
                {**each, "path": str(each["path"]).removeprefix("messages[0].")} for each in errors
            ]
        raise


def require_scheme(keystore: SigningKeystore, key: bytes, name: str) -> None:
    """One secret has one scheme: raises OtherScheme if `key` is an own key of another than `name`."""
    own = keystore.keys()
    if key in own and keystore.scheme_of(key) != name:
        raise OtherScheme(key, keystore.scheme_of(key), name)


def _built(params: AnnounceSigningRequest, name: str, limits: SigningLimits, *, wall_ms: int, salt: bytes) -> Request:
    pubkeys = pubkeys_of(params.required_public_keys)
    _require_points(name, pubkeys)
    try:
        return build_request(
            scheme_name=name,
            pubkeys=pubkeys,
            to_sign=[
                ToSign(bytes.fromhex(item.message), tweaks_of(item.tweaks), item.input_index) for item in params.items
            ],
            creator=bytes.fromhex(params.public_key),
            created=wall_ms,
            expires=wall_ms + (params.ttl or limits.default_ttl_ms),
            round_ms=params.round_ms or limits.round_ms,
            max_attempts=limits.max_attempts,
            salt=salt,
            election=_election(params.election, limits),
            metadata=_metadata(params),
        )
    except MusigError as problem:
        raise (_uncombined(params, name, pubkeys) or not_combined(problem, "requiredPublicKeys")) from problem


def _require_aggregates(params: AnnounceSigningRequest, request: Request) -> None:
    for index, (given, item) in enumerate(zip(params.items, request.items, strict=True)):
        if given.aggregated_public_key not in (None, item.agg.hex()):
            raise InvalidParam(
                f"messages[{index}].aggregatedPublicKey",
                "is not the key that requiredPublicKeys and these tweaks make; see aggregateKeys",
            )


def _uncombined(params: AnnounceSigningRequest, name: str, pubkeys: Sequence[bytes]) -> Exception | None:
    """The refusal that names the first item whose tweaks do not fit the keys."""
    for index, item in enumerate(params.items):
        try:
            scheme(name).key_agg(sorted(pubkeys), tweaks_of(item.tweaks))
        except MusigError as problem:
            where = "" if params.messages is None else f"messages[{index}]"
            return not_combined(problem, "requiredPublicKeys", where)
    return None


def _require_points(name: str, pubkeys: Sequence[bytes]) -> None:
    for index, key in enumerate(pubkeys):
        try:
            scheme(name).validate_pubkey(key)
        except ValueError:
            raise not_a_point(f"requiredPublicKeys[{index}]", key.hex()) from None


def _election(params: ElectionParams | None, limits: SigningLimits) -> Election | None:
    if params is None:
        return None
    return Election(params.method, params.broadcast_timeout_ms or limits.broadcast_ms)


def _metadata(params: AnnounceSigningRequest) -> dict[str, Open]:
    given = {} if params.metadata is None else params.metadata.model_dump(by_alias=True, exclude_unset=True)
    return {name: open_of(value) for name, value in given.items()}


def _sealed(request: Request, sign: Callable[[bytes], bytes], limits: SigningLimits) -> Signed[Request]:
    try:
        signed = seal(request, sign)
    except InvalidRecord as problem:
        raise UnfitRequest(problem.problem) from problem
    if len(signed.envelope) > limits.wire.request_bytes:
        raise RequestTooLarge(limits.wire.request_bytes)
    return signed
