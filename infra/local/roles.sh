#!/bin/sh
# Makes the two roles in a new database: the one that migrates, and the one that runs and can't pass row-level security.
set -eu
secrets="${SECRETS:-/run/secrets}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set owner="$(cat "$secrets/owner_password")" --set app="$(cat "$secrets/app_password")" --set database="$POSTGRES_DB" <<'SQL'
CREATE ROLE carapulse_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'owner';
CREATE ROLE carapulse_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app';
ALTER DATABASE :"database" OWNER TO carapulse_owner;
SQL
