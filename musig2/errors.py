"""The errors of this package: the class says what happened, the fields who or what is to blame.

`reason` is stable and machine-readable; the text says what to do. No error carries a secret.
"""

from typing import ClassVar


class MusigError(Exception):
    """Root of everything this package raises on purpose."""

    reason: ClassVar[str] = "musig"


class InvalidArgumentError(MusigError, ValueError):
    """The caller passed a bad argument, which is no co-signer's fault; `argument` names it."""

    reason = "invalid_argument"

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument
        self.problem = problem


class InvalidContributionError(MusigError):
    """A co-signer sent something unusable (BIP-327's error of the same name).

    `signer` is the position in the list of keys, or None where no single signer can be named (an aggregate nonce, an
    aggregate signature that fails). `contribution` is `pubkey`, `pubnonce`, `aggnonce` or `psig`.
    """

    reason = "invalid_contribution"

    def __init__(self, signer: int | None, contribution: str) -> None:
        whose = "the signers together" if signer is None else f"signer {signer}"
        super().__init__(f"{contribution} from {whose} is invalid: leave that signer out and start a new session")
        self.signer = signer
        self.contribution = contribution


class NonceConsumed(MusigError):
    """A secret nonce was offered a second time, or after a wipe. Two signatures with one nonce give the key away."""

    reason = "nonce_consumed"

    def __init__(self) -> None:
        super().__init__("this secret nonce was used or wiped: generate a new one and start a new session")


class NonceMismatch(MusigError, ValueError):
    """A secret nonce was offered for another `field` (scheme, key, aggregate key or message) than it was made for.

    `binding`: its own record of these was overwritten after it was made.
    """

    reason = "nonce_mismatch"

    def __init__(self, field: str) -> None:
        super().__init__(f"secnonce: made for another {field}; it is burned now, start a new session")
        self.field = field


class KeyWiped(MusigError):
    """A SecretKey was used after `wipe()`."""

    reason = "key_wiped"

    def __init__(self) -> None:
        super().__init__("this secret key was wiped: load it again")


class ForkDetected(MusigError):
    """Secrets were touched in a process forked from the one that imported this package."""

    reason = "fork_detected"

    def __init__(self) -> None:
        super().__init__("this process was forked after musig2 was imported: start a fresh process to sign in")


class SigningFault(MusigError):
    """Our own signature or partial signature does not verify, so it was not released: memory or processor at fault."""

    reason = "signing_fault"

    def __init__(self) -> None:
        super().__init__("our own signature does not verify and was withheld: check this machine's memory")


class LibraryError(MusigError):
    """libsecp256k1 refused a call that this package had already found good, or was called against its rules."""

    reason = "library_error"


class LibraryMismatch(MusigError, ImportError):
    """The libsecp256k1 found is not the one this package was written for."""

    reason = "library_mismatch"

    def __init__(self, what: str) -> None:
        super().__init__(f"libsecp256k1 differs from the expected one ({what}): install coincurve 21.0.0")
