package carapulse_test.guards.irreversible

import data.carapulse.guards.irreversible
import data.carapulse_test.given

test_what_cannot_be_undone_needs_approval if {
	action := given.executes
	counts == {2} with input.action as action with input.context as {"environment": "prod"} with input.plan as {"irreversible": true}
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {"irreversible": true}
}

counts := {approval.count | some approval in irreversible.approvals}

test_what_can_be_undone_needs_none if {
	action := given.executes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"irreversible": false}
}

test_if_nobody_says_it_people_decide if {
	action := given.executes
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {}
}

test_undoing_needs_no_approval if {
	action := given.undoes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"irreversible": true}
}
