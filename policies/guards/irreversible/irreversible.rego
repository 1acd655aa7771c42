# METADATA
# title: Irreversible
# description: What can't be undone is agreed to by more people.
package carapulse.guards.irreversible

import data.carapulse.facts

approvals contains {"count": data.approvals.irreversible[facts.tier], "reason": "it can't be undone"} if {
	facts.changes
	not reversible
}

reversible if input.plan.irreversible == false
