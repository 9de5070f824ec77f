import pytest

from p2p.compat import kad_host


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for silent peers: the machine may stand still for seconds."""
    monkeypatch.setattr(kad_host, "ANSWER_S", 30.0)
    monkeypatch.setattr(kad_host, "REACH_S", 30.0)
