# METADATA
# title: Maintenance window
# description: >-
#   A change happens only in the daily window its requester named; the window may cross midnight, its end is outside, and
#   one that makes no sense is never open. Drafting, and undoing what was done, need no window.
package carapulse.guards.maintenance_window

import data.carapulse.facts

deny contains "it is outside the plan's maintenance window" if {
	facts.acts
	not open
}

deny contains "the plan's maintenance window makes no sense" if {
	facts.changes
	not sound
}

window := input.constraints.maintenance_window

sound if is_null(window)

sound if {
	every minute in [window.start_minute, window.end_minute, window.now_minute] {
		minute >= 0
		minute < 1440
	}
	window.start_minute != window.end_minute
}

open if is_null(window)

open if {
	sound
	window.start_minute < window.end_minute
	window.start_minute <= window.now_minute
	window.now_minute < window.end_minute
}

open if {
	sound
	window.start_minute > window.end_minute
	window.start_minute <= window.now_minute
}

open if {
	sound
	window.start_minute > window.end_minute
	window.now_minute < window.end_minute
}
