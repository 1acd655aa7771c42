# METADATA
# title: Risk needs approval
# description: How many people must agree, by the plan's risk and whether the environment is production.
package carapulse.guards.risk_needs_approval

import data.carapulse.facts

deny contains "nothing says how many must approve this risk" if {
	facts.changes
	not counted
}

approvals contains {"count": needed, "reason": sprintf("%s risk in %s", [input.plan.risk, input.context.environment])} if {
	facts.changes
}

counted if is_number(needed)

needed := data.approvals.risk[facts.tier][input.plan.risk]
