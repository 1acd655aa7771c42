package carapulse_test.guards.production_targets

import data.carapulse.guards.production_targets
import data.carapulse_test.given

test_ten_are_few if {
	action := given.executes
	count(production_targets.deny) == 0 with input.action as action
		with input.context as {"environment": "prod"}
		with input.plan as {"targets": 10}
}

test_eleven_are_too_many if {
	action := given.drafts
	count(production_targets.deny) == 1 with input.action as action
		with input.context as {"environment": "prod"}
		with input.plan as {"targets": 11}
}

test_elsewhere_they_are_not if {
	action := given.executes
	count(production_targets.deny) == 0 with input.action as action
		with input.context as {"environment": "dev"}
		with input.plan as {"targets": 11}
}

test_undoing_them_is_never_too_much if {
	action := given.undoes
	count(production_targets.deny) == 0 with input.action as action
		with input.context as {"environment": "prod"}
		with input.plan as {"targets": 11}
}

test_operators_set_the_limit if {
	action := given.executes
	count(production_targets.deny) == 1 with input.action as action
		with input.context as {"environment": "prod"}
		with input.plan as {"targets": 3}
		with data.limits as {"production_targets": 2}
}
