"""MuSig2 under BIP-327's names, for both signature schemes.

Arguments are checked and nonces consumed here, for both schemes; what differs is in bip340.py and lotus.py.
The life of a signature: `key_agg`, `nonce_gen` (each signer), `nonce_agg`, `session`, `sign` (each signer),
`partial_sig_verify`, `partial_sig_agg`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from musig2 import bip340, lotus
from musig2.contexts import KeyAggContext, SchemeRules, SessionContext
from musig2.curve import batch, points, secp
from musig2.curve.memory import take_slot
from musig2.errors import InvalidArgumentError, InvalidContributionError, NonceMismatch, SigningFault
from musig2.keys import SecNonce, SecretKey
from musig2.tweaks import Tweak

_CACHED_KEY_LISTS: Final = 128


def _sized(name: str, value: bytes, size: int) -> None:
    if not isinstance(value, bytes) or len(value) != size:
        raise InvalidArgumentError(name, f"must be {size} bytes")


def _all_tweaks(tweaks: Sequence[Tweak]) -> tuple[Tweak, ...]:
    if not all(isinstance(tweak, Tweak) for tweak in tweaks):
        raise InvalidArgumentError("tweaks", "must be Tweak objects")
    return tuple(tweaks)


def _one_each(name: str, values: Sequence[bytes], size: int, session: SessionContext) -> None:
    count = len(session.keyagg.pubkeys)
    if len(values) != count:
        raise InvalidArgumentError(name, f"must be {count}, one for each key")
    for index, value in enumerate(values):
        _sized(f"{name}[{index}]", value, size)


class Scheme:
    """One signature scheme. Stateless but for a bounded cache of aggregated keys; safe to share between threads.

    Bad arguments are a ValueError that names them; what a co-signer sent wrongly is an `InvalidContributionError`.
    """

    def __init__(self, rules: SchemeRules) -> None:
        self.name = rules.name
        self._rules = rules
        self._key_agg = lru_cache(maxsize=_CACHED_KEY_LISTS)(self._aggregate)

    def __repr__(self) -> str:
        return f"<Scheme {self.name}>"

    def key_sort(self, pubkeys: Iterable[bytes]) -> list[bytes]:
        """The keys in bytewise order (BIP-327, KeySort)."""
        return sorted(pubkeys)

    def key_agg(self, pubkeys: Sequence[bytes], tweaks: Sequence[Tweak] = ()) -> KeyAggContext:
        """Aggregate the keys in the order given, then apply the tweaks (BIP-327, KeyAgg and ApplyTweak).

        Cached. A key that is not a point is an InvalidContributionError. Your own key must be in the list.
        """
        return self._key_agg(tuple(pubkeys), _all_tweaks(tweaks))

    def key_agg_once(self, pubkeys: Sequence[bytes], tweaks: Sequence[Tweak] = ()) -> KeyAggContext:
        """The same past the cache: for keys that somebody else named and that may never be signed with."""
        return self._aggregate(tuple(pubkeys), _all_tweaks(tweaks))

    def _aggregate(self, pubkeys: tuple[bytes, ...], tweaks: tuple[Tweak, ...]) -> KeyAggContext:
        if not pubkeys:
            raise InvalidArgumentError("pubkeys", "must name at least one key")
        for index, pubkey in enumerate(pubkeys):
            if not isinstance(pubkey, bytes) or len(pubkey) != 33:
                raise InvalidContributionError(index, "pubkey")
        key = self._rules.aggregate_keys(pubkeys, tweaks)
        return KeyAggContext(self.name, pubkeys, tweaks, key.aggpubkey, key.internal_pubkey, key)

    def nonce_gen(
        self, seckey: SecretKey, pubkey: bytes, keyagg: KeyAggContext, msg: bytes, extra: bytes = b""
    ) -> tuple[SecNonce, bytes]:
        """A fresh secret nonce for one signature, and its public nonce of 66 bytes (BIP-327, NonceGen).

        Always from 32 new random bytes, with key, aggregate key and message mixed in; `extra` (none, or 32 bytes) is
        one more ingredient. There is no deterministic mode: it would give the key away to co-signers that vary theirs.
        """
        self._own("keyagg", keyagg.scheme)
        _sized("msg", msg, 32)
        if extra:
            _sized("extra", extra, 32)
        if pubkey != seckey.pubkey:
            raise InvalidArgumentError("pubkey", "is not the public key of seckey")
        if pubkey not in keyagg.pubkeys:
            raise InvalidArgumentError("pubkey", "must be in the list of keys")
        slot = take_slot()
        pubnonce = keyagg.rules.new_nonce(slot, seckey, msg, extra)
        secnonce = SecNonce(
            slot, scheme=self.name, pubkey=pubkey, aggpubkey=keyagg.aggpubkey, msg=msg, pubnonce=pubnonce
        )
        return secnonce, pubnonce

    def nonce_agg(self, pubnonces: Sequence[bytes]) -> bytes:
        """The sums of both halves, 66 bytes; infinity is 33 zero bytes (BIP-327, NonceAgg)."""
        if not pubnonces:
            raise InvalidArgumentError("pubnonces", "must name at least one")
        parsed = []
        for index, pubnonce in enumerate(pubnonces):
            handle = _parse_pubnonce(pubnonce)
            if handle is None:
                raise InvalidContributionError(index, "pubnonce")
            parsed.append(handle)
        return secp.musig_nonce_agg(parsed)

    def session(self, keyagg: KeyAggContext, aggnonce: bytes, msg: bytes) -> SessionContext:
        """What signing and verifying partial signatures need (BIP-327, GetSessionValues)."""
        self._own("keyagg", keyagg.scheme)
        _sized("aggnonce", aggnonce, 66)
        _sized("msg", msg, 32)
        return SessionContext(keyagg, aggnonce, msg, keyagg.rules.signing_values(aggnonce, msg))

    def sign(
        self, secnonce: SecNonce, seckey: SecretKey, session: SessionContext, signer_index: int | None = None
    ) -> bytes:
        """The partial signature, 32 bytes, verified before it is returned (BIP-327, Sign).

        Consumes the nonce first, so whatever fails, it is gone. `signer_index` is needed where the key occurs twice.
        """
        slot = secnonce.consume()
        try:
            self._own("session", session.keyagg.scheme)
            self._check_nonce(secnonce, seckey, session)
            index = session.keyagg.index_of(seckey.pubkey, signer_index)
            psig = session.values.partial_sign(slot, seckey, index)
        finally:
            slot.wipe()
        if not session.values.partial_verify(psig, secnonce.pubnonce, index):
            raise SigningFault
        return psig

    def partial_sig_verify(
        self, psig: bytes, pubnonce: bytes, pubkey: bytes, session: SessionContext, signer_index: int | None = None
    ) -> bool:
        """Whether a signer's partial signature is right (BIP-327, PartialSigVerify). False blames the signer.

        `pubnonce` must be the one that this signer is known to have sent; a broken one is its contribution error.
        """
        self._own("session", session.keyagg.scheme)
        _sized("psig", psig, 32)
        _sized("pubnonce", pubnonce, 66)
        index = session.keyagg.index_of(pubkey, signer_index)
        return session.values.partial_verify(psig, pubnonce, index)

    def partial_sig_agg(
        self, psigs: Sequence[bytes], session: SessionContext, pubnonces: Sequence[bytes] | None = None
    ) -> bytes:
        """The signature, 64 bytes, verified before it is returned (BIP-327, PartialSigAgg).

        A signature that fails is an InvalidContributionError; with `pubnonces` (in the order of the keys) it names
        the first signer whose partial signature is wrong.
        """
        self._own("session", session.keyagg.scheme)
        _one_each("psigs", psigs, 32, session)
        if pubnonces is not None:
            _one_each("pubnonces", pubnonces, 66, session)
        try:
            return session.values.aggregate(tuple(psigs))
        except InvalidContributionError as error:
            if error.signer is None and pubnonces is not None:
                self._blame(psigs, session, pubnonces)
            raise

    def schnorr_sign(self, seckey: SecretKey, msg: bytes) -> bytes:
        """An ordinary signature of one key, 64 bytes, verified before it is returned."""
        _sized("msg", msg, 32)
        signature = self._rules.schnorr_sign(seckey, msg)
        if not self._rules.schnorr_verify(seckey.pubkey, msg, signature):
            raise SigningFault
        return signature

    def schnorr_verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        """Whether the signature holds; False for r or s out of range, as the standards say.

        ValueError for wrong sizes and for a key that is no point: no signature could be judged under it.
        """
        _sized("msg", msg, 32)
        _sized("signature", signature, 64)
        if not isinstance(pubkey, bytes) or len(pubkey) != 33 or pubkey[0] not in (2, 3):
            raise InvalidArgumentError("pubkey", "must be 33 bytes, compressed")
        if self._rules.schnorr_verify(pubkey, msg, signature):
            return True
        self.validate_pubkey(pubkey)
        return False

    def verify_many(self, triples: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
        """`schnorr_verify` of many (pubkey, msg, signature), on all cores.

        Wrong sizes are a ValueError as ever, but a key that is no point is just False: one sender of nonsense must not
        spoil the answers about the others.
        """
        for index, (pubkey, msg, signature) in enumerate(triples):
            if not (isinstance(pubkey, bytes) and isinstance(msg, bytes) and isinstance(signature, bytes)):
                raise InvalidArgumentError(f"triples[{index}]", "must be bytes")
            if len(pubkey) != 33 or len(msg) != 32 or len(signature) != 64:
                raise InvalidArgumentError(f"triples[{index}]", "must be pubkey, msg and signature of 33, 32, 64 bytes")
        return batch.verify_all(self._verify_quietly, triples)

    def _verify_quietly(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        return pubkey[0] in (2, 3) and self._rules.schnorr_verify(pubkey, msg, signature)

    def validate_pubkey(self, pubkey: bytes) -> None:
        """ValueError unless these are 33 bytes that encode a point."""
        points.parse_pubkey(pubkey)

    def validate_pubnonce(self, pubnonce: bytes) -> None:
        """ValueError unless these are 66 bytes that encode two points; infinity is not allowed to a single signer."""
        if _parse_pubnonce(pubnonce) is None:
            raise InvalidArgumentError("pubnonce", "must be 66 bytes that encode two points of the curve")

    def _own(self, argument: str, scheme_name: str) -> None:
        if scheme_name != self.name:
            raise InvalidArgumentError(argument, f"belongs to scheme {scheme_name}, not {self.name}")

    def _check_nonce(self, secnonce: SecNonce, seckey: SecretKey, session: SessionContext) -> None:
        if secnonce.scheme != self.name:
            raise NonceMismatch("scheme")
        if secnonce.pubkey != seckey.pubkey:
            raise NonceMismatch("key")
        if secnonce.aggpubkey != session.keyagg.aggpubkey:
            raise NonceMismatch("aggregate key")
        if secnonce.msg != session.msg:
            raise NonceMismatch("message")

    def _blame(self, psigs: Sequence[bytes], session: SessionContext, pubnonces: Sequence[bytes]) -> None:
        for index, (psig, pubnonce) in enumerate(zip(psigs, pubnonces, strict=True)):
            if not session.values.partial_verify(psig, pubnonce, index):
                raise InvalidContributionError(index, "psig")


def _parse_pubnonce(pubnonce: bytes) -> secp.PubNonce | None:
    if not isinstance(pubnonce, bytes) or len(pubnonce) != 66:
        return None
    return secp.musig_pubnonce_parse(pubnonce)


_SCHEMES: Final = {rules.name: Scheme(rules) for rules in (bip340.RULES, lotus.RULES)}


def scheme(name: str) -> Scheme:
    """The scheme of that name, `bip340` or `lotus`: always the same object. Nothing falls back."""
    try:
        return _SCHEMES[name]
    except KeyError:
        raise InvalidArgumentError("scheme", f"must be one of {', '.join(_SCHEMES)}") from None
