# METADATA
# title: Declared window
# description: >-
#   Where somebody declared maintenance windows through the API, changes happen only while one of them is open, unless the
#   glass is broken. Drafting, and undoing what was done, need no window.
package carapulse.guards.declared_window

import data.carapulse.facts
import data.carapulse.guards.break_glass

deny contains "no maintenance window is open here now" if {
	facts.acts
	not open
}

open if break_glass.rightful

open if input.standing.closed_window == false
