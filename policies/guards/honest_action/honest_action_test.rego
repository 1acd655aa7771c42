package carapulse_test.guards.honest_action

import data.carapulse.guards.honest_action
import data.carapulse_test.given

test_an_honest_plan_passes if {
	action := given.executes
	plan := given.plan
	count(honest_action.deny) == 0 with input.action as action with input.plan as plan
}

test_executing_is_never_a_read if {
	plan := given.plan
	every name in ["plan.create", "plan.execute", "workflow.start", "approval.decide", "execution.cancel"] {
		honest_action.deny == {"this action is a write, but was asked for as a read"} with input.plan as plan
			with input.action as {"name": name, "type": "read", "stage": null}
	}
}

test_undoing_is_never_a_read if {
	plan := given.plan
	honest_action.deny == {"undoing is a write, but was asked for as a read"} with input.plan as plan
		with input.action as {"name": "step.run", "type": "read", "stage": "undo"}
}

test_a_change_comes_with_a_plan if {
	action := given.executes
	honest_action.deny == {"the change comes without a plan"} with input.action as action with input.plan as null
}

test_our_own_records_need_no_plan if {
	action := given.keeps_records
	count(honest_action.deny) == 0 with input.action as action with input.plan as null
}

test_a_plan_is_as_risky_as_its_riskiest_step if {
	action := given.drafts
	plan := given.plan_with({"steps": [{"effect": "read", "risk": "read"}, {"effect": "write", "risk": "high"}]})
	honest_action.deny == {"the plan claims a lower risk than its steps have"} with input.action as action
		with input.plan as plan
}

test_a_step_that_only_waits_is_honest_in_every_stage if {
	action := given.drafts
	every stage in ["diagnose", "act", "verify", "report"] {
		count(honest_action.deny) == 0 with input.action as action
			with input.plan as given.plan_with({"risk": "read", "steps": [
				{"tool": "wait", "action": "for", "effect": "read", "risk": "read", "stage": stage},
				{"tool": "wait", "action": "until", "effect": "read", "risk": "read", "stage": stage},
			]})
	}
}

test_a_step_that_writes_is_not_of_risk_read if {
	action := given.drafts
	plan := given.plan_with({"steps": [{"effect": "destructive", "risk": "read"}]})
	honest_action.deny == {"the plan claims a lower risk than its steps have"} with input.action as action
		with input.plan as plan
}
