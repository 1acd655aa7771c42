package carapulse_test.guards.break_glass

import data.carapulse.guards.break_glass
import data.carapulse_test.given

test_a_sre_or_admin_with_reason_and_end_may if {
	now_ns := given.sunday_at_ten
	glass := given.broken_by("sam")
	every role in ["sre", "admin"] {
		break_glass.rightful with input.now_ns as now_ns
			with input.break_glass as glass
			with input.call.actor as {"id": "sam", "kind": "person", "roles": [role]}
	}
}

test_others_may_not if {
	now_ns := given.sunday_at_ten
	action := given.executes
	glass := given.broken_by("sam")
	every role in ["operator", "approver", "agent", "viewer"] {
		break_glass.deny == {"the glass may not be broken like this"} with input.now_ns as now_ns
			with input.action as action
			with input.plan as {"risk": "low"}
			with input.break_glass as glass
			with input.call.actor as {"id": "sam", "kind": "person", "roles": [role]}
	}
}

test_nobody_breaks_it_for_somebody_else if {
	now_ns := given.sunday_at_ten
	action := given.executes
	glass := given.broken_by("sam")
	call := given.someone("ada", "admin")
	count(break_glass.deny) == 1 with input.now_ns as now_ns
		with input.action as action
		with input.plan as {"risk": "low"}
		with input.break_glass as glass
		with input.call as call
}

test_it_needs_a_reason_and_a_near_end if {
	now_ns := given.sunday_at_ten
	action := given.executes
	call := given.someone("sam", "admin")
	every bad in [
		["", 1795341600000000001], ["too short", 1795341600000000001],
		["checkout is down", 1795341600000000000], ["checkout is down", 1795356000000000001], ["checkout is down", null],
	] {
		count(break_glass.deny) == 1 with input.now_ns as now_ns
			with input.action as action
			with input.plan as {"risk": "low"}
			with input.call as call
			with input.break_glass as {"by": "sam", "reason": bad[0], "until_ns": bad[1]}
	}
}

test_somebody_else_still_approves if {
	now_ns := given.sunday_at_ten
	action := given.executes
	glass := given.broken_by("sam")
	call := given.someone("sam", "sre")
	{approval.count | some approval in break_glass.approvals} == {1} with input.now_ns as now_ns
		with input.action as action
		with input.context as {"environment": "dev"}
		with input.break_glass as glass
		with input.call as call
}

test_it_is_on_record if {
	now_ns := given.sunday_at_ten
	action := given.executes
	glass := given.broken_by("sam")
	call := given.someone("sam", "sre")
	duty := {"by": "sam", "reason": "checkout is down", "until_unix": 1795345200}
	break_glass.obligations == {"record_break_glass": duty} with input.now_ns as now_ns
		with input.action as action
		with input.break_glass as glass
		with input.call as call
}

test_an_end_in_the_past_stops_no_undoing if {
	now_ns := given.sunday_at_ten
	action := given.undoes
	count(break_glass.deny) == 0 with input.now_ns as now_ns
		with input.action as action
		with input.break_glass as {"by": "sam", "reason": "checkout is down", "until_ns": 1}
}

test_a_high_risk_needs_it_only_where_the_data_say_so if {
	action := given.executes
	count(break_glass.deny) == 0 with input.action as action
		with input.plan as {"risk": "high"}
		with input.break_glass as null
	break_glass.deny == {"this risk needs the glass to be broken"} with input.action as action
		with input.plan as {"risk": "high"}
		with input.break_glass as null
		with data.break_glass as {"required_for_risk": ["high"]}
}
