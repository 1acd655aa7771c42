# METADATA
# title: Decision
# description: >-
#   The one document the application asks for. Any denial wins; what nobody grants is denied; then the guard that wants
#   most approvals has its way; what is left is allowed.
package carapulse

# METADATA
# title: Decision
# description: Outcome, reasons, approvals_required and obligations.
# entrypoint: true
decision := {
	"outcome": outcome,
	"reasons": reasons,
	"approvals_required": approvals_required,
	"obligations": obligations,
}

# Asked once, because the embedded engine would evaluate every guard again for each of the rules below.
verdicts := data.carapulse.guards

default outcome := "deny"

outcome := "deny" if {
	count(denials) > 0
} else := "deny" if {
	count(grants) == 0
} else := "require_approval" if {
	most_approvals > 0
} else := "allow" if {
	most_approvals == 0
}

denials contains {"guard": name, "reason": reason} if {
	some name
	some reason in verdicts[name].deny
}

grants contains {"guard": name, "reason": reason} if {
	some name
	some reason in verdicts[name].grant
}

approvals contains {"guard": name, "reason": approval.reason, "count": approval.count} if {
	some name
	some approval in verdicts[name].approvals
	approval.count > 0
}

most_approvals := max({0} | {approval.count | some approval in approvals})

default approvals_required := 0

approvals_required := most_approvals if outcome == "require_approval"

reasons contains denial if {
	outcome == "deny"
	some denial in denials
}

reasons contains {"guard": "decision", "reason": "nothing grants this"} if {
	outcome == "deny"
	count(grants) == 0
}

reasons contains {"guard": approval.guard, "reason": approval.reason} if {
	outcome == "require_approval"
	some approval in approvals
}

reasons contains granted if {
	outcome == "allow"
	some granted in grants
}

obligations[name] := duty if {
	outcome != "deny"
	some guard
	some name, duty in verdicts[guard].obligations
}
