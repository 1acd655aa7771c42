# METADATA
# title: Sound data
# description: The tables that other guards look things up in are all there; otherwise nothing but reading is possible.
package carapulse.guards.sound_data

import data.carapulse.facts

deny contains "the policy's data are incomplete" if {
	facts.writes
	not complete
}

complete if {
	is_array(data.freezes)
	is_array(data.windows)
	is_array(data.break_glass.required_for_risk)
	counts_every_risk("production")
	counts_every_risk("other")
	every table in ["account_wide", "break_glass", "irreversible", "many_targets", "unbounded", "untrusted"] {
		is_number(data.approvals[table].production)
		is_number(data.approvals[table].other)
	}
	every limit in ["production_targets", "default_targets", "most_targets"] {
		is_number(data.limits[limit])
	}
}

counts_every_risk(tier) if {
	every level in ["read", "low", "medium", "high"] {
		is_number(data.approvals.risk[tier][level])
	}
}
