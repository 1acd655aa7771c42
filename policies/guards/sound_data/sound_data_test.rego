package carapulse_test.guards.sound_data

import data.carapulse.guards.sound_data
import data.carapulse_test.given

test_the_data_that_are_shipped_are_complete if {
	action := given.executes
	count(sound_data.deny) == 0 with input.action as action
}

test_without_a_table_nothing_is_written if {
	action := given.executes
	count(sound_data.deny) == 1 with input.action as action with data.approvals as {}
	count(sound_data.deny) == 1 with input.action as action with data.limits as {}
	count(sound_data.deny) == 1 with input.action as action with data.freezes as null
}

test_reading_is_still_possible if {
	action := given.reads
	count(sound_data.deny) == 0 with input.action as action with data.approvals as {}
}
