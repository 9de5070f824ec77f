"""Keys, the lock, and the two pure calculations."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import keys
from rpc.models.wire import NoParams, NoParamsChange

KEYS = (
    Method(
        name="createKey",
        params=keys.CreateKey,
        result=keys.KeyMade,
        scope=Scope.ADMIN,
        summary="Makes a key and keeps it encrypted.",
        example={"scheme": "lotus", "label": "savings"},
        answer={"publicKey": samples.KEY_A, "scheme": "lotus", "label": "savings", "seq": 43},
        changes=True,
        makes_key=True,
    ),
    Method(
        name="importKey",
        params=keys.ImportKey,
        result=keys.KeyMade,
        scope=Scope.ADMIN,
        summary="Takes over a private key (hex or WIF). One secret belongs to one scheme.",
        example={"privateKey": samples.PRIVATE_KEY_C, "scheme": "lotus", "label": "old wallet"},
        answer={"publicKey": samples.KEY_C, "scheme": "lotus", "label": "old wallet", "seq": 43},
        changes=True,
        secret=True,
        makes_key=True,
    ),
    Method(
        name="listKeys",
        params=NoParams,
        result=keys.KeyList,
        scope=Scope.READ,
        summary="The keys this token may use.",
        example={},
        answer={"keys": [samples.KEY]},
    ),
    Method(
        name="pauseKey",
        params=keys.NameKey,
        result=keys.ChangedKey,
        scope=Scope.ADMIN,
        summary="Stops signing with a key until resumeKey.",
        example={"publicKey": samples.KEY_A},
        answer={**samples.KEY, "paused": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="resumeKey",
        params=keys.NameKey,
        result=keys.ChangedKey,
        scope=Scope.ADMIN,
        summary="Signs with a paused key again.",
        example={"publicKey": samples.KEY_A},
        answer={**samples.KEY, "seq": 43},
        changes=True,
    ),
    Method(
        name="unlock",
        params=keys.Unlock,
        result=keys.LockState,
        scope=Scope.ADMIN,
        summary="Opens the keys with the passphrase, for a while or until lock.",
        example={"passphrase": "correct horse", "durationMs": 3_600_000},
        answer={"locked": False, "until": samples.NOW + 3_600_000, "seq": 43},
        changes=True,
        secret=True,
        whole_daemon=True,
    ),
    Method(
        name="lock",
        params=NoParamsChange,
        result=keys.LockState,
        scope=Scope.ADMIN,
        summary="Wipes the opened keys from memory; open sessions end.",
        example={},
        answer={"locked": True, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="changePassphrase",
        params=keys.ChangePassphrase,
        result=keys.PassphraseChanged,
        scope=Scope.ADMIN,
        summary="Encrypts the keys under another passphrase.",
        example={"passphrase": "correct horse", "newPassphrase": "battery staple"},
        answer={"changed": True, "seq": 43},
        changes=True,
        secret=True,
        whole_daemon=True,
    ),
)

PURE = (
    Method(
        name="aggregateKeys",
        params=keys.AggregateKeys,
        result=keys.AggregatedKey,
        scope=Scope.READ,
        summary="The aggregate key of some public keys, what to pay to, and the address. Nothing is stored.",
        example={
            "publicKeys": [samples.KEY_B, samples.KEY_A],
            "scheme": "lotus",
            "tweaks": [{"taprootMerkleRoot": None}],
            "network": "main",
        },
        answer=samples.AGGREGATED,
    ),
    Method(
        name="verifySignature",
        params=keys.VerifySignature,
        result=keys.Verified,
        scope=Scope.READ,
        summary="Whether a signature holds for a message under a public key.",
        example={
            "publicKey": samples.KEY_A,
            "message": samples.MESSAGE,
            "signature": samples.SIGNATURE,
            "scheme": "lotus",
        },
        answer={"valid": False},
    ),
)
