"""W3C trace context."""

import contextvars

import pytest

from carapulse.tracing import Trace, current_trace, traced

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_caller_s_trace_is_continued_under_a_new_part():
    trace = Trace.from_header(f"00-{ID}-{SPAN}-00")

    assert (trace.id, trace.flags) == (ID, "00")
    assert trace.span != SPAN
    assert trace.header == f"00-{ID}-{trace.span}-00"


def test_a_later_version_may_say_more():
    assert Trace.from_header(f"01-{ID}-{SPAN}-01-more").id == ID


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ID,
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01-more",
        f"00-{ID}-{SPAN}-01\n",
        f" 00-{ID}-{SPAN}-01",
    ],
    ids=str,
)
def test_a_header_that_is_not_valid_begins_a_new_trace(header):
    trace = Trace.from_header(header)

    assert trace.id != ID
    assert len(trace.id) == 32


def test_the_trace_holds_inside_and_in_copies_of_the_context_only():
    with traced(Trace(ID, SPAN)) as trace:
        assert contextvars.copy_context().run(current_trace) is trace

    assert current_trace() is None
