#!/bin/sh
# Makes the passwords of a new installation, once; compose.yml gives each container the ones that it needs.
set -eu
folder="${1:-$(dirname "$0")/secrets}"
if [ -e "$folder" ]; then
  echo "$folder is there already; its passwords are those of the database" >&2
  exit 1
fi
# The folder is closed to others; the files are not, since a container reads them as a user of its own.
mkdir -m 700 "$folder"
umask 022
for name in postgres owner app; do
  od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' > "$folder/${name}_password"
done
printf 'postgresql://carapulse_app:%s@postgres:5432/carapulse\n' "$(cat "$folder/app_password")" > "$folder/database_url"
printf 'postgresql://carapulse_owner:%s@postgres:5432/carapulse\n' "$(cat "$folder/owner_password")" > "$folder/database_owner_url"
