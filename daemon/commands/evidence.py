"""`musigd verify-evidence FILE`: checks a proof of misbehaviour without trusting whoever shows it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from config.output.terminal import say
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.errors import ProtocolError
from rpc.answers import Evidence

LARGEST = 64 * 1024 * 1024


class EvidenceFileError(DaemonError):
    """The file cannot be read, or is not what getEvidence returns."""

    exit_code = EXIT_CONFIGURATION


def verify(arguments: argparse.Namespace) -> int:
    """Print each signer that the file proves something about; 1 when it proves nothing about anybody."""
    proof = _read(arguments.file)
    try:
        request = bytes.fromhex(proof["request"])
        envelopes = [bytes.fromhex(envelope) for envelope in proof["evidence"]]
        findings = verify_evidence(request, envelopes)
    except (KeyError, TypeError, ValueError, ProtocolError) as error:
        raise EvidenceFileError(
            f"{arguments.file} is not what getEvidence returns ({error}): save its result as it is."
        ) from None
    for pubkey, reason in findings:
        say(f"{pubkey.hex()} {reason}\n")
    if not findings:
        say("These records prove nothing about anybody.\n")
    return 0 if findings else 1


def _read(file: Path) -> Evidence:
    try:
        content = sys.stdin.buffer.read(LARGEST) if str(file) == "-" else file.read_bytes()
        parsed = orjson.loads(content)
    except OSError as error:
        raise EvidenceFileError(f"{file} cannot be read: {error.strerror}.") from None
    except orjson.JSONDecodeError:
        raise EvidenceFileError(f"{file} is not JSON: save the result of getEvidence as it is.") from None
    if not isinstance(parsed, dict):
        raise EvidenceFileError(f"{file} holds no object: save the result of getEvidence as it is.")
    result: Evidence = parsed.get("result", parsed)  # the whole JSON-RPC answer is accepted too
    return result
