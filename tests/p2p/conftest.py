import pytest

from p2p.compat import kad_host, swarm
from p2p.dialback import reachability, server


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for silent peers: the machine may stand still for seconds."""
    monkeypatch.setattr(kad_host, "ANSWER_S", 30.0)
    monkeypatch.setattr(kad_host, "REACH_S", 30.0)
    monkeypatch.setattr(swarm, "HEARD_S", 30.0)
    monkeypatch.setattr(server, "DIAL_S", 30.0)
    monkeypatch.setattr(reachability, "ANSWER_S", 90.0)
