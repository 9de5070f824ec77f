"""`aggregateKeys` and `verifySignature`: calculations with public data, answered without the rest of the program."""

from __future__ import annotations

from musig2 import MusigError, Scheme, scheme
from musig2.chain.address import address, script_pubkey
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.requests import askable_key_agg
from rpc.caller import Caller
from rpc.convert import not_a_point, not_combined, tweaks_of
from rpc.errors import invalid_key, invalid_param, wrong_scheme
from rpc.models.keys import AggregatedKey, AggregateKeys, Verified, VerifySignature
from rpc.ports import SchemesOf

NETWORKS = ("main", "test", "regtest")  # networks with different addresses; a custom network uses those of regtest


class PureMethods:
    """Handlers that need nothing but musig2. `network` picks the address prefix where the caller names none."""

    def __init__(self, network: str, schemes_of: SchemesOf) -> None:
        """`schemes_of`: what a key is known to sign; empty where nothing is known."""
        self._network = network
        self._schemes_of = schemes_of

    async def aggregate_keys(self, caller: Caller, params: AggregateKeys) -> AggregatedKey:
        """The aggregate key of those keys.

        Raises `invalid_key` for keys or tweaks that cannot be combined, or that no request may hold, and
        `scheme_mismatch` for a key that is known to sign another scheme: money sent there could not be spent.
        """
        chosen = scheme(params.scheme)
        pubkeys = [_point(chosen, key, f"publicKeys[{index}]") for index, key in enumerate(params.public_keys)]
        for index, key in enumerate(pubkeys):
            known = self._schemes_of(key)
            if known and params.scheme not in known:
                raise wrong_scheme(f"publicKeys[{index}]", key, known, params.scheme)
        try:
            keyagg = askable_key_agg(params.scheme, pubkeys, tweaks_of(params.tweaks))
        except MusigError as problem:
            raise not_combined(problem, "publicKeys") from problem
        except InvalidRecord as problem:
            raise invalid_key("publicKeys", f"cannot stand in a request: {problem.problem}") from problem
        return AggregatedKey(
            aggregated_public_key=keyagg.aggpubkey.hex(),
            internal_public_key=keyagg.internal_pubkey.hex(),
            x_only_public_key=keyagg.xonly.hex(),
            public_keys=tuple(pubkey.hex() for pubkey in keyagg.pubkeys),
            scheme=params.scheme,
            script_pub_key=script_pubkey(params.scheme, keyagg.aggpubkey).hex(),
            address=address(params.scheme, keyagg.aggpubkey, self._network_of(params)),
        )

    def _network_of(self, params: AggregateKeys) -> str:
        known = dict.fromkeys((*NETWORKS, self._network))
        if params.network is not None and params.network not in known:
            raise invalid_param("network", f"must be one of {', '.join(known)}")
        return params.network or self._network

    async def verify_signature(self, caller: Caller, params: VerifySignature) -> Verified:
        """Whether the signature holds; a public key that is no point is `invalid_key`."""
        chosen = scheme(params.scheme)
        pubkey = _point(chosen, params.public_key, "publicKey")
        holds = chosen.schnorr_verify(pubkey, bytes.fromhex(params.message), bytes.fromhex(params.signature))
        return Verified(valid=holds)


def _point(chosen: Scheme, key: str, where: str) -> bytes:
    pubkey = bytes.fromhex(key)
    try:
        chosen.validate_pubkey(pubkey)
    except ValueError as problem:
        raise not_a_point(where, key) from problem
    return pubkey
