package carapulse_test.guards.known_environment

import data.carapulse.guards.known_environment
import data.carapulse_test.given

test_a_named_environment_is_known if {
	action := given.executes
	place := given.prod
	count(known_environment.deny) == 0 with input.context as place with input.action as action
}

test_any_other_name_is_refused if {
	action := given.reads
	every name in ["nope", "", " ", "PROD", "prod ", "production"] {
		count(known_environment.deny) == 1 with input.action as action with input.context as {"environment": name}
	}
}

test_reading_may_concern_no_environment if {
	action := given.reads
	count(known_environment.deny) == 0 with input.action as action with input.context as {"environment": null}
}

test_writing_may_not if {
	action := given.executes
	count(known_environment.deny) == 1 with input.action as action with input.context as {"environment": null}
}

test_an_environment_nobody_describes_is_refused if {
	action := given.executes
	place := given.dev
	count(known_environment.deny) == 1 with input.context as place
		with input.action as action
		with data.environments as {"prod": {"production": true}}
}
