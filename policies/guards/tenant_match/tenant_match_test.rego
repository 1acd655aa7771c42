package carapulse_test.guards.tenant_match

import data.carapulse.guards.tenant_match
import data.carapulse_test.given

test_ones_own_is_open if {
	call := given.someone("ada", "viewer")
	place := given.dev
	count(tenant_match.deny) == 0 with input.call as call with input.context as place
}

test_anothers_is_closed if {
	call := given.someone("ada", "admin")
	count(tenant_match.deny) == 1 with input.call as call with input.context as {"tenant": "other"}
}

test_no_tenant_matches_nothing if {
	count(tenant_match.deny) == 1 with input.call as {"tenant": ""} with input.context as {"tenant": ""}
}
