package carapulse_test.guards.approver_role

import data.carapulse.guards.approver_role
import data.carapulse_test.given

test_a_second_person_may_answer if {
	action := given.answers
	plan := given.plan
	every role in ["approver", "sre", "admin"] {
		count(approver_role.deny) == 0 with input.action as action
			with input.plan as plan
			with input.call.actor as {"id": "bob", "kind": "person", "roles": [role]}
	}
}

test_an_approving_role_is_granted if {
	action := given.answers
	call := given.someone("bob", "approver")
	count(approver_role.grant) == 1 with input.call as call with input.action as action
}

test_other_roles_may_not if {
	action := given.answers
	plan := given.plan
	every role in ["viewer", "operator", "agent", "service", "auditor"] {
		approver_role.deny == {"no role of the actor may answer plans"} with input.action as action
			with input.plan as plan
			with input.call.actor as {"id": "bob", "kind": "person", "roles": [role]}
	}
}

test_whoever_asked_may_not if {
	action := given.answers
	plan := given.plan
	call := given.someone("ada", "admin")
	place := given.dev
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as ["staging"]
}

test_whoever_asked_may_where_the_installation_says_so if {
	action := given.answers
	plan := given.plan
	call := given.someone("ada", "admin")
	place := given.dev
	count(approver_role.deny) == 0 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as ["dev"]
}

test_never_in_production if {
	action := given.answers
	plan := given.plan
	call := given.someone("ada", "admin")
	place := given.prod
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as ["prod"]
}

test_a_machine_may_not if {
	action := given.answers
	plan := given.plan
	every kind in ["service", "agent"] {
		approver_role.deny == {"only a person can answer for a plan"} with input.action as action
			with input.plan as plan
			with input.call.actor as {"id": "bob", "kind": kind, "roles": ["approver"]}
	}
}

test_there_is_no_answer_without_a_plan if {
	action := given.answers
	call := given.someone("bob", "approver")
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as null
}

test_whoever_made_the_key_that_asked_may_not if {
	action := given.answers
	plan := given.plan_with({"requested_by": "key:key_1", "requested_for": "ada"})
	call := given.someone("ada", "admin")
	place := given.dev
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

test_another_may_answer_what_a_key_asked if {
	action := given.answers
	plan := given.plan_with({"requested_by": "key:key_1", "requested_for": "ada"})
	call := given.someone("bob", "approver")
	place := given.dev
	count(approver_role.deny) == 0 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

scheduled := given.plan_with({"requested_by": "schedule:nightly", "authors": ["ada", "olga"]})

test_whoever_wrote_the_schedule_that_asked_may_not if {
	action := given.answers
	plan := scheduled
	call := given.someone("ada", "admin")
	place := given.dev
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

test_nor_may_whoever_else_wrote_it if {
	action := given.answers
	plan := scheduled
	call := given.someone("olga", "admin")
	place := given.dev
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

test_another_may_answer_what_a_schedule_asked if {
	action := given.answers
	plan := scheduled
	call := given.someone("bob", "approver")
	place := given.dev
	count(approver_role.deny) == 0 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

test_nobody_answers_a_plan_whose_authors_nobody_knows if {
	action := given.answers
	plan := given.plan_with({"authors": null})
	call := given.someone("bob", "approver")
	place := given.dev
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
}

test_whoever_wrote_the_schedule_hands_no_answer_on if {
	action := given.answers
	plan := scheduled
	call := given.someone("eve", "operator")
	lent := lent_by("olga", given.sunday_at_ten + 1)
	now := given.sunday_at_ten
	"no role of the actor may answer plans" in approver_role.deny with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
}

lent_by(id, until_ns) := {"by": id, "to": "eve", "until_ns": until_ns}

test_whom_an_answer_was_handed_to_may_answer if {
	action := given.answers
	plan := given.plan
	call := given.someone("eve", "operator")
	lent := lent_by("bob", given.sunday_at_ten + 1)
	now := given.sunday_at_ten
	count(approver_role.deny) == 0 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
	count(approver_role.grant) == 1 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
}

test_nobody_else_may_give_an_answer_that_was_handed_on if {
	action := given.answers
	plan := given.plan
	call := given.someone("mallory", "operator")
	lent := lent_by("bob", given.sunday_at_ten + 1)
	now := given.sunday_at_ten
	approver_role.deny == {"no role of the actor may answer plans"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
}

test_an_answer_that_was_handed_on_is_given_in_time if {
	action := given.answers
	plan := given.plan
	call := given.someone("eve", "operator")
	lent := lent_by("bob", given.sunday_at_ten)
	now := given.sunday_at_ten
	count(approver_role.deny) == 1 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
	count(approver_role.grant) == 0 with input.call as call
		with input.action as action
		with input.plan as plan
		with input.lent_answer as lent
		with input.now_ns as now
}

test_whoever_asked_and_oneself_hand_nothing_on if {
	action := given.answers
	plan := given.plan
	call := given.someone("eve", "operator")
	now := given.sunday_at_ten
	every id in ["ada", "eve"] {
		approver_role.deny == {"no role of the actor may answer plans"} with input.call as call
			with input.action as action
			with input.plan as plan
			with input.lent_answer as {"by": id, "to": "eve", "until_ns": 1795341600000000001}
			with input.now_ns as now
	}
}

test_whoever_asked_gives_nobodys_answer if {
	action := given.answers
	plan := given.plan
	call := given.someone("ada", "operator")
	place := given.prod
	now := given.sunday_at_ten
	approver_role.deny == {"whoever asked can't also approve"} with input.call as call
		with input.action as action
		with input.plan as plan
		with input.context as place
		with input.self_approval_environments as []
		with input.lent_answer as {"by": "bob", "to": "ada", "until_ns": 1795341600000000001}
		with input.now_ns as now
}
