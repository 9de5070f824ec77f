"""A forked child holds the parent's nonces: it must neither sign nor find them in its memory."""

import subprocess
import sys
import textwrap

CHILD = textwrap.dedent("""
    import os, sys
    from musig2 import ForkDetected, SecretKey, scheme

    used = scheme(sys.argv[1])
    key = SecretKey.generate()
    keyagg = used.key_agg([key.pubkey])
    nonce, public = used.nonce_gen(key, key.pubkey, keyagg, bytes(32))
    signed_later, _ = used.nonce_gen(key, key.pubkey, keyagg, bytes(32))
    session = used.session(keyagg, used.nonce_agg([public]), bytes(32))
    slots = [key._slot, nonce._cell[0]]
    assert all(any(slot.view) for slot in slots)

    def reveal():
        with key.reveal():
            pass

    def refused(action):
        try:
            action()
        except ForkDetected as error:
            return "fresh process" in str(error)
        return False

    if os.fork() == 0:
        outcome = [
            refused(lambda: used.sign(nonce, key, session)),
            refused(lambda: used.nonce_gen(key, key.pubkey, keyagg, bytes(32))),
            refused(lambda: used.schnorr_sign(key, bytes(32))),
            refused(SecretKey.generate),
            refused(lambda: SecretKey.from_buffer(bytearray(b"\\x01" * 32))),
            refused(reveal),
            refused(signed_later.wipe) is False,
            not any(any(slot.view) for slot in slots),
        ]
        verdict = used.schnorr_verify(key.pubkey, bytes(32), bytes(64)) is False
        os._exit(0 if all(outcome) and verdict else 1 + outcome.index(False) if False in outcome else 99)

    _, status = os.wait()
    signature = used.partial_sig_agg([used.sign(nonce, key, session)], session)
    print(os.waitstatus_to_exitcode(status), used.schnorr_verify(keyagg.aggpubkey, bytes(32), signature))
""")


def test_the_child_is_refused_and_the_parent_goes_on() -> None:
    for name in ("bip340", "lotus"):
        ran = subprocess.run([sys.executable, "-c", CHILD, name], capture_output=True, text=True, check=False)
        assert ran.stdout.split() == ["0", "True"], ran.stderr
