# METADATA
# title: Unbounded targets
# description: What selects its targets by a pattern can reach anything, so people look at it first.
package carapulse.guards.unbounded_targets

import data.carapulse.facts

approvals contains {"count": data.approvals.unbounded[facts.tier], "reason": "its targets can't be counted"} if {
	facts.changes
	not bounded
}

bounded if input.plan.unbounded == false
