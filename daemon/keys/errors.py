"""What the keystore refuses."""

from __future__ import annotations

from daemon.errors import Refused


def line_break_in(passphrase: bytearray | memoryview) -> str:
    """What to say besides of a passphrase that does not fit, and may have been read from a file with its line break."""
    ends_in_one = bool(passphrase) and passphrase[-1] in b"\r\n"
    return " (it ends in a line break: leave out that of a file)" if ends_in_one else ""


class KeyRefused(Refused):
    """Root of these."""


class KeysLocked(KeyRefused):
    """The keys are locked."""

    reason = "locked"

    def __init__(self) -> None:
        super().__init__(
            "The keys are locked: unlock them first, or name keys.passphrase_file in the settings and restart."
        )


class UnknownKey(KeyRefused):
    """No own key has this public key. The text is the same for a key of another token, to reveal nothing."""

    reason = "unknown_key"

    def __init__(self, pubkey: bytes) -> None:
        super().__init__(
            "This daemon holds no such key for this token; listKeys shows the keys it may use.", publicKey=pubkey.hex()
        )


class KeyKeptOutside(KeyRefused):
    """The private half of this key is not in the daemon."""

    reason = "unknown_key"

    def __init__(self) -> None:
        super().__init__("This key's private half is kept outside the daemon, which cannot sign with it.")


class KeyPaused(KeyRefused):
    """The key signs nothing new until it is resumed."""

    reason = "paused"

    def __init__(self, pubkey: bytes) -> None:
        super().__init__("This key is paused: resumeKey lets it sign again.", publicKey=pubkey.hex())


class MayNotCreateKeys(KeyRefused):
    """A token bound to its keys that was made without createKey."""

    reason = "forbidden"

    def __init__(self) -> None:
        super().__init__(
            "This token is bound to its keys and may not make others: the cookie may, and a token made with createKey.",
            createKey=True,
        )


class WrongPassphrase(KeyRefused):
    """The passphrase does not open the vault."""

    reason = "wrong_passphrase"

    def __init__(self, given: bytearray | memoryview) -> None:
        super().__init__(f"This is not the passphrase of these keys{line_break_in(given)}; try again.")


class TooManyAttempts(KeyRefused):
    """Wrong passphrases came too often; the next attempt is taken after `wait_ms`."""

    reason = "rate_limited"

    def __init__(self, wait_ms: int) -> None:
        super().__init__(
            f"Wrong passphrases were tried too often: try again in {-(-wait_ms // 1000)} s.", retryAfterMs=wait_ms
        )


class KeyExists(KeyRefused):
    """This secret or its negation is here already, under either scheme."""

    reason = "already_exists"

    def __init__(self) -> None:
        super().__init__(
            "This private key, or its negation, is here already; one secret belongs to one scheme, so make another key."
        )


class UnfitPrivateKey(KeyRefused):
    """A text that is no private key; `why` follows the name of the param and never repeats what was given."""

    reason = "invalid_key"

    def __init__(self, why: str) -> None:
        super().__init__(f"privateKey: {why}", errors=[{"path": "privateKey", "message": why}])


class UnfitSealedKey(KeyRefused):
    """A text that is no exported key or does not open; `why` follows the name of the param."""

    reason = "invalid_key"

    def __init__(self, why: str) -> None:
        super().__init__(f"sealedKey: {why}", errors=[{"path": "sealedKey", "message": why}])


class KeyInUse(KeyRefused):
    """The key is still needed; `what_to_do` says for what, and what to do."""

    reason = "wrong_phase"

    def __init__(self, pubkey: bytes, what_to_do: str) -> None:
        super().__init__(f"This key is in use: {what_to_do}", publicKey=pubkey.hex())
