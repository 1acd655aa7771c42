# METADATA
# title: Maximum targets
# description: >-
#   A plan keeps to the number of targets its requester named, otherwise to the default. Naming more than the default
#   needs approval, and nobody can name more than the operators' ceiling, or less than one.
package carapulse.guards.max_targets

import data.carapulse.facts

deny contains "max_targets is not a number that makes sense here" if {
	facts.changes
	not sensible
}

deny contains "the plan has more targets than it may" if {
	facts.changes
	not within
}

deny contains "max_targets was asked for, but the targets can't be counted" if {
	facts.changes
	not countable
}

approvals contains {"count": data.approvals.many_targets[facts.tier], "reason": "more targets than is usual"} if {
	facts.changes
	input.plan.targets > data.limits.default_targets
}

limit := data.limits.default_targets if is_null(input.constraints.max_targets)

limit := input.constraints.max_targets if is_number(input.constraints.max_targets)

sensible if {
	limit >= 1
	limit <= data.limits.most_targets
}

within if input.plan.targets <= limit

countable if is_null(input.constraints.max_targets)

countable if input.plan.unbounded == false
