"""Random sessions, signed by musig2 and by the slow implementation: every value must agree.

python -m tests.musig2.differential 100000        as many sessions, on all cores; prints the seed of a disagreement
"""

import multiprocessing
import os
import random
import sys

from musig2 import InvalidContributionError, SecretKey, Tweak, TweakKind, scheme
from tests.musig2.musig2_world import SCHEMES, World, nonce_scalars, secret, world
from tests.musig2.slow_musig2 import SLOW, Keys, N, decode, encode, nonce_agg

CHUNK = 250


def random_keys(rng: random.Random) -> list[SecretKey]:
    """1 to 12 signers; in a third of the sessions some of them are the same."""
    n = rng.randint(1, 12)
    keys = [SecretKey.from_buffer(bytearray(rng.randrange(1, N).to_bytes(32))) for _ in range(n)]
    if rng.random() < 1 / 3:
        keys = [rng.choice(keys[: max(1, n // 2)]) for _ in range(n)]
    return keys


def random_tweaks(rng: random.Random, name: str) -> tuple[Tweak, ...]:
    root = rng.choice((None, rng.randbytes(32)))
    last = (Tweak(TweakKind.TAPROOT, root),) if rng.random() < 0.5 else ()
    if name == "lotus":
        return last
    kinds = rng.choices((TweakKind.PLAIN, TweakKind.XONLY), k=rng.randint(0, 3))
    return (*(Tweak(kind, rng.randrange(1, N).to_bytes(32)) for kind in kinds), *last)


def assert_both_agree(seed: int) -> None:
    """One session. The nonces are the system's, so a seed repeats everything else."""
    rng = random.Random(seed)
    name = rng.choice(SCHEMES)
    keys, tweaks, slow = random_keys(rng), random_tweaks(rng, name), SLOW[name]
    made = world(scheme(name), used_tweaks=tweaks, keys=keys)
    expected = slow.keys([key.pubkey for key in keys], [(tweak.kind, tweak.value) for tweak in tweaks])
    assert made.keyagg.aggpubkey == encode(expected.q)
    assert made.keyagg.internal_pubkey == encode(expected.internal)
    assert made.session.aggnonce == nonce_agg(made.pubnonces)

    values = slow.values(expected, made.session.aggnonce, made.msg)
    scalars = [nonce_scalars(secnonce) for secnonce in made.secnonces]
    partials = [
        slow.sign(expected, values, k, secret(key), i) for i, (k, key) in enumerate(zip(scalars, keys, strict=True))
    ]
    psigs = made.psigs()
    assert psigs == [partial.to_bytes(32) for partial in partials]

    signature = made.scheme.partial_sig_agg(psigs, made.session)
    assert signature == slow.signature(expected, values, partials)
    assert slow.verify(made.keyagg.aggpubkey, made.msg, signature)
    check_damage(rng, made, expected, psigs, signature)


def check_damage(rng: random.Random, made: World, expected: Keys, psigs: list[bytes], signature: bytes) -> None:
    """A damaged partial signature, nonce or signature is judged alike by both."""
    slow, index = SLOW[made.scheme.name], rng.randrange(len(psigs))
    values = slow.values(expected, made.session.aggnonce, made.msg)
    psig = flip(rng, psigs[index]) if rng.random() < 0.5 else psigs[index]
    by_slow = slow.verify_partial(expected, values, int.from_bytes(psig), made.pubnonces[index], index)
    assert made.verify(psig, index) == by_slow == (psig == psigs[index])
    bad = flip(rng, signature)
    assert made.scheme.schnorr_verify(made.keyagg.aggpubkey, made.msg, bad) is False
    assert not slow.verify(made.keyagg.aggpubkey, made.msg, bad)
    nonce = flip(rng, made.pubnonces[index])
    try:
        decode(nonce[:33]), decode(nonce[33:])
    except ValueError:
        try:
            made.scheme.nonce_agg([nonce])
        except InvalidContributionError:
            return
        raise AssertionError("a broken nonce was accepted") from None
    assert made.scheme.nonce_agg([nonce]) == nonce


def flip(rng: random.Random, data: bytes) -> bytes:
    return (int.from_bytes(data) ^ 1 << rng.randrange(8 * len(data))).to_bytes(len(data))


def check_many(seeds: range) -> int:
    for seed in seeds:
        try:
            assert_both_agree(seed)
        except BaseException:
            print(f"seed {seed} disagrees", flush=True)
            raise
    return len(seeds)


def main(count: int) -> None:
    start = int.from_bytes(os.urandom(4)) << 32
    chunks = [range(start + i, start + min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    done = 0
    with multiprocessing.get_context("spawn").Pool() as pool:
        for finished in pool.imap_unordered(check_many, chunks):
            done += finished
            print(f"\r{done} of {count} sessions agree", end="", flush=True)
    print()


if __name__ == "__main__":
    main(int(sys.argv[1]))
