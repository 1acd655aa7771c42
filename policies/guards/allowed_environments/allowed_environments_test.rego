package carapulse_test.guards.allowed_environments

import data.carapulse.guards.allowed_environments
import data.carapulse_test.given

test_without_a_wish_all_are_allowed if {
	action := given.executes
	count(allowed_environments.deny) == 0 with input.action as action
		with input.context as {"environment": "prod"}
		with input.constraints as {"allowed_environments": null}
}

test_a_named_one_is_allowed if {
	action := given.executes
	count(allowed_environments.deny) == 0 with input.action as action
		with input.context as {"environment": "dev"}
		with input.constraints as {"allowed_environments": ["staging", "dev"]}
}

test_another_is_not if {
	action := given.executes
	count(allowed_environments.deny) == 1 with input.action as action
		with input.context as {"environment": "prod"}
		with input.constraints as {"allowed_environments": ["staging", "dev"]}
}

test_an_empty_list_allows_none if {
	action := given.drafts
	count(allowed_environments.deny) == 1 with input.action as action
		with input.context as {"environment": "dev"}
		with input.constraints as {"allowed_environments": []}
}

test_a_step_that_reads_is_kept_to_it_too if {
	count(allowed_environments.deny) == 1 with input.action as {"name": "step.run", "type": "read", "stage": "verify"}
		with input.context as {"environment": "prod"}
		with input.constraints as {"allowed_environments": ["dev"]}
}

test_looking_at_the_plan_is_not if {
	action := given.reads
	count(allowed_environments.deny) == 0 with input.action as action
		with input.context as {"environment": "prod"}
		with input.constraints as {"allowed_environments": ["dev"]}
}

test_undoing_is_not if {
	action := given.undoes
	count(allowed_environments.deny) == 0 with input.action as action
		with input.context as {"environment": "prod"}
		with input.constraints as {"allowed_environments": ["dev"]}
}
