package carapulse_test.guards.maintenance_window

import data.carapulse.guards.maintenance_window
import data.carapulse_test.given

test_without_a_window_it_is_always_open if {
	action := given.executes
	count(maintenance_window.deny) == 0 with input.action as action with input.constraints as {"maintenance_window": null}
}

test_inside_is_open if {
	action := given.acts
	every minutes in [[60, 120, 60], [60, 120, 119], [1380, 60, 1380], [1380, 60, 1439], [1380, 60, 0], [1380, 60, 59]] {
		count(maintenance_window.deny) == 0 with input.action as action
			with input.constraints.maintenance_window.start_minute as minutes[0]
			with input.constraints.maintenance_window.end_minute as minutes[1]
			with input.constraints.maintenance_window.now_minute as minutes[2]
	}
}

test_outside_is_closed if {
	action := given.acts
	every minutes in [[60, 120, 59], [60, 120, 120], [1380, 60, 60], [1380, 60, 1379], [60, 120, 1439]] {
		maintenance_window.deny == {"it is outside the plan's maintenance window"} with input.action as action
			with input.constraints.maintenance_window.start_minute as minutes[0]
			with input.constraints.maintenance_window.end_minute as minutes[1]
			with input.constraints.maintenance_window.now_minute as minutes[2]
	}
}

test_one_that_makes_no_sense_is_refused_when_drafting if {
	action := given.drafts
	every minutes in [[60, 60, 60], [-1, 60, 0], [0, 1440, 10], [0, 60, 1440]] {
		maintenance_window.deny == {"the plan's maintenance window makes no sense"} with input.action as action
			with input.constraints.maintenance_window.start_minute as minutes[0]
			with input.constraints.maintenance_window.end_minute as minutes[1]
			with input.constraints.maintenance_window.now_minute as minutes[2]
	}
}

test_one_that_makes_no_sense_is_never_open if {
	action := given.executes
	every window in [{}, "always", {"start_minute": 0}, [], false] {
		count(maintenance_window.deny) == 2 with input.action as action with input.constraints as {"maintenance_window": window}
	}
}

test_drafting_undoing_and_reading_need_no_window if {
	every asked in [given.drafts, given.undoes, given.reads] {
		count(maintenance_window.deny) == 0 with input.action as asked
			with input.constraints as {"maintenance_window": {"start_minute": 0, "end_minute": 1, "now_minute": 2}}
	}
}
