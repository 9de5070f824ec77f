"""Calls about keys.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from musigd_client.models.keys import (
    AggregatedKey,
    ChangedKey,
    ExportedKey,
    KeyDeleted,
    KeyList,
    KeyMade,
    LockState,
    PassphraseChanged,
    PlainTweak,
    TaprootTweak,
    Verified,
)
from musigd_client.sync.asking import Asking


class KeysMethods(Asking):
    """Keys."""

    def create_key(
        self, *, scheme: Literal["lotus", "bip340"], label: str | None = None, idempotency_key: str | None = None
    ) -> KeyMade:
        """Creates a key and stores it encrypted.

        Scope `admin`.

        - `scheme`: lotus or bip340
        - `label`: text (at most 100 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(KeyMade, "createKey", {"scheme": scheme, "label": label, "idempotencyKey": idempotency_key})

    def import_key(
        self,
        *,
        scheme: Literal["lotus", "bip340"],
        private_key: str | None = None,
        sealed_key: str | None = None,
        export_passphrase: str | None = None,
        label: str | None = None,
    ) -> KeyMade:
        """Imports a private key: hex, WIF, or what exportKey wrote. One secret belongs to one scheme.

        Scope `admin`.

        - `scheme`: lotus or bip340
        - `private_key`: text (1 to 1024 characters); 32 bytes as hex, or WIF
        - `sealed_key`: text (1 to 512 characters); the line that exportKey wrote
        - `export_passphrase`: text (1 to 1024 characters); what opens sealedKey
        - `label`: text (at most 100 characters)
        """
        return self._ask(
            KeyMade,
            "importKey",
            {
                "scheme": scheme,
                "privateKey": private_key,
                "sealedKey": sealed_key,
                "exportPassphrase": export_passphrase,
                "label": label,
            },
        )

    def export_key(
        self,
        *,
        public_key: str,
        passphrase: str,
        export_passphrase: str,
        scheme: Literal["lotus", "bip340"] | None = None,
    ) -> ExportedKey:
        """One own key as a line of text, sealed under a passphrase of its own.

        Scope `admin`.

        - `public_key`: public key (33 bytes hex)
        - `passphrase`: text (1 to 1024 characters); the one that opens the keys of this daemon
        - `export_passphrase`: text (1 to 1024 characters); the one that will open this key, here or in another
          daemon
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        """
        return self._ask(
            ExportedKey,
            "exportKey",
            {
                "publicKey": public_key,
                "passphrase": passphrase,
                "exportPassphrase": export_passphrase,
                "scheme": scheme,
            },
        )

    def delete_key(
        self, *, public_key: str, scheme: Literal["lotus", "bip340"] | None = None, idempotency_key: str | None = None
    ) -> KeyDeleted:
        """Deletes a key for good; refused while it is advertised, or has joined a request that is not finished.

        Scope `admin`.

        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            KeyDeleted, "deleteKey", {"publicKey": public_key, "scheme": scheme, "idempotencyKey": idempotency_key}
        )

    def list_keys(self) -> KeyList:
        """The keys this token may use.

        Scope `read`.
        """
        return self._ask(KeyList, "listKeys", {})

    def pause_key(
        self, *, public_key: str, scheme: Literal["lotus", "bip340"] | None = None, idempotency_key: str | None = None
    ) -> ChangedKey:
        """Stops signing with a key until resumeKey.

        Scope `admin`.

        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedKey, "pauseKey", {"publicKey": public_key, "scheme": scheme, "idempotencyKey": idempotency_key}
        )

    def resume_key(
        self, *, public_key: str, scheme: Literal["lotus", "bip340"] | None = None, idempotency_key: str | None = None
    ) -> ChangedKey:
        """Signs with a paused key again.

        Scope `admin`.

        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedKey, "resumeKey", {"publicKey": public_key, "scheme": scheme, "idempotencyKey": idempotency_key}
        )

    def unlock(self, *, passphrase: str, duration_ms: int | None = None) -> LockState:
        """Unlocks the keys with the passphrase, for a while or until lock.

        Scope `admin`.

        - `passphrase`: text (1 to 1024 characters); without the line break that its file ends in
        - `duration_ms`: integer (0 to 315360000000)
        """
        return self._ask(LockState, "unlock", {"passphrase": passphrase, "durationMs": duration_ms})

    def lock(self, *, idempotency_key: str | None = None) -> LockState:
        """Wipes the unlocked keys from memory; open sessions end.

        Scope `admin`.

        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(LockState, "lock", {"idempotencyKey": idempotency_key})

    def change_passphrase(self, *, passphrase: str, new_passphrase: str) -> PassphraseChanged:
        """Encrypts the keys under a new passphrase.

        Scope `admin`.

        - `passphrase`: text (1 to 1024 characters); without the line break that its file ends in
        - `new_passphrase`: text (1 to 1024 characters)
        """
        return self._ask(
            PassphraseChanged, "changePassphrase", {"passphrase": passphrase, "newPassphrase": new_passphrase}
        )

    def aggregate_keys(
        self,
        *,
        public_keys: Sequence[str],
        scheme: Literal["lotus", "bip340"],
        tweaks: Sequence[TaprootTweak | PlainTweak | Mapping[str, Any]] | None = None,
        network: str | None = None,
    ) -> AggregatedKey:
        """The aggregate key of some public keys, what to pay to, and the address. Nothing is stored.

        Scope `read`.

        - `public_keys`: array (2 to 100) of public key (33 bytes hex)
        - `scheme`: lotus or bip340
        - `tweaks`: array (at most 16) of TaprootTweak or PlainTweak
        - `network`: name (1 to 32 of a-z, 0-9, -); for the address: main, test, regtest, or the daemon's own, which
          it is when absent
        """
        return self._ask(
            AggregatedKey,
            "aggregateKeys",
            {"publicKeys": public_keys, "scheme": scheme, "tweaks": tweaks, "network": network},
        )

    def verify_signature(
        self, *, public_key: str, message: str, signature: str, scheme: Literal["lotus", "bip340"]
    ) -> Verified:
        """Whether a signature holds for a message under a public key.

        Scope `read`.

        - `public_key`: public key (33 bytes hex)
        - `message`: 32 bytes hex
        - `signature`: 64 bytes hex
        - `scheme`: lotus or bip340
        """
        return self._ask(
            Verified,
            "verifySignature",
            {"publicKey": public_key, "message": message, "signature": signature, "scheme": scheme},
        )
