package carapulse_test.guards.within_scope

import data.carapulse.guards.within_scope

everything := {"environments": null, "services": null, "clusters": null}

asking(scope) := {"actor": {"id": "ada", "kind": "person", "roles": ["operator"], "scope": scope}, "tenant": "acme"}

shop := {"tenant": "acme", "environment": "dev", "service": "shop", "cluster_id": "east"}

nameless := {"tenant": "acme", "environment": "dev", "service": null, "cluster_id": null}

test_without_a_scope_all_is_open if {
	place := nameless
	call := asking(everything)
	count(within_scope.deny) == 0 with input.call as call with input.context as place
}

test_what_is_named_is_open if {
	place := shop
	call := asking({"environments": ["dev", "staging"], "services": ["shop"], "clusters": ["east"]})
	count(within_scope.deny) == 0 with input.call as call with input.context as place
}

test_another_environment_is_closed if {
	place := shop
	call := asking(object.union(everything, {"environments": ["staging"]}))
	within_scope.deny == {"the environment is outside of what the caller may touch"} with input.call as call
		with input.context as place
}

test_another_service_is_closed if {
	place := shop
	call := asking(object.union(everything, {"services": ["billing"]}))
	within_scope.deny == {"the service is outside of what the caller may touch"} with input.call as call
		with input.context as place
}

test_another_cluster_is_closed if {
	place := shop
	call := asking(object.union(everything, {"clusters": ["west"]}))
	within_scope.deny == {"the cluster is outside of what the caller may touch"} with input.call as call
		with input.context as place
}

test_what_names_nothing_is_outside_of_every_list if {
	place := nameless
	call := asking({"environments": null, "services": ["shop"], "clusters": ["east"]})
	count(within_scope.deny) == 2 with input.call as call with input.context as place
}

test_an_empty_list_is_nothing if {
	place := shop
	call := asking(object.union(everything, {"environments": []}))
	count(within_scope.deny) == 1 with input.call as call with input.context as place
}

test_a_caller_whose_scope_nobody_knows_touches_nothing if {
	place := shop
	call := {"actor": {"id": "ada", "kind": "person", "roles": ["admin"]}, "tenant": "acme"}
	count(within_scope.deny) == 3 with input.call as call with input.context as place
}
