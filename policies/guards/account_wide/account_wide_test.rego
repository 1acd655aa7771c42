package carapulse_test.guards.account_wide

import data.carapulse.guards.account_wide
import data.carapulse_test.given

test_reaching_the_account_needs_approval if {
	action := given.executes
	counts == {2} with input.action as action with input.context as {"environment": "prod"} with input.plan as {"blast_radius": "account"}
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {"blast_radius": "account"}
}

counts := {approval.count | some approval in account_wide.approvals}

test_a_cluster_is_confined if {
	action := given.executes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"blast_radius": "cluster"}
}

test_if_nobody_says_it_people_decide if {
	action := given.executes
	counts == {1} with input.action as action with input.context as {"environment": "dev"} with input.plan as {}
}

test_undoing_needs_no_approval if {
	action := given.undoes
	counts == set() with input.action as action with input.context as {"environment": "prod"} with input.plan as {"blast_radius": "account"}
}
