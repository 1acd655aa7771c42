# METADATA
# title: Given
# description: >-
#   What tests start from. Each test replaces the parts of the input that its guard looks at, one by one, because the
#   embedded engine can't replace the whole input of rules that use other rules.
package carapulse_test.given

someone(id, role) := {"actor": {"id": id, "kind": "person", "roles": [role]}, "tenant": "acme"}

reads := {"name": "plan.read", "type": "read", "stage": null}

drafts := {"name": "plan.create", "type": "write", "stage": null}

executes := {"name": "plan.execute", "type": "write", "stage": null}

acts := {"name": "step.run", "type": "write", "stage": "act"}

undoes := {"name": "step.run", "type": "write", "stage": "undo"}

answers := {"name": "approval.decide", "type": "write", "stage": null}

keeps_records := {"name": "schedule.create", "type": "write", "stage": null}

stops := {"name": "execution.cancel", "type": "write", "stage": null}

dev := {"tenant": "acme", "environment": "dev"}

prod := {"tenant": "acme", "environment": "prod"}

plan := {
	"risk": "low",
	"targets": 1,
	"unbounded": false,
	"blast_radius": "namespace",
	"trigger": "manual",
	"trusted": true,
	"requested_by": "ada",
	"requested_for": null,
	"authors": [],
	"irreversible": false,
	"steps": [{"tool": "git", "action": "commit_file", "effect": "write", "risk": "low", "stage": "act"}],
}

plan_with(difference) := object.union(plan, difference)

nothing_stands := {"freezes": [], "closed_window": false}

no_constraints := {"allowed_environments": null, "max_targets": null, "maintenance_window": null}

broken_by(id) := {"reason": "checkout is down", "by": id, "until_ns": 1795345200000000000}

# Sunday 2026-11-22, 10:00 UTC.
sunday_at_ten := 1795341600000000000
