# METADATA
# title: Approver role
# description: >-
#   A plan is answered by a person whose role may, and who did not ask for it, nor made the key that did. Only where an
#   installation names an environment for it may the requester answer, and never in production.
package carapulse.guards.approver_role

import data.carapulse.facts

deny contains "no role of the actor may answer plans" if {
	input.action.name == "approval.decide"
	not facts.has_role("approve")
}

deny contains "only a person can answer for a plan" if {
	input.action.name == "approval.decide"
	not a_person
}

deny contains "whoever asked can't also approve" if {
	input.action.name == "approval.decide"
	not independent
}

grant contains "a role of the actor may answer plans" if {
	input.action.name == "approval.decide"
	input.action.type == "write"
	facts.has_role("approve")
}

a_person if input.call.actor.kind == "person"

independent if {
	input.plan.requested_by != input.call.actor.id
	input.plan.requested_for != input.call.actor.id
}

independent if {
	asked
	input.context.environment in input.self_approval_environments
	facts.tier == "other"
}

asked if input.plan.requested_by == input.call.actor.id

asked if input.plan.requested_for == input.call.actor.id
