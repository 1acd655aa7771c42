# METADATA
# title: Write role
# description: Asking for a change needs a role that may; a viewer, an auditor or a service without a role has none.
package carapulse.guards.write_role

import data.carapulse.facts

deny contains "no role of the actor may ask for changes" if {
	facts.writes
	input.action.name != "approval.decide"
	not facts.has_role("request")
}

grant contains "a role of the actor may ask for changes" if {
	input.action.type == "write"
	input.action.name != "approval.decide"
	facts.has_role("request")
}
