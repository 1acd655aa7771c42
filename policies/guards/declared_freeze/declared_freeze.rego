# METADATA
# title: Declared freeze
# description: >-
#   Nothing but reads while a freeze that somebody declared through the API holds here, unless the glass is broken.
#   Undoing, answering and stopping stay possible; drafting a plan does where every such freeze says allow_drafts.
package carapulse.guards.declared_freeze

import data.carapulse.facts
import data.carapulse.guards.break_glass

deny contains "a declared freeze forbids changes here" if {
	facts.advances
	not thawed
}

deny contains concat("", ["the freeze ", freeze.name, " holds here"]) if {
	facts.advances
	not thawed
	some freeze in input.standing.freezes
}

thawed if break_glass.rightful

thawed if {
	is_array(input.standing.freezes)
	count(input.standing.freezes) == 0
}

thawed if {
	facts.drafts
	is_array(input.standing.freezes)
	every freeze in input.standing.freezes {
		freeze.allow_drafts == true
	}
}
