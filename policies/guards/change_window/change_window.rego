# METADATA
# title: Change window
# description: >-
#   Where the operators keep windows, changes happen only inside one of them, unless the glass is broken. Windows stand
#   in data/calendar.json, in UTC: weekdays from 0 (Monday), minutes of the day, the end not included.
package carapulse.guards.change_window

import data.carapulse.facts
import data.carapulse.guards.break_glass

deny contains "changes here wait for the next window" if {
	facts.acts
	not open
}

open if break_glass.rightful

open if {
	is_array(data.windows)
	every window in data.windows {
		window.environment != input.context.environment
	}
}

open if {
	some window in data.windows
	window.environment == input.context.environment
	weekday in window.weekdays
	time_of_day >= window.start_minute * facts.minute_ns
	time_of_day < window.end_minute * facts.minute_ns
}

time_of_day := input.now_ns % facts.day_ns

# The first day of 1970 was a Thursday.
weekday := (((input.now_ns - time_of_day) / facts.day_ns) + 3) % 7
