"""`bip340`: BIP-340 signatures and BIP-327 MuSig2, done by libsecp256k1's own musig module."""

from dataclasses import dataclass
from typing import ClassVar, Final

from musig2.contexts import SigningValues
from musig2.curve import secp
from musig2.curve.memory import Slot, take_slot
from musig2.curve.points import parse_contributed_keys
from musig2.errors import InvalidArgumentError, InvalidContributionError
from musig2.keys import SecretKey
from musig2.tweaks import Tweak, TweakKind, taptweak_bip341

_SECNONCE: Final = slice(0, secp.SECNONCE_SIZE)
_FRESH: Final = slice(160, 192)


@dataclass(frozen=True, slots=True)
class _SigningValues:
    session: secp.Session
    cache: secp.KeyAggCache
    points: tuple[secp.Point, ...]
    aggpubkey: bytes
    msg: bytes

    def partial_sign(self, nonce: Slot, seckey: SecretKey, index: int) -> bytes:
        return secp.musig_partial_sign(nonce.view[_SECNONCE], seckey.keypair(), self.cache, self.session)

    def partial_verify(self, psig: bytes, pubnonce: bytes, index: int) -> bool:
        nonce = secp.musig_pubnonce_parse(pubnonce)
        if nonce is None:
            raise InvalidContributionError(index, "pubnonce")
        parsed = secp.musig_partial_sig_parse(psig)
        if parsed is None:
            return False
        return secp.musig_partial_sig_verify(parsed, nonce, self.points[index], self.cache, self.session)

    def aggregate(self, psigs: tuple[bytes, ...]) -> bytes:
        parsed = []
        for index, psig in enumerate(psigs):
            if (handle := secp.musig_partial_sig_parse(psig)) is None:
                raise InvalidContributionError(index, "psig")
            parsed.append(handle)
        signature = secp.musig_partial_sig_agg(self.session, parsed)
        if not RULES.schnorr_verify(self.aggpubkey, self.msg, signature):
            raise InvalidContributionError(None, "psig")
        return signature


@dataclass(frozen=True, slots=True)
class Bip340AggregateKey:
    cache: secp.KeyAggCache
    points: tuple[secp.Point, ...]
    aggpubkey: bytes
    internal_pubkey: bytes

    def new_nonce(self, nonce: Slot, seckey: SecretKey, msg: bytes, extra: bytes) -> bytes:
        """BIP-327, NonceGen, with fresh randomness."""
        secp.fill_random(nonce.view[_FRESH])
        return self.seeded_nonce(nonce, seckey, msg, extra)

    def seeded_nonce(self, nonce: Slot, seckey: SecretKey, msg: bytes, extra: bytes) -> bytes:
        """The same from randomness already in the slot: for test vectors only."""
        view = nonce.view
        return secp.musig_nonce_gen(
            view[_SECNONCE], view[_FRESH], seckey.scalar(), seckey.point(), msg, self.cache, extra
        )

    def signing_values(self, aggnonce: bytes, msg: bytes) -> SigningValues:
        """BIP-327, GetSessionValues."""
        parsed = secp.musig_aggnonce_parse(aggnonce)
        if parsed is None:
            raise InvalidContributionError(None, "aggnonce")
        session = secp.musig_nonce_process(parsed, msg, self.cache)
        return _SigningValues(session, self.cache, self.points, self.aggpubkey, msg)


def _apply(cache: secp.KeyAggCache, position: int, tweak: Tweak) -> None:
    """BIP-327, ApplyTweak; TAPROOT is the x-only tweak that BIP-341 derives from the key so far."""
    value = tweak.value
    if tweak.kind is TweakKind.TAPROOT:
        value = taptweak_bip341(secp.pubkey_serialize(secp.musig_pubkey_get(cache))[1:], tweak.value)
    assert value is not None  # Tweak holds a scalar for both other kinds
    if not secp.musig_tweak(cache, value, xonly=tweak.kind is not TweakKind.PLAIN):
        raise InvalidArgumentError(f"tweaks[{position}]", "leads to the point at infinity")


class Bip340:
    """The rules of `bip340`. A public key has 33 bytes here; a signature is checked against its x-coordinate."""

    name: ClassVar[str] = "bip340"

    def aggregate_keys(self, pubkeys: tuple[bytes, ...], tweaks: tuple[Tweak, ...]) -> Bip340AggregateKey:
        """BIP-327, KeyAgg and ApplyTweak."""
        if any(tweak.kind is TweakKind.TAPROOT for tweak in tweaks[:-1]):
            raise InvalidArgumentError("tweaks", "a TAPROOT tweak must be the last one")
        points = parse_contributed_keys(pubkeys)
        cache = secp.musig_pubkey_agg(points)
        internal = aggpubkey = secp.pubkey_serialize(secp.musig_pubkey_get(cache))
        for position, tweak in enumerate(tweaks):
            _apply(cache, position, tweak)
        if tweaks:
            aggpubkey = secp.pubkey_serialize(secp.musig_pubkey_get(cache))
        return Bip340AggregateKey(cache, points, aggpubkey, internal)

    def schnorr_sign(self, seckey: SecretKey, msg: bytes) -> bytes:
        """BIP-340, default signing, with fresh auxiliary randomness."""
        aux = take_slot()
        secp.fill_random(aux.view[:32])
        return self.seeded_sign(seckey, msg, aux)

    def seeded_sign(self, seckey: SecretKey, msg: bytes, aux: Slot) -> bytes:
        """The same with given auxiliary randomness: for test vectors only."""
        return secp.schnorrsig_sign(seckey.keypair(), msg, aux.view[:32])

    def schnorr_verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        """BIP-340, verification; False also for a key that is no point."""
        point = secp.xonly_parse(pubkey[1:])
        return point is not None and secp.schnorrsig_verify(signature, msg, point)


RULES: Final = Bip340()
