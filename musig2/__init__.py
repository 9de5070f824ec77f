"""MuSig2 for two signature schemes, on libsecp256k1: `scheme("bip340")` (BIP-327) and `scheme("lotus")`."""

from musig2 import known_answers
from musig2.contexts import KeyAggContext, SessionContext
from musig2.curve.hashing import tagged_hash
from musig2.errors import (
    ForkDetected,
    InvalidArgumentError,
    InvalidContributionError,
    KeyWiped,
    LibraryError,
    LibraryMismatch,
    MusigError,
    NonceConsumed,
    NonceMismatch,
    SigningFault,
)
from musig2.keys import SecNonce, SecretKey
from musig2.scheme import Scheme, scheme
from musig2.tweaks import Tweak, TweakKind

known_answers.check()

__all__ = [
    "ForkDetected",
    "InvalidArgumentError",
    "InvalidContributionError",
    "KeyAggContext",
    "KeyWiped",
    "LibraryError",
    "LibraryMismatch",
    "MusigError",
    "NonceConsumed",
    "NonceMismatch",
    "Scheme",
    "SecNonce",
    "SecretKey",
    "SessionContext",
    "SigningFault",
    "Tweak",
    "TweakKind",
    "scheme",
    "tagged_hash",
]
