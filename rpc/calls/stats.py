"""What the server measures of itself, in Prometheus text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class Stats:
    """Counters of calls by method and outcome (`ok`, `client_gone` or a reason), and seconds spent in them."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[str] = Counter()

    def count(self, method: str, outcome: str, seconds: float) -> None:
        """One call has ended."""
        self._calls[method, outcome] += 1
        self._seconds[method] += seconds  # type: ignore[assignment]  # a Counter adds floats as well

    def text(self, gauges: Mapping[str, int]) -> str:
        """All counters and the given gauges."""
        lines = ["# TYPE musigd_rpc_calls_total counter"]
        lines += [
            f'musigd_rpc_calls_total{{method="{method}",outcome="{outcome}"}} {count}'
            for (method, outcome), count in sorted(self._calls.items())
        ]
        lines.append("# TYPE musigd_rpc_call_seconds_total counter")
        lines += [
            f'musigd_rpc_call_seconds_total{{method="{method}"}} {seconds:.6f}'
            for method, seconds in sorted(self._seconds.items())
        ]
        for name, value in gauges.items():
            lines += [f"# TYPE musigd_rpc_{name} gauge", f"musigd_rpc_{name} {value}"]
        return "\n".join(lines) + "\n"
