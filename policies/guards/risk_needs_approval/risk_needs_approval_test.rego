package carapulse_test.guards.risk_needs_approval

import data.carapulse.guards.risk_needs_approval
import data.carapulse_test.given

test_the_table if {
	action := given.executes
	every row in [
		["read", "dev", {0}], ["low", "dev", {0}], ["medium", "dev", {1}], ["high", "dev", {1}],
		["read", "prod", {0}], ["low", "prod", {1}], ["medium", "prod", {1}], ["high", "prod", {2}],
	] {
		counts == row[2] with input.action as action
			with input.context as {"environment": row[1]}
			with input.plan as {"risk": row[0]}
	}
}

counts := {approval.count | some approval in risk_needs_approval.approvals}

test_what_nobody_declared_harmless_is_production if {
	action := given.executes
	counts == {2} with input.action as action
		with input.context as {"environment": "nope"}
		with input.plan as {"risk": "high"}
}

test_a_risk_nobody_knows_is_refused if {
	action := given.executes
	count(risk_needs_approval.deny) == 1 with input.action as action
		with input.context as {"environment": "dev"}
		with input.plan as {"risk": "tiny"}
}

test_what_stays_possible_needs_no_approval if {
	every asked in [given.answers, given.undoes, given.stops, given.reads] {
		counts == set() with input.action as asked
			with input.context as {"environment": "prod"}
			with input.plan as {"risk": "high"}
	}
}
