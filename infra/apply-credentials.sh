#!/usr/bin/env bash
# Makes the running stores accept the passwords of their secrets: the user of eda in MinIO with its policy, in PostgreSQL and in MongoDB.
# To be run after the first start and after a rotation, on the node whose containers they are; again does no harm.
#
#   infra/apply-credentials.sh [minio] [database] [mongodb]     all without arguments
#
# Each password is read inside the container from the secret that is mounted there.
set -euo pipefail
# shellcheck source=infra/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

apply_minio() {
  local container
  container=$(container_of eda_minio)
  docker exec --interactive "$container" sh -c 'cat > /tmp/eda-policy.json' < "$INFRA/config/object-store-policy.json"
  # mc reads keys from its standard input where they are not arguments.
  docker exec --interactive "$container" sh -eu << 'INSIDE'
export MC_CONFIG_DIR=/tmp/mc-apply
trap 'rm -rf "$MC_CONFIG_DIR" /tmp/eda-policy.json' EXIT
printf '%s\n%s\n' "$MINIO_ROOT_USER" "$(cat "$MINIO_ROOT_PASSWORD_FILE")" | mc alias set local http://127.0.0.1:9000 > /dev/null
printf '%s\n%s\n' "$EDA_S3_ACCESS_KEY" "$(cat "$EDA_S3_SECRET_KEY_FILE")" | mc admin user add local > /dev/null
mc admin policy create local eda /tmp/eda-policy.json > /dev/null
mc admin user info local "$EDA_S3_ACCESS_KEY" | grep -q 'PolicyName: eda$' || mc admin policy attach local eda --user "$EDA_S3_ACCESS_KEY" > /dev/null
INSIDE
  note 'eda_minio: user eda has its password and its policy'
}

apply_database() {
  # On the container's own socket the administrator needs no password, so a rotated one of his own is set here too.
  docker exec --interactive "$(container_of eda_database-services)" \
    psql --username postgres --dbname postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 << 'INSIDE'
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
\set eda `cat "$EDA_DATABASE_PASSWORD_FILE"`
\set admin `cat "$POSTGRES_PASSWORD_FILE"`
ALTER ROLE eda PASSWORD :'eda';
ALTER ROLE postgres PASSWORD :'admin';
INSIDE
  note 'eda_database-services: users eda and postgres have their passwords'
}

apply_mongodb() {
  docker exec --interactive "$(container_of mongo_mongodb)" mongosh --quiet --norc --nodb << 'INSIDE'
const fs = require("node:fs");
const read = (name) => fs.readFileSync(process.env[name], "utf8").trimEnd();
const server = connect("mongodb://127.0.0.1:27017/admin");
server.auth(process.env.MONGO_INITDB_ROOT_USERNAME, read("MONGO_INITDB_ROOT_PASSWORD_FILE"));
server.getSiblingDB("eda").changeUserPassword("eda", read("EDA_MONGODB_PASSWORD_FILE"));
quit(0);
INSIDE
  note 'mongo_mongodb: user eda has its password'
}

[ $# -gt 0 ] || set -- minio database mongodb
for store in "$@"; do
  case $store in
    minio | database | mongodb) "apply_$store" ;;
    *) fail "Unknown store $store: minio, database or mongodb." 2 ;;
  esac
done
