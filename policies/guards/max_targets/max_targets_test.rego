package carapulse_test.guards.max_targets

import data.carapulse.guards.max_targets
import data.carapulse_test.given

test_the_default_is_fifty if {
	action := given.executes
	limits := given.no_constraints
	count(max_targets.deny) == 0 with input.action as action
		with input.constraints as limits
		with input.plan as {"targets": 50, "unbounded": false}
}

test_more_than_the_default_is_refused if {
	action := given.executes
	limits := given.no_constraints
	max_targets.deny == {"the plan has more targets than it may"} with input.action as action
		with input.constraints as limits
		with input.plan as {"targets": 51, "unbounded": false}
}

test_the_requester_may_name_less if {
	action := given.executes
	max_targets.deny == {"the plan has more targets than it may"} with input.action as action
		with input.constraints as {"max_targets": 2}
		with input.plan as {"targets": 3, "unbounded": false}
}

test_naming_more_than_is_usual_needs_approval if {
	action := given.executes
	plan := {"targets": 60, "unbounded": false}
	count(max_targets.deny) == 0 with input.action as action
		with input.constraints as {"max_targets": 60}
		with input.plan as plan
	count(max_targets.approvals) == 1 with input.action as action
		with input.context as {"environment": "dev"}
		with input.constraints as {"max_targets": 60}
		with input.plan as plan
}

test_less_than_one_or_more_than_the_ceiling_makes_no_sense if {
	action := given.executes
	every limit in [-1, 0, 501] {
		max_targets.deny["max_targets is not a number that makes sense here"] with input.action as action
			with input.constraints as {"max_targets": limit}
			with input.plan as {"targets": 1, "unbounded": false}
	}
}

test_a_limit_needs_targets_that_can_be_counted if {
	action := given.executes
	max_targets.deny == {"max_targets was asked for, but the targets can't be counted"} with input.action as action
		with input.constraints as {"max_targets": 5}
		with input.plan as {"targets": 1, "unbounded": true}
}

test_undoing_has_no_limit if {
	action := given.undoes
	count(max_targets.deny) == 0 with input.action as action
		with input.constraints as {"max_targets": 1}
		with input.plan as {"targets": 60, "unbounded": true}
}
