"""What waits for approval as short blocks: request, key, rule, amount, to whom, time left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from config.text.plain_text import escaped
from rpc.cli.people.consent import approvals_text
from rpc.cli.people.review import sats
from rpc.cli.people.waiting import duration


def pending_text(page: Mapping[str, Any]) -> str:
    """Each request that waits in a few lines; `musig-cli review ID` shows all of one."""
    blocks = ["\n".join(_block(each)) for each in page["pending"]]
    more = [f"more with cursor={page['nextCursor']}"] if "nextCursor" in page else []
    return "\n\n".join([f"pending ({len(blocks)})", *blocks, *more]) + "\n"


def _block(pending: Mapping[str, Any]) -> Iterator[str]:
    request = pending["request"]
    yield f"request  {request['requestId']}"
    yield f"key      {pending['publicKey']}"
    yield f"rule     {escaped(str(pending['message']))} {approvals_text(pending)}"
    yield from _what(request)
    yield f"left     {duration(request['expiresAt'] - time.time() * 1000)}"


def _what(request: Mapping[str, Any]) -> Iterator[str]:
    """What leaves, fee included, and to whom; what nobody can tell is said so."""
    review = request.get("review") or {"status": "blind"}
    transaction = review.get("transaction")
    if transaction is None:
        what = "a text" if "text" in review else "nobody can tell what: it shows no transaction"
        yield f"signs    {what} ({review['status']})"
        return
    leaving = [put for put in transaction["outputs"] if "returns" not in put]
    fee = f", fee {sats(transaction['fee'])}" if "fee" in transaction else ", fee not known"
    yield f"amount   {sats(sum(put['value'] for put in leaving))}{fee} ({review['status']})"
    for put in leaving:
        yield f"to       {put.get('address') or 'script ' + str(put['script'])}  {sats(put['value'])}"
