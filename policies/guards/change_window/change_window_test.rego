package carapulse_test.guards.change_window

import data.carapulse.guards.change_window
import data.carapulse_test.given

window(weekdays, start, end) := {"environment": "prod", "weekdays": weekdays, "start_minute": start, "end_minute": end}

# Now is a Sunday (6), minute 600.
test_inside_a_window_is_open if {
	now_ns := given.sunday_at_ten
	action := given.executes
	calendar := [window([0], 0, 1440), window([5, 6], 600, 601)]
	count(change_window.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.context as {"environment": "prod"}
		with data.windows as calendar
}

test_outside_is_closed if {
	now_ns := given.sunday_at_ten
	action := given.acts
	calendar := [window([0, 1, 2, 3, 4, 5], 0, 1440), window([6], 0, 600), window([6], 601, 1440)]
	count(change_window.deny) == 1 with input.now_ns as now_ns
		with input.action as action
		with input.context as {"environment": "prod"}
		with data.windows as calendar
}

test_an_environment_without_windows_is_always_open if {
	now_ns := given.sunday_at_ten
	action := given.executes
	calendar := [window([0], 0, 1)]
	count(change_window.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.context as {"environment": "dev"}
		with data.windows as calendar
}

test_drafting_and_undoing_need_no_window if {
	now_ns := given.sunday_at_ten
	calendar := [window([0], 0, 1)]
	every asked in [given.drafts, given.undoes, given.reads, given.answers] {
		count(change_window.deny) == 0 with input.now_ns as now_ns
			with input.action as asked
			with input.context as {"environment": "prod"}
			with data.windows as calendar
	}
}

test_a_broken_glass_opens_it if {
	now_ns := given.sunday_at_ten
	action := given.executes
	call := given.someone("sam", "sre")
	glass := given.broken_by("sam")
	calendar := [window([0], 0, 1)]
	count(change_window.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.call as call
		with input.break_glass as glass
		with input.context as {"environment": "prod"}
		with data.windows as calendar
}

test_windows_that_can_not_be_read_are_closed if {
	now_ns := given.sunday_at_ten
	action := given.executes
	every broken in [[{}], [{"environment": "prod"}], "always", null] {
		count(change_window.deny) == 1 with input.now_ns as now_ns
			with input.action as action
			with input.context as {"environment": "prod"}
			with data.windows as broken
	}
}
