# METADATA
# title: Honest action
# description: What changes something is asked for as a write, about a plan, and to no lower risk than its steps have.
package carapulse.guards.honest_action

import data.carapulse.facts

rank := {"read": 0, "low": 1, "medium": 2, "high": 3}

always_write := {"plan.create", "plan.execute", "workflow.start", "approval.decide", "execution.cancel"}

deny contains "this action is a write, but was asked for as a read" if {
	input.action.name in always_write
	not asked_as_write
}

deny contains "undoing is a write, but was asked for as a read" if {
	input.action.stage == "undo"
	not asked_as_write
}

deny contains "the change comes without a plan" if {
	facts.changes
	not planned
}

deny contains "the plan claims a lower risk than its steps have" if {
	planned
	not covered
}

asked_as_write if input.action.type == "write"

planned if is_object(input.plan)

covered if {
	every step in input.plan.steps {
		rank[step.risk] <= rank[input.plan.risk]
		consistent(step)
	}
}

consistent(step) if step.effect == "read"

consistent(step) if step.risk != "read"
