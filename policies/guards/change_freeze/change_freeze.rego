# METADATA
# title: Change freeze
# description: >-
#   Nothing but reads while the environment is frozen, unless the glass is broken. Undoing, answering and stopping stay
#   possible; drafting a plan does where the freeze says allow_drafts. Freezes stand in data/calendar.json, in seconds
#   since 1970, the end not included; `*` is every environment.
package carapulse.guards.change_freeze

import data.carapulse.facts
import data.carapulse.guards.break_glass

deny contains "changes here are frozen" if {
	facts.advances
	not thawed
}

thawed if break_glass.rightful

thawed if {
	is_array(data.freezes)
	every freeze in data.freezes {
		harmless(freeze)
	}
}

harmless(freeze) if {
	freeze.environment != "*"
	freeze.environment != input.context.environment
}

harmless(freeze) if input.now_ns < freeze.from_unix * facts.second_ns

harmless(freeze) if input.now_ns >= freeze.until_unix * facts.second_ns

harmless(freeze) if {
	facts.drafts
	freeze.allow_drafts == true
}
