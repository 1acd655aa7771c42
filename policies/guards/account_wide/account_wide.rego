# METADATA
# title: Account wide
# description: A change that can reach a whole account is seen by people first.
package carapulse.guards.account_wide

import data.carapulse.facts

approvals contains {"count": data.approvals.account_wide[facts.tier], "reason": "it can reach the whole account"} if {
	facts.changes
	not confined
}

confined if input.plan.blast_radius in {"namespace", "cluster"}
