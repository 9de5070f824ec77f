"""A log of what strangers can cause has a bound, and says how much it left out."""

from __future__ import annotations

from structlog.testing import capture_logs

from config.output.bounded_log import LEFT_OUT, MOST, SPAN_S, BoundedLog


def test_of_a_flood_some_lines_are_written_and_the_others_counted_while_other_kinds_go_on() -> None:
    now = [0.0]
    log = BoundedLog("musigd.test", lambda: now[0])
    with capture_logs() as lines:
        for number in range(MOST + 5):
            log.info("a stranger asks", number=number)
        log.info("a friend asks", number=1)
        now[0] = SPAN_S
        log.info("a friend asks", number=2)
    assert [line["number"] for line in lines if line["event"] == "a stranger asks"] == list(range(MOST))
    assert [line["event"] for line in lines[MOST:]] == ["a friend asks", LEFT_OUT, "a friend asks"]
    assert (lines[MOST + 1]["kind"], lines[MOST + 1]["number"]) == ("a stranger asks", 5)
    assert {line["log_level"] for line in lines} == {"info"}


def test_a_kind_is_written_again_when_its_minute_is_over() -> None:
    now = [0.0]
    log = BoundedLog("musigd.test", lambda: now[0])
    with capture_logs() as lines:
        for _ in range(MOST):
            log.info("a stranger asks")
        now[0] = SPAN_S
        log.info("a stranger asks")
    assert len(lines) == MOST + 1
