# METADATA
# title: Approver role
# description: >-
#   A plan is answered by a person whose role may, or to whom somebody who may has handed their answer, and who did not
#   ask for it, nor made the key or wrote the schedule or the source that did. Only where an installation names an environment for it may the requester
#   answer, and never in production.
package carapulse.guards.approver_role

import data.carapulse.facts

deny contains "no role of the actor may answer plans" if {
	input.action.name == "approval.decide"
	not entitled
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

grant contains "somebody who may answer has handed their answer to the actor" if {
	input.action.name == "approval.decide"
	input.action.type == "write"
	lent
}

entitled if facts.has_role("approve")

entitled if lent

lent if {
	input.lent_answer.to == input.call.actor.id
	input.lent_answer.by != input.call.actor.id
	input.lent_answer.by != input.plan.requested_by
	input.lent_answer.by != input.plan.requested_for
	is_array(input.plan.authors)
	not input.lent_answer.by in input.plan.authors
	input.now_ns < input.lent_answer.until_ns
}

a_person if input.call.actor.kind == "person"

independent if {
	input.plan.requested_by != input.call.actor.id
	input.plan.requested_for != input.call.actor.id
	is_array(input.plan.authors)
	not input.call.actor.id in input.plan.authors
}

independent if {
	asked
	input.context.environment in input.self_approval_environments
	facts.tier == "other"
}

asked if input.plan.requested_by == input.call.actor.id

asked if input.plan.requested_for == input.call.actor.id

asked if input.call.actor.id in input.plan.authors
