# METADATA
# title: Known environment
# description: >-
#   The environment is one that data/environments.json names, letter by letter. Only reading may concern no environment
#   at all, which is written as null and never as an empty name.
package carapulse.guards.known_environment

deny contains "the environment is not one that we know" if not known

known if is_boolean(data.environments[input.context.environment].production)

known if {
	input.action.type == "read"
	is_null(input.context.environment)
}
