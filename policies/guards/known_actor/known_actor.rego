# METADATA
# title: Known actor
# description: Somebody with a name and a known role is asking. Any of them may read.
package carapulse.guards.known_actor

import data.carapulse.facts

deny contains "nobody is asking" if not named

deny contains "the actor has no role that we know" if not facts.has_role("known")

grant contains "a known actor may read" if {
	input.action.type == "read"
	named
	facts.has_role("known")
}

named if input.call.actor.id != ""
