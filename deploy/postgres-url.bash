# Sourced by backup and restore: DATABASE_URL for the tools of Postgres. A password in an argument would be shown to
# everyone who lists processes, so it goes into PGPASSWORD.
# shellcheck shell=bash

# Sets pg_server (postgres://user@host:port), pg_name (the database) and pg_query (?… or nothing); exports PGPASSWORD.
read_database_url() {
  if [[ ! ${DATABASE_URL:-} =~ ^postgres(ql)?://([^:@/]+)(:([^@/]*))?@([^/?@]+)/([a-z_][a-z0-9_]*)(\?.*)?$ ]]; then
    echo "DATABASE_URL must be postgres://user:password@host:port/name, the name in small letters" >&2
    return 1
  fi
  local escaped=${BASH_REMATCH[4]}
  # shellcheck disable=SC2034 # for who sources this
  pg_server="postgres://${BASH_REMATCH[2]}@${BASH_REMATCH[5]}" pg_name=${BASH_REMATCH[6]} pg_query=${BASH_REMATCH[7]}
  printf -v PGPASSWORD '%b' "${escaped//%/\\x}"
  export PGPASSWORD
}
