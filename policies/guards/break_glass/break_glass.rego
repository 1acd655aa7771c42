# METADATA
# title: Break glass
# description: >-
#   Whoever breaks the glass has a role that may, gives a reason and a near end, and is on record. It opens freezes and
#   windows and grants nothing else: somebody else still approves.
package carapulse.guards.break_glass

import data.carapulse.facts

deny contains "the glass may not be broken like this" if {
	facts.advances
	not intact
	not rightful
}

deny contains "this risk needs the glass to be broken" if {
	facts.acts
	not ordinary
	not rightful
}

intact if is_null(input.break_glass)

ordinary if {
	is_array(data.break_glass.required_for_risk)
	every level in data.break_glass.required_for_risk {
		level != input.plan.risk
	}
}

approvals contains {"count": data.approvals.break_glass[facts.tier], "reason": "the glass is broken"} if {
	facts.changes
	not intact
}

obligations.record_break_glass := {
	"by": input.break_glass.by,
	"reason": input.break_glass.reason,
	"until_unix": (input.break_glass.until_ns - (input.break_glass.until_ns % facts.second_ns)) / facts.second_ns,
} if {
	facts.advances
	rightful
}

rightful if {
	input.break_glass.by == input.call.actor.id
	facts.has_role("break_glass")
	count(input.break_glass.reason) >= data.break_glass.shortest_reason
	input.now_ns < input.break_glass.until_ns
	input.break_glass.until_ns - input.now_ns <= data.break_glass.longest_minutes * facts.minute_ns
}
