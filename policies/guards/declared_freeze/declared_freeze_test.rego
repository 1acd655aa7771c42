package carapulse_test.guards.declared_freeze

import data.carapulse.guards.declared_freeze
import data.carapulse_test.given

freeze(name, drafts) := {"name": name, "reason": "sale", "until_ns": null, "allow_drafts": drafts}

test_every_write_is_frozen_and_told_by_which if {
	standing := {"freezes": [freeze("sale", false)], "closed_window": false}
	every asked in [given.drafts, given.executes, given.acts, given.keeps_records] {
		declared_freeze.deny == {"a declared freeze forbids changes here", "the freeze sale holds here"} with input.action as asked
			with input.standing as standing
	}
}

test_these_stay_possible if {
	standing := {"freezes": [freeze("sale", false)], "closed_window": false}
	every asked in [given.reads, given.undoes, given.answers, given.stops] {
		count(declared_freeze.deny) == 0 with input.action as asked
			with input.standing as standing
	}
}

test_without_one_nothing_is_frozen if {
	standing := given.nothing_stands
	every asked in [given.drafts, given.executes, given.acts] {
		count(declared_freeze.deny) == 0 with input.action as asked
			with input.standing as standing
	}
}

test_drafts_are_possible_where_every_freeze_says_so if {
	action := given.drafts
	open := {"freezes": [freeze("sale", true), freeze("audit", true)], "closed_window": false}
	shut := {"freezes": [freeze("sale", true), freeze("audit", false)], "closed_window": false}
	count(declared_freeze.deny) == 0 with input.action as action
		with input.standing as open
	count(declared_freeze.deny) == 3 with input.action as action
		with input.standing as shut
}

test_nothing_but_drafts_is_possible_where_they_are if {
	action := given.executes
	standing := {"freezes": [freeze("sale", true)], "closed_window": false}
	count(declared_freeze.deny) == 2 with input.action as action
		with input.standing as standing
}

test_a_broken_glass_opens_it if {
	now_ns := given.sunday_at_ten
	action := given.executes
	call := given.someone("sam", "sre")
	glass := given.broken_by("sam")
	standing := {"freezes": [freeze("sale", false)], "closed_window": false}
	count(declared_freeze.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.call as call
		with input.break_glass as glass
		with input.standing as standing
}

test_what_can_not_be_read_freezes if {
	every asked in [given.executes, given.drafts] {
		every_broken_freezes(asked)
	}
}

every_broken_freezes(action) if {
	every broken in [{}, {"freezes": null}, {"freezes": "none"}, null, []] {
		count(declared_freeze.deny) == 1 with input.action as action
			with input.standing as broken
	}
}
