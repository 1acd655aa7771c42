package carapulse_test.guards.known_actor

import data.carapulse.guards.known_actor
import data.carapulse_test.given

test_a_known_actor_may_read if {
	call := given.someone("ada", "viewer")
	action := given.reads
	count(known_actor.grant) == 1 with input.call as call with input.action as action
	count(known_actor.deny) == 0 with input.call as call with input.action as action
}

test_knowing_the_actor_grants_no_write if {
	call := given.someone("ada", "admin")
	action := given.executes
	count(known_actor.grant) == 0 with input.call as call with input.action as action
}

test_nobody_is_refused if {
	call := given.someone("", "admin")
	known_actor.deny == {"nobody is asking"} with input.call as call
}

test_an_unknown_role_is_no_role if {
	call := given.someone("ada", "root")
	known_actor.deny == {"the actor has no role that we know"} with input.call as call
}

test_an_absent_actor_is_refused if count(known_actor.deny) == 2
