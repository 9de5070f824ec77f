"""Secrets as objects: a secret key, and a secret nonce that can be used once.

Both keep their bytes in locked slots (memory.py) that are zeroed with the object, show nothing in `repr`, and refuse to
be copied or pickled: a copy of a secret nonce could be used a second time.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, Self, SupportsIndex

from musig2.curve import secp
from musig2.curve.hashing import tagged_hash
from musig2.curve.memory import Slot, take_slot
from musig2.errors import InvalidArgumentError, KeyWiped, NonceConsumed, NonceMismatch

_PAIR = slice(32, 32 + secp.KEYPAIR_SIZE)
_BOUND = slice(192, 224)  # of a nonce's slot: past what either scheme keeps and works with there


class _Uncopyable:
    """Refuses copy.copy, copy.deepcopy and pickle, which all ask for this method."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: it holds a secret")


class SecretKey(_Uncopyable):
    """A secret scalar 0 < d < n and its public key. One key belongs to one scheme; its owner sees to that."""

    __slots__ = ("_point", "_slot", "_wiped", "pubkey")

    def __init__(self, slot: Slot) -> None:
        """From a slot whose first 32 bytes are the scalar. Use `generate` or `from_buffer`."""
        secp.refuse_fork()
        point = secp.keypair_create(slot.view[_PAIR], slot.view[:32])
        if point is None:
            raise InvalidArgumentError("secret key", "must be above 0 and below the group order")
        self._slot = slot  # kept after a wipe: another thread may still be reading it
        self._wiped = False
        self._point = point
        self.pubkey = secp.pubkey_serialize(point)

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        slot = take_slot()
        secp.fill_random(slot.view[:32])
        return cls(slot)

    @classmethod
    def from_buffer(cls, source: bytearray) -> Self:
        """Take the 32 bytes out of `source`, which is wiped whatever happens. ValueError if 0 or at least n."""
        if not isinstance(source, bytearray):
            raise InvalidArgumentError("secret key", "must come in a bytearray, which can be wiped")
        slot = take_slot()
        try:
            if len(source) != 32:
                raise InvalidArgumentError("secret key", "must have 32 bytes")
            slot.view[:32] = source
        finally:
            source[:] = bytes(len(source))
        return cls(slot)

    @contextmanager
    def reveal(self) -> Iterator[memoryview]:
        """The 32 secret bytes, read-only, to encrypt them at rest and for nothing else; gone when the block ends."""
        with self.scalar() as view, view.toreadonly() as readonly:
            yield readonly

    def wipe(self) -> None:
        """Zero the key. Every later use raises `KeyWiped`; a use under way in another thread fails its own check."""
        self._wiped = True
        self._slot.wipe()

    def scalar(self) -> memoryview:
        """The secret scalar, for this package only."""
        return self._secret()[:32]

    def keypair(self) -> memoryview:
        """libsecp256k1's key pair, for this package only."""
        return self._secret()[_PAIR]

    def point(self) -> secp.Point:
        """The parsed public key, for this package only."""
        return self._point

    def _secret(self) -> memoryview:
        secp.refuse_fork()
        if self._wiped:
            raise KeyWiped
        return self._slot.view

    def __repr__(self) -> str:
        return f"<SecretKey of {self.pubkey.hex()}>"


class SecNonce(_Uncopyable):
    """A secret nonce of one scheme, bound to one public key, one aggregate key and one message; good for one `sign`.

    What it is bound to cannot be set anew, and a digest of it lies in the slot beside the secret: `consume` refuses a
    nonce whose bindings were overwritten all the same. Keep it in memory only. Signing twice with it, after a restore
    or in a copy of the process, gives the key away.
    """

    __slots__ = ("_cell", "aggpubkey", "msg", "pubkey", "pubnonce", "scheme")

    _cell: list[Slot]
    scheme: str
    pubkey: bytes
    aggpubkey: bytes
    msg: bytes
    pubnonce: bytes

    def __init__(
        self, slot: Slot, *, scheme: str, pubkey: bytes, aggpubkey: bytes, msg: bytes, pubnonce: bytes
    ) -> None:
        fix = super().__setattr__
        fix("scheme", scheme)
        fix("pubkey", pubkey)
        fix("aggpubkey", aggpubkey)
        fix("msg", msg)
        fix("pubnonce", pubnonce)
        slot.view[_BOUND] = self._digest()
        fix("_cell", [slot])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} of a SecNonce cannot be set: a nonce serves what it was made for")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a SecNonce cannot be deleted: a nonce serves what it was made for")

    @property
    def consumed(self) -> bool:
        return not self._cell

    def consume(self) -> Slot:
        """Take the secret out, once: the pop is atomic, so of two threads one gets `NonceConsumed`.

        Raises NonceMismatch, and wipes the secret, where the bindings are not those that it was made with.
        """
        try:
            slot = self._cell.pop()
        except IndexError:
            raise NonceConsumed from None
        secp.refuse_fork()
        if not self._is_bound(slot):
            slot.wipe()
            raise NonceMismatch("binding")
        return slot

    def wipe(self) -> None:
        """Zero the nonce; harmless where it was consumed already, and in a forked child."""
        with suppress(IndexError):
            self._cell.pop().wipe()

    def _is_bound(self, slot: Slot) -> bool:
        try:
            return bytes(slot.view[_BOUND]) == self._digest()
        except (AttributeError, TypeError):  # a binding was overwritten with something of another type
            return False

    def _digest(self) -> bytes:
        return tagged_hash(
            "musigd/secnonce", self.scheme.encode(), self.pubkey, self.aggpubkey, self.msg, self.pubnonce
        )

    def __repr__(self) -> str:
        return f"<SecNonce of {self.pubkey.hex()}, {'consumed' if self.consumed else 'unused'}>"
