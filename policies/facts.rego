# METADATA
# title: Facts
# description: >-
#   What several guards need to know about the input. Guards write `deny ... if not ...` on positive facts, so that
#   whatever is missing, misspelt or undefined denies.
package carapulse.facts

writes if input.action.type != "read"

# METADATA
# title: A write that must stay possible when changes are not
# description: An answer to a plan, stopping a run, and undoing what was approved and done.
stays_possible if input.action.name in {"approval.decide", "execution.cancel"}

stays_possible if undoes

undoes if {
	input.action.name == "step.run"
	input.action.stage == "undo"
}

# METADATA
# title: A write that takes something forward, in our own records or outside
advances if {
	writes
	not stays_possible
}

# METADATA
# title: A write that is about a plan, or should be
changes if {
	advances
	not keeps_records
}

keeps_records if input.action.name in data.actions.without_plan

# METADATA
# title: A change that happens now
# description: Drafting a plan is not; it may wait for its time.
acts if {
	changes
	not drafts
}

drafts if input.action.name in {"plan.create", "workflow.start"}

# METADATA
# title: The column of every table of approvals
# description: What nobody declared harmless is production.
default tier := "production"

tier := "other" if data.environments[input.context.environment].production == false

# METADATA
# title: The actor has a role that the data names for a purpose
has_role(purpose) if {
	some role in input.call.actor.roles
	role in data.roles[purpose]
}

# METADATA
# title: Times
minute_ns := 60000000000

day_ns := 86400000000000

second_ns := 1000000000
