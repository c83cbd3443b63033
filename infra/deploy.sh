#!/usr/bin/env bash
# Deploys or updates the stack on this Swarm manager, waits until every service is healthy, and gives the stores their passwords.
#
#   infra/create-secrets.sh swarm     once, before
#   infra/deploy.sh [--google]        as often as wanted
set -euo pipefail
# shellcheck source=infra/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

readonly STACK=eda
readonly WAIT_SECONDS=600

files=(--compose-file "$INFRA/stack.yml")
case ${1:-} in
  '') ;;
  --google) files+=(--compose-file "$INFRA/stack.google.yml") ;;
  *) fail "Unknown argument $1." 2 ;;
esac

# Each service's running tasks are as many as are wanted. A task counts as running once its healthcheck passes.
wait_until_running() {
  local deadline=$((SECONDS + WAIT_SECONDS)) states
  while :; do
    states=$(docker stack services --format '{{.Name}} {{.Replicas}}' "$STACK")
    awk '{ split($2, n, "/"); if (n[1] != n[2]) waiting = 1 } END { exit waiting }' <<< "$states" && return 0
    [ "$SECONDS" -lt "$deadline" ] || fail "After $WAIT_SECONDS s not everything runs:"$'\n'"$states"$'\n'"docker service ps --no-trunc NAME says why." 4
    sleep 2
  done
}

load_settings
[ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] || fail 'This is not a manager of a Swarm: docker swarm init' 3
export EDA_NODE_NAME=${EDA_NODE_NAME:-$(docker node inspect self --format '{{.Description.Hostname}}')}
here=$(docker node inspect self --format '{{.Description.Hostname}}')

[ "$here" != "$EDA_NODE_NAME" ] || give_object_store_volume "${STACK}_minio"
docker stack deploy "${files[@]}" "$STACK"
wait_until_running
if [ "$here" = "$EDA_NODE_NAME" ]; then
  "$INFRA/apply-credentials.sh"
else
  note "Now run infra/apply-credentials.sh on $EDA_NODE_NAME."
fi
