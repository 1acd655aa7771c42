"""Numbers that stay bounded."""

from carapulse.metrics import Count, Duration, Level, show_metrics


def test_a_value_that_is_not_listed_counts_as_other():
    count = Count("carapulse_test_decisions_total", "Decisions", {"outcome": ("allow", "deny")})

    count.add(outcome="allow")
    count.add(2, outcome="<b>")

    shown = show_metrics().decode()
    assert 'carapulse_test_decisions_total{outcome="allow"} 1.0' in shown
    assert 'carapulse_test_decisions_total{outcome="other"} 2.0' in shown
    assert "<b>" not in shown


def test_durations_and_levels_are_shown():
    Duration("carapulse_test_seconds", "Time").observe(0.2)
    level = Level("carapulse_test_level", "Level")
    level.set(3)
    level.change(-1)

    shown = show_metrics().decode()
    assert "carapulse_test_seconds_count 1.0" in shown
    assert 'carapulse_test_seconds_bucket{le="0.25"} 1.0' in shown
    assert "carapulse_test_level 2.0" in shown
