import pytest

from p2p.compat import kad_host


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for seconds must not make a peer look silent."""
    monkeypatch.setattr(kad_host, "ANSWER_S", 30.0)
    monkeypatch.setattr(kad_host, "REACH_S", 30.0)
