package carapulse_test.guards.unbounded_targets

import data.carapulse.guards.unbounded_targets
import data.carapulse_test.given

test_a_pattern_needs_approval if {
	action := given.executes
	counts == {2} with input.action as action with input.context as {"environment": "prod"} with input.plan as {"unbounded": true}
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {"unbounded": true}
}

counts := {approval.count | some approval in unbounded_targets.approvals}

test_counted_targets_need_none if {
	action := given.executes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"unbounded": false}
}

test_if_nobody_says_it_people_decide if {
	action := given.executes
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {}
}

test_undoing_needs_no_approval if {
	action := given.undoes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"unbounded": true}
}
