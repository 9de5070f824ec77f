"""How many signatures are shared out between threads."""

import threading

import pytest

from musig2.curve import batch


def run(count: int, workers: int | None) -> tuple[list[bool], list[str]]:
    """The answers, and the thread that gave each: every seventh signature is good."""
    seen: dict[bytes, str] = {}

    def verify(pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        seen[pubkey] = threading.current_thread().name
        return int.from_bytes(pubkey) % 7 == 0

    triples = [(i.to_bytes(4), b"", b"") for i in range(count)]
    answers = batch.verify_all(verify, triples, workers)
    return answers, [seen[pubkey] for pubkey, _, _ in triples]


@pytest.mark.parametrize("count", [0, 1, 64, 65, 511, 512, 513, 5000])
@pytest.mark.parametrize("workers", [None, 1, 2, 5])
def test_answers_come_in_order(count: int, workers: int | None) -> None:
    answers, _ = run(count, workers)
    assert answers == [i % 7 == 0 for i in range(count)]


def test_one_worker_is_the_caller() -> None:
    _, threads = run(5000, 1)
    assert set(threads) == {threading.main_thread().name}


def test_a_few_signatures_are_not_worth_a_thread() -> None:
    _, threads = run(64, 2)
    assert set(threads) == {threading.main_thread().name}
    _, threads = run(65, 2)
    assert all(name.startswith("verify_") for name in threads)


def test_each_worker_gets_four_chunks_of_equal_size() -> None:
    """Chunks of consecutive signatures: a boundary every eighth of 4,000, so no thread waits long for another."""
    chunks: list[int] = []

    class Triples(list[tuple[bytes, bytes, bytes]]):
        def __getitem__(self, part: slice) -> list[tuple[bytes, bytes, bytes]]:  # type: ignore[override]  # slices only
            chunks.append(len(piece := list.__getitem__(self, part)))
            return piece

    batch.verify_all(lambda *_: True, Triples([(b"", b"", b"")] * 4001), 2)
    assert sorted(chunks) == [494, *[501] * 7]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def verify(pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        batch.verify_all(verify, [(b"", b"", b"")] * 500, 2)


def test_all_cores_are_used_by_default() -> None:
    assert batch._CORES >= 1
    _, threads = run(64 * 8 * batch._CORES, None)
    assert len(set(threads)) <= batch._CORES
