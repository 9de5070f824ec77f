"""A first wallet with the Python kit, all four phases. `python wallet.py DATADIR` advertises and answers one request;
`python wallet.py DATADIR ask TEXT` looks for a signer and asks it to sign TEXT together."""

import sys
import time
from pathlib import Path

from musigd_client import SyncClient, text_message


def answer(wallet: SyncClient, key: str, from_seq: int) -> str:
    wallet.advertise_signer(public_key=key, criteria={"transactionTypes": ["agreement"]})
    for event in wallet.events(from_seq=from_seq, events=["signing-request:received"]):
        asked = event["data"]["request"]
        review = asked["review"]  # the daemon has compared the message with the text
        if "text" in review and review["status"] == "checked" and input(f"sign {review['text']!r}? ") == "yes":
            wallet.join_signing_request(request_id=asked["requestId"], public_key=key, require_checked=True)
            return str(asked["requestId"])
    raise AssertionError("events do not end")


def ask(wallet: SyncClient, key: str, text: str) -> str:
    while not (found := wallet.find_available_signers(transaction_type="agreement", refresh=True).signers):
        time.sleep(1)
    both, message = [key, found[0].public_key], text_message(text)
    shown = {"messageText": text, "transactionType": "agreement"}
    made = wallet.announce_signing_request(required_public_keys=both, public_key=key, message=message, metadata=shown)
    return made.request_id


wallet = SyncClient.connect(datadir=Path(sys.argv[1]))
start = wallet.get_info().next_seq  # before acting, so that nothing is missed
own = wallet.create_key(scheme="bip340").public_key
request_id = ask(wallet, own, sys.argv[3]) if sys.argv[2:] else answer(wallet, own, start)
final = wallet.wait_for_signature(request_id=request_id)
print(final.signature, "of", final.message, "under", final.aggregated_public_key)
