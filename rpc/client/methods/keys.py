"""Methods of the client: keys. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rpc.client.methods.asking import Asking
from rpc.models.keys import AggregatedKey, ChangedKey, KeyList, KeyMade, LockState, PassphraseChanged, Verified
from rpc.models.tweaks import PlainTweak, TaprootTweak


class KeysMethods(Asking):
    """Keys."""

    async def create_key(
        self, *, idempotency_key: str | None = None, scheme: Literal["lotus", "bip340"], label: str | None = None
    ) -> KeyMade:
        """Makes a key and keeps it encrypted."""
        return await self._ask(
            KeyMade,
            "createKey",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "label": label,
            },
        )

    async def import_key(
        self, *, private_key: str, scheme: Literal["lotus", "bip340"], label: str | None = None
    ) -> KeyMade:
        """Takes over a private key (hex or WIF). One secret belongs to one scheme."""
        return await self._ask(KeyMade, "importKey", {"privateKey": private_key, "scheme": scheme, "label": label})

    async def list_keys(self) -> KeyList:
        """The keys this token may use."""
        return await self._ask(KeyList, "listKeys", {})

    async def pause_key(
        self, *, idempotency_key: str | None = None, scheme: Literal["lotus", "bip340"] | None = None, public_key: str
    ) -> ChangedKey:
        """Stops signing with a key until resumeKey."""
        return await self._ask(
            ChangedKey,
            "pauseKey",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "publicKey": public_key,
            },
        )

    async def resume_key(
        self, *, idempotency_key: str | None = None, scheme: Literal["lotus", "bip340"] | None = None, public_key: str
    ) -> ChangedKey:
        """Signs with a paused key again."""
        return await self._ask(
            ChangedKey,
            "resumeKey",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "publicKey": public_key,
            },
        )

    async def unlock(self, *, passphrase: str, duration_ms: int | None = None) -> LockState:
        """Opens the keys with the passphrase, for a while or until lock."""
        return await self._ask(LockState, "unlock", {"passphrase": passphrase, "durationMs": duration_ms})

    async def lock(self, *, idempotency_key: str | None = None) -> LockState:
        """Wipes the opened keys from memory; open sessions end."""
        return await self._ask(LockState, "lock", {"idempotencyKey": idempotency_key})

    async def change_passphrase(self, *, passphrase: str, new_passphrase: str) -> PassphraseChanged:
        """Encrypts the keys under another passphrase."""
        return await self._ask(
            PassphraseChanged,
            "changePassphrase",
            {
                "passphrase": passphrase,
                "newPassphrase": new_passphrase,
            },
        )

    async def aggregate_keys(
        self,
        *,
        public_keys: Sequence[str],
        scheme: Literal["lotus", "bip340"],
        tweaks: Sequence[TaprootTweak | Mapping[str, Any] | PlainTweak] | None = None,
        network: str | None = None,
    ) -> AggregatedKey:
        """The aggregate key of some public keys, what to pay to, and the address. Nothing is stored."""
        return await self._ask(
            AggregatedKey,
            "aggregateKeys",
            {
                "publicKeys": public_keys,
                "scheme": scheme,
                "tweaks": tweaks,
                "network": network,
            },
        )

    async def verify_signature(
        self, *, public_key: str, message: str, signature: str, scheme: Literal["lotus", "bip340"]
    ) -> Verified:
        """Whether a signature holds for a message under a public key."""
        return await self._ask(
            Verified,
            "verifySignature",
            {
                "publicKey": public_key,
                "message": message,
                "signature": signature,
                "scheme": scheme,
            },
        )
