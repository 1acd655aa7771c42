package carapulse_test.guards.untrusted_trigger

import data.carapulse.guards.untrusted_trigger
import data.carapulse_test.given

test_an_untrusted_trigger_needs_approval if {
	action := given.executes
	counts == {1} with input.action as action with input.context as {"environment": "prod"} with input.plan as {"trusted": false}
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {"trusted": false}
}

counts := {approval.count | some approval in untrusted_trigger.approvals}

test_a_trusted_one_needs_none if {
	action := given.executes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"trusted": true}
}

test_if_nobody_says_it_people_decide if {
	action := given.executes
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {}
}

test_undoing_needs_no_approval if {
	action := given.undoes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"trusted": false}
}
