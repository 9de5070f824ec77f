"""Signing requests: how one is made, what its numbers mean, and what is wrong with one that arrives.

The codec has checked the form (sorted keys, tweaks of the scheme, bounds); here it is checked against the curve, the
clock and the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from musig2 import KeyAggContext, MusigError, Tweak, TweakKind, scheme
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.codec import encode_payload
from musig2.protocol.records.records import Election, Item, Open, Request, WireTweak
from musig2.protocol.wire.frames import Signed


class RequestProblem(StrEnum):
    """Why a request is refused; the values are reasons that clients know."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TIMESTAMP = "timestamp"
    EXPIRED = "expired"
    TOO_LONG = "too_long"
    KEY_NOT_REQUIRED = "key_not_required"
    INVALID_KEY = "invalid_key"


@dataclass(frozen=True, slots=True)
class ToSign:
    """One message of a new request: 32 bytes, the tweaks in order, and the input of the transaction it belongs to."""

    msg: bytes
    tweaks: tuple[Tweak, ...] = ()
    input: int | None = None


def tweak_from_wire(tweak: WireTweak) -> Tweak:
    """A tweak as the cryptography takes it; MusigError if it is none."""
    return Tweak(TweakKind(tweak.kind), tweak.value)


def tweak_to_wire(tweak: Tweak, scheme_name: str) -> WireTweak:
    """A tweak as a record holds it; a lotus root of 32 zero bytes is the same as none, and written so."""
    value = None if scheme_name == "lotus" and tweak.value == bytes(32) else tweak.value
    return WireTweak(int(tweak.kind), value)


def key_agg_of(request: Request, item: Item) -> KeyAggContext:
    """The aggregate of the request's keys with the tweaks of one of its items. Cached by the scheme.

    MusigError where a key is no point, or the tweaks lead to infinity; not after `request_problem` found nothing.
    """
    return scheme(request.scheme).key_agg(request.keys, tuple(tweak_from_wire(tweak) for tweak in item.tweaks))


def request_problem(request: Request, *, once: bool = False) -> RequestProblem | None:
    """What is wrong with a request whoever sends it and whenever: keys, and aggregates that do not follow from them.

    On any thread. `once`: the aggregates are not cached, so that a stranger's long lists of keys push out no others.
    """
    if request.creator not in request.keys:
        return RequestProblem.KEY_NOT_REQUIRED
    try:
        good = _aggregates_follow(request, once=once)
    except MusigError:
        good = False
    return None if good else RequestProblem.INVALID_KEY


def _aggregates_follow(request: Request, *, once: bool) -> bool:
    rules = scheme(request.scheme)
    aggregate = rules.key_agg_once if once else rules.key_agg
    made: dict[tuple[WireTweak, ...], bytes] = {}
    for item in request.items:
        if item.tweaks not in made:
            made[item.tweaks] = aggregate(request.keys, tuple(map(tweak_from_wire, item.tweaks))).aggpubkey
        if made[item.tweaks] != item.agg:
            return False
    return True


def aggregations(request: Request) -> int:
    """How many points `request_problem` has to add: its keys, once for each set of tweaks."""
    return len(request.keys) * len({item.tweaks for item in request.items})


def bounds_problem(signed: Signed[Request], now_ms: int, limits: RecordLimits) -> RequestProblem | None:
    """Its size, counts and times: the checks that cost nothing, made before `request_problem`."""
    request = signed.record
    if len(signed.envelope) > limits.request_bytes:
        return RequestProblem.TOO_LARGE
    if len(request.items) * len(request.keys) > limits.items_times_signers:
        return RequestProblem.TOO_MANY
    if request.created > now_ms + limits.skew_ms:
        return RequestProblem.TIMESTAMP
    if request.expires <= now_ms:
        return RequestProblem.EXPIRED
    if request.expires - request.created > limits.max_ttl_ms:
        return RequestProblem.TOO_LONG
    return None


def build_request(
    *,
    scheme_name: str,
    pubkeys: Sequence[bytes],
    to_sign: Sequence[ToSign],
    creator: bytes,
    created: int,
    expires: int,
    round_ms: int,
    max_attempts: int,
    salt: bytes,
    election: Election | None,
    metadata: Mapping[str, Open],
) -> Request:
    """A request of `pubkeys`, in the order in which the wallet named them, with all aggregates computed.

    InvalidRecord for keys that are repeated or lack the creator; MusigError (InvalidContributionError: `signer` is the
    position among the sorted keys) for a key that is no point. What else peers refuse, `seal` finds.
    """
    keys = tuple(sorted(set(pubkeys)))
    if len(keys) != len(pubkeys):
        raise InvalidRecord("keys must differ from each other")
    if creator not in keys:
        raise InvalidRecord("creator must be one of keys")
    position = {key: index for index, key in enumerate(keys)}
    return Request(
        scheme=scheme_name,
        keys=keys,
        order=tuple(position[key] for key in pubkeys),
        items=tuple(_item(scheme_name, keys, one) for one in to_sign),
        creator=creator,
        created=created,
        expires=expires,
        round_ms=round_ms,
        max_attempts=max_attempts,
        salt=salt,
        election=election,
        metadata=metadata,
    )


def askable_key_agg(scheme_name: str, pubkeys: Sequence[bytes], tweaks: tuple[Tweak, ...]) -> KeyAggContext:
    """The aggregate of keys of which a request can ask a signature with these tweaks.

    InvalidRecord or MusigError for those that no request may hold: an address made of them could never be spent here.
    """
    request = build_request(
        scheme_name=scheme_name,
        pubkeys=pubkeys,
        to_sign=[ToSign(bytes(32), tweaks)],
        creator=pubkeys[0],
        created=0,
        expires=1,
        round_ms=1,
        max_attempts=1,
        salt=bytes(16),
        election=None,
        metadata={},
    )
    encode_payload(request)
    return key_agg_of(request, request.items[0])


def _item(scheme_name: str, keys: tuple[bytes, ...], one: ToSign) -> Item:
    agg = scheme(scheme_name).key_agg(keys, one.tweaks).aggpubkey
    return Item(one.msg, tuple(tweak_to_wire(tweak, scheme_name) for tweak in one.tweaks), agg, one.input)
