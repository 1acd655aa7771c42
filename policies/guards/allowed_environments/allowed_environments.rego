# METADATA
# title: Allowed environments
# description: A plan stays in the environments its requester named, when it reads as well.
package carapulse.guards.allowed_environments

import data.carapulse.facts

deny contains "the plan may not be used in this environment" if {
	concerned
	not permitted
}

concerned if facts.advances

concerned if {
	input.action.name == "step.run"
	not facts.undoes
}

permitted if is_null(input.constraints.allowed_environments)

permitted if input.context.environment in input.constraints.allowed_environments
