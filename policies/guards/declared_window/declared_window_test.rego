package carapulse_test.guards.declared_window

import data.carapulse.guards.declared_window
import data.carapulse_test.given

test_outside_of_every_window_nothing_happens if {
	standing := {"freezes": [], "closed_window": true}
	every asked in [given.executes, given.acts] {
		declared_window.deny == {"no maintenance window is open here now"} with input.action as asked
			with input.standing as standing
	}
}

test_inside_of_one_or_without_any_it_may if {
	standing := given.nothing_stands
	every asked in [given.executes, given.acts] {
		count(declared_window.deny) == 0 with input.action as asked
			with input.standing as standing
	}
}

test_drafting_undoing_answering_and_reading_need_no_window if {
	standing := {"freezes": [], "closed_window": true}
	every asked in [given.drafts, given.undoes, given.answers, given.reads] {
		count(declared_window.deny) == 0 with input.action as asked
			with input.standing as standing
	}
}

test_a_broken_glass_opens_it if {
	now_ns := given.sunday_at_ten
	action := given.executes
	call := given.someone("sam", "sre")
	glass := given.broken_by("sam")
	standing := {"freezes": [], "closed_window": true}
	count(declared_window.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.call as call
		with input.break_glass as glass
		with input.standing as standing
}

test_what_can_not_be_read_is_closed if {
	action := given.executes
	every broken in [{}, {"closed_window": null}, {"closed_window": "no"}, null] {
		count(declared_window.deny) == 1 with input.action as action
			with input.standing as broken
	}
}
