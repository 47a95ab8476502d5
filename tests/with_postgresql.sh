#!/bin/sh
# Run a command beside a PostgreSQL server of its own, which ends with it:
#   sh tests/with_postgresql.sh COMMAND [ARGUMENT]...
# The command finds its address in SKLEARN_ALCHEMIST_TEST_POSTGRESQL, what stops and
# starts it in SKLEARN_ALCHEMIST_TEST_POSTGRESQL_CONTROL, and the user and the password
# where libpq looks for them.
set -eu

find_programs() {
  for folder in $(dirname "$(command -v initdb || echo /none/x)") /usr/lib/postgresql/*/bin; do
    if test -x "$folder/initdb"; then programs=$folder; fi
  done
}
programs=
find_programs
if test -z "$programs" && test "$(id -u)" = 0 && command -v apt-get > /dev/null; then
  apt-get update -q && apt-get install -q -y --no-install-recommends postgresql
  find_programs
fi
if test -z "$programs"; then
  echo "PostgreSQL is missing: install it, as by 'apt-get install postgresql'." >&2
  exit 1
fi

folder=$(mktemp -d)
as=
if test "$(id -u)" = 0; then  # which PostgreSQL refuses to run as
  chown postgres "$folder"
  as="setpriv --reuid=postgres --regid=postgres --clear-groups --"
fi
stop() {
  $as "$programs/pg_ctl" -D "$folder/data" -m immediate stop > /dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

PGUSER=labels
PGPASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export PGUSER PGPASSWORD
echo "$PGPASSWORD" > "$folder/password"
chmod 644 "$folder/password"
cd /
$as "$programs/initdb" -D "$folder/data" -U "$PGUSER" -A scram-sha-256 \
  --pwfile="$folder/password" -E UTF8 --locale=C --no-sync > "$folder/initdb.log"
rm "$folder/password"
# On a socket in the folder: no port is taken.
cat >> "$folder/data/postgresql.conf" << END
listen_addresses = ''
unix_socket_directories = '$folder'
fsync = off
END
control="$as $programs/pg_ctl -D $folder/data -l $folder/data/log"
$control -w start > /dev/null
cd "$OLDPWD"
SKLEARN_ALCHEMIST_TEST_POSTGRESQL="postgresql:///postgres?host=$folder"
SKLEARN_ALCHEMIST_TEST_POSTGRESQL_CONTROL=$control
export SKLEARN_ALCHEMIST_TEST_POSTGRESQL SKLEARN_ALCHEMIST_TEST_POSTGRESQL_CONTROL
"$@"
