# shellcheck shell=bash
# What the scripts of this folder share; sourced by them.

readonly INFRA=${BASH_SOURCE[0]%/*}

fail() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

note() {
  echo "$1" >&2
}

# Settings of infra/.env; what the environment says already stands above them.
load_settings() {
  local line name
  [ -f "$INFRA/.env" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    [[ $line =~ ^(EDA_[A-Z0-9_]+)=(.*)$ ]] || continue
    name=${BASH_REMATCH[1]}
    [ -n "${!name+set}" ] || export "$name=${BASH_REMATCH[2]}"
  done < "$INFRA/.env"
}

# Default of ${NAME:-default} in the stack file: images have their names there and nowhere else.
stack_default() {
  local text
  text=$(grep --only-matching --max-count=1 "\${$1:-[^}]*}" "$INFRA/stack.yml") || fail "infra/stack.yml has no setting $1."
  text=${text#*:-}
  printf '%s' "${text%\}}"
}

setting() {
  printf '%s' "${!1:-$(stack_default "$1")}"
}

# MinIO's image starts as root and leaves its volume to root; the stack runs it as user 1000.
give_object_store_volume() {
  docker run --rm --user 0:0 --network none --cap-drop ALL --cap-add CHOWN --volume "$1:/data" --entrypoint chown \
    "$(setting EDA_MINIO_IMAGE)" 1000:1000 /data
}

# The one container of a service, whether Swarm or Compose runs it.
container_of() {
  local found
  found=$(docker ps --quiet --filter "name=^/?([a-z0-9-]+_)?$1([.][0-9]+[.][a-z0-9]+)?\$")
  [ -n "$found" ] || fail "No container of $1 runs on this node." 4
  [ "$(wc -l <<< "$found")" -eq 1 ] || fail "Several containers of $1 run on this node."
  printf '%s' "$found"
}
