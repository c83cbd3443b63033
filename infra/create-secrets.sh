#!/usr/bin/env bash
# Makes the secrets of the stack that are missing: random ones, the person's password for VS Code, and its certificate. Keeps those there are.
#
#   infra/create-secrets.sh swarm [--certificate FILE --key FILE]   as secrets of the Swarm (on a manager)
#   infra/create-secrets.sh compose                                 as files of infra/secrets, and readies the object store's volume
#
# The new password for VS Code is all that goes to standard output, once: keep it, or redirect it to a file only you can read.
# No secret is ever an argument of a program. Without --certificate one is made that browsers do not know.
set -euo pipefail
# shellcheck source=infra/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

readonly RANDOM_SECRETS=(
  eda_s3_secret_key
  eda_minio_root_password
  eda_database_admin_password
  eda_database_password
  eda_mongodb_admin_password
  eda_mongodb_password
)
readonly LOGIN=eda_code_server_hashed_password
readonly CERTIFICATE=eda_code_server_certificate

target=${1:-}
certificate='' key=''
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --certificate) certificate=${2:?} && shift 2 ;;
    --key) key=${2:?} && shift 2 ;;
    *) fail "Unknown argument $1." 2 ;;
  esac
done
case $target in swarm | compose) ;; *) fail 'Say swarm or compose.' 2 ;; esac
[ -z "$certificate" ] || [ -r "$key" ] || fail '--certificate needs --key.' 2

load_settings

# A Swarm secret is named with its version, which a setting raises. A certificate and its key have one version.
stored_name() {
  local setting=${1%_key}
  [ "$1" = eda_s3_secret_key ] && setting=$1
  setting=${setting^^}_VERSION
  printf '%s_v%s' "$1" "${!setting:-1}"
}

exists() {
  if [ "$target" = swarm ]; then docker secret inspect "$(stored_name "$1")" > /dev/null 2>&1; else [ -s "$INFRA/secrets/$1" ]; fi
}

# Takes the value from standard input.
store() {
  if [ "$target" = swarm ]; then
    docker secret create "$(stored_name "$1")" - > /dev/null
    note "made secret $(stored_name "$1")"
  else
    # Containers read them as other users, through a folder that only this user enters.
    (umask 022 && cat > "$INFRA/secrets/$1")
    note "made infra/secrets/$1"
  fi
}

# 264 bits, in characters that no client has to escape.
random_secret() {
  openssl rand -base64 33 | tr '+/' '-_' | tr -d '\n'
}

self_signed() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
    -keyout "$2/key" -out "$2/certificate" 2> /dev/null
}

command -v openssl > /dev/null || fail 'openssl is missing.' 3
if [ "$target" = swarm ]; then
  [ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] || fail 'This is not a manager of a Swarm: docker swarm init' 3
else
  (umask 077 && mkdir -p "$INFRA/secrets")
  give_object_store_volume eda_minio
fi

for name in "${RANDOM_SECRETS[@]}"; do
  exists "$name" || random_secret | store "$name"
done

if ! exists "$LOGIN"; then
  password=$(random_secret)
  printf '%s' "$password" |
    docker run --rm --interactive --network none --cap-drop ALL --read-only "$(setting EDA_JUPYTER_CPU_IMAGE)" eda-hash-password |
    tr -d '\n' | store "$LOGIN"
  note 'Password of VS Code, shown this once:'
  printf '%s\n' "$password"
fi

if [ "$target" = swarm ] && ! exists "$CERTIFICATE"; then
  if [ -z "$certificate" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    self_signed "$(hostname)" "$folder"
    certificate=$folder/certificate key=$folder/key
    note "The certificate is self-signed for $(hostname): browsers must be told to trust it before VS Code's panels work."
  fi
  store "$CERTIFICATE" < "$certificate"
  store "${CERTIFICATE}_key" < "$key"
fi
