"""What a function counted is said in its log, as CloudWatch reads metrics from it, also when it fails."""

import io
import json

import pytest

from carapulse.metrics import Count, Duration
from carapulse.runtime.measured import measured

MADE = Count("carapulse_things_made_total", "Things that this test made", {"kind": {"good", "bad"}})
TOOK = Duration("carapulse_thing_seconds", "How long this test's things took")


def said(stream):
    """Return the lines about this test's things: what is counted, with what, and how much."""
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [each for each in lines if "thing" in each["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]]


def test_each_invocation_says_by_how_much_its_numbers_have_grown():
    stream = io.StringIO()

    @measured("maker", stream)
    def handler(event, context):
        del context
        MADE.add(event, kind="good")
        return event

    assert [handler(2, None), handler(3, None)] == [2, 3]

    first, second = said(stream)
    assert (first["carapulse_things_made_total"], second["carapulse_things_made_total"]) == (2, 3)
    assert (first["service"], first["kind"]) == ("maker", "good")
    (told,) = first["_aws"]["CloudWatchMetrics"]
    assert told["Dimensions"] == [["service"], ["service", "kind"]]
    assert told["Metrics"] == [{"Name": "carapulse_things_made_total", "Unit": "Count"}]


def test_an_invocation_that_fails_says_what_it_counted_too():
    stream = io.StringIO()

    @measured("maker", stream)
    def handler(event, context):
        del event, context
        TOOK.observe(0.5)
        raise LookupError

    with pytest.raises(LookupError):
        handler(None, None)

    by_name = {each["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]: each for each in said(stream)}
    assert by_name["carapulse_thing_seconds_sum"]["carapulse_thing_seconds_sum"] == 0.5
    assert by_name["carapulse_thing_seconds_count"]["carapulse_thing_seconds_count"] == 1
    assert by_name["carapulse_thing_seconds_sum"]["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] == "Seconds"


def test_an_invocation_that_counted_nothing_says_nothing():
    stream = io.StringIO()
    handler = measured("maker", stream)(lambda event, context: (event, context))
    handler(None, None)
    before = stream.tell()
    handler(None, None)

    assert stream.tell() == before
