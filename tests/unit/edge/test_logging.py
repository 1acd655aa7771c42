"""What a log line looks like."""

import io
import json
import logging
import subprocess
import sys

from carapulse.observe import Log
from carapulse.runtime.logging import JsonLines
from carapulse.tracing import Trace, traced


def a_log():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines("carapulse"))
    logger = logging.Logger("carapulse.plans")  # noqa: LOG001 - a test's own, out of the tree
    logger.addHandler(handler)
    return logger, lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_has_the_event_its_facts_and_the_trace():
    logger, lines = a_log()

    with traced(Trace("a" * 32, "b" * 16)):
        Log(logger).info("plan_drafted", plan_id="plan_1", risk="low")

    [line] = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "plan_drafted",
        "service": "carapulse",
        "logger": "carapulse.plans",
        "trace_id": "a" * 32,
        "plan_id": "plan_1",
        "risk": "low",
    }


def test_secrets_in_facts_and_errors_are_hidden():
    logger, lines = a_log()

    try:
        int("password=hunter2")
    except ValueError:
        Log(logger).exception("tool_failed", header="Bearer abc.def.ghi", api_key="xyzzy")

    assert not any(secret in json.dumps(lines()) for secret in ("hunter2", "abc.def", "xyzzy"))
    assert lines()[0]["error"]["type"] == "ValueError"


def test_what_a_library_says_is_written_and_hidden_in_the_same_way():
    logger, lines = a_log()

    logger.warning("connecting to %s", "postgresql://ada:s3cret@db/x")

    [line] = lines()
    assert (line["event"], line["message"]) == ("library_said", "connecting to postgresql://[redacted]@db/x")


def test_a_library_does_not_tell_the_addresses_that_are_asked():
    code = (
        "import logging; from carapulse.runtime.logging import set_up_logging; set_up_logging('x');"
        "logging.getLogger('httpx').info('HTTP Request: POST https://hooks.slack.com/services/T/B/xyzzy')"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stderr == ""


def test_a_fact_can_not_pose_as_the_line_s_own_field():
    logger, lines = a_log()

    Log(logger).info("odd", level="critical", trace_id="c" * 32)

    [line] = lines()
    assert (line["level"], line["level_"], line["trace_id"]) == ("info", "critical", "c" * 32)


def test_a_line_is_one_line():
    logger, lines = a_log()

    Log(logger).info("odd", said='first\nsecond\r\n{"event":"forged"}')

    assert len(lines()) == 1
