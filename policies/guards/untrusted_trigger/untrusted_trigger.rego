# METADATA
# title: Untrusted trigger
# description: What an unauthenticated source set off is always seen by people first.
package carapulse.guards.untrusted_trigger

import data.carapulse.facts

approvals contains {"count": data.approvals.untrusted[facts.tier], "reason": "its trigger can't be trusted"} if {
	facts.changes
	not trusted
}

trusted if input.plan.trusted == true
