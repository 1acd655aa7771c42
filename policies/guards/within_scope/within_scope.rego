# METADATA
# title: Within scope
# description: >-
#   Whoever may touch only some environments, services or clusters touches nothing else. What names none is outside
#   of every list.
package carapulse.guards.within_scope

deny contains "the environment is outside of what the caller may touch" if not environment_covered

deny contains "the service is outside of what the caller may touch" if not service_covered

deny contains "the cluster is outside of what the caller may touch" if not cluster_covered

environment_covered if is_null(input.call.actor.scope.environments)

environment_covered if input.context.environment in input.call.actor.scope.environments

service_covered if is_null(input.call.actor.scope.services)

service_covered if input.context.service in input.call.actor.scope.services

cluster_covered if is_null(input.call.actor.scope.clusters)

cluster_covered if input.context.cluster_id in input.call.actor.scope.clusters
