package carapulse_test.guards.write_role

import data.carapulse.guards.write_role
import data.carapulse_test.given

test_these_roles_may_ask if {
	action := given.executes
	every role in ["operator", "sre", "admin", "agent"] {
		count(write_role.deny) == 0 with input.action as action with input.call.actor.roles as ["viewer", role]
	}
}

test_these_roles_are_granted if {
	action := given.executes
	every role in ["operator", "sre", "admin", "agent"] {
		count(write_role.grant) == 1 with input.action as action with input.call.actor.roles as [role]
	}
}

test_these_roles_may_not if {
	action := given.executes
	every role in ["viewer", "auditor", "security", "service", "approver", ""] {
		count(write_role.deny) == 1 with input.action as action with input.call.actor.roles as [role]
	}
}

test_these_roles_are_not_granted if {
	action := given.executes
	every role in ["viewer", "auditor", "security", "service", "approver", ""] {
		count(write_role.grant) == 0 with input.action as action with input.call.actor.roles as [role]
	}
}

test_no_role_is_no_permission if {
	action := given.executes
	count(write_role.deny) == 1 with input.action as action with input.call.actor.roles as []
}

test_reading_is_not_asking if {
	action := given.reads
	count(write_role.deny) == 0 with input.action as action with input.call.actor.roles as ["viewer"]
}

test_answering_is_not_asking if {
	action := given.answers
	count(write_role.deny) == 0 with input.action as action with input.call.actor.roles as ["approver"]
	count(write_role.grant) == 0 with input.action as action with input.call.actor.roles as ["admin"]
}
