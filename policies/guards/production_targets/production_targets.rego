# METADATA
# title: Production targets
# description: One plan touches only so many things in production.
package carapulse.guards.production_targets

import data.carapulse.facts

deny contains "too many targets for one plan in production" if {
	facts.changes
	facts.tier == "production"
	not few
}

few if input.plan.targets <= data.limits.production_targets
