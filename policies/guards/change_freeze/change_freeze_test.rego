package carapulse_test.guards.change_freeze

import data.carapulse.guards.change_freeze
import data.carapulse_test.given

freeze(environment, start, end) := {"environment": environment, "from_unix": start, "until_unix": end, "reason": "sale"}

# 1795341600 is the moment that every test here calls now.
test_every_write_is_frozen if {
	now_ns := given.sunday_at_ten
	calendar := [freeze("prod", 1795341600, 1795341601)]
	every asked in [given.drafts, given.executes, given.acts, given.keeps_records] {
		count(change_freeze.deny) == 1 with input.now_ns as now_ns
			with input.action as asked
			with input.context as {"environment": "prod"}
			with data.freezes as calendar
	}
}

test_these_stay_possible if {
	now_ns := given.sunday_at_ten
	calendar := [freeze("prod", 1795341600, 1795341601)]
	every asked in [given.reads, given.undoes, given.answers, given.stops] {
		count(change_freeze.deny) == 0 with input.now_ns as now_ns
			with input.action as asked
			with input.context as {"environment": "prod"}
			with data.freezes as calendar
	}
}

test_a_star_is_every_environment if {
	now_ns := given.sunday_at_ten
	action := given.executes
	calendar := [freeze("dev", 0, 1), freeze("*", 0, 1795341601)]
	count(change_freeze.deny) == 1 with input.now_ns as now_ns
		with input.action as action
		with input.context as {"environment": "staging"}
		with data.freezes as calendar
}

test_elsewhere_before_and_after_are_not_frozen if {
	now_ns := given.sunday_at_ten
	action := given.executes
	every frozen in [["prod", 0, 1795341601], ["dev", 1795341601, 1795341700], ["dev", 0, 1795341600]] {
		count(change_freeze.deny) == 0 with input.now_ns as now_ns
			with input.action as action
			with input.context as {"environment": "dev"}
			with data.freezes as [{"environment": frozen[0], "from_unix": frozen[1], "until_unix": frozen[2]}]
	}
}

test_a_broken_glass_opens_it if {
	now_ns := given.sunday_at_ten
	action := given.executes
	call := given.someone("sam", "sre")
	glass := given.broken_by("sam")
	calendar := [freeze("prod", 0, 1795341601)]
	count(change_freeze.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.call as call
		with input.break_glass as glass
		with input.context as {"environment": "prod"}
		with data.freezes as calendar
}

test_a_freeze_that_can_not_be_read_freezes if {
	now_ns := given.sunday_at_ten
	action := given.executes
	every broken in [[{}], [{"environment": "prod"}], "none", null] {
		count(change_freeze.deny) == 1 with input.now_ns as now_ns
			with input.action as action
			with input.context as {"environment": "prod"}
			with data.freezes as broken
	}
}

test_a_freeze_may_allow_drafts_but_nothing_more if {
	now_ns := given.sunday_at_ten
	drafting := given.drafts
	executing := given.executes
	calendar := [object.union(freeze("prod", 0, 1795341601), {"allow_drafts": true})]
	count(change_freeze.deny) == 0 with input.now_ns as now_ns
		with input.action as drafting
		with input.context as {"environment": "prod"}
		with data.freezes as calendar
	count(change_freeze.deny) == 1 with input.now_ns as now_ns
		with input.action as executing
		with input.context as {"environment": "prod"}
		with data.freezes as calendar
}
