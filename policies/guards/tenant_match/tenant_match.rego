# METADATA
# title: Tenant match
# description: Nobody reaches into what belongs to another tenant.
package carapulse.guards.tenant_match

deny contains "this belongs to another tenant" if not own

own if {
	input.call.tenant != ""
	input.call.tenant == input.context.tenant
}
