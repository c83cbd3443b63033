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
readonly WHY='docker service ps --no-trunc NAME says why.'

files=(--compose-file "$INFRA/stack.yml")
case ${1:-} in
  '') ;;
  --google) files+=(--compose-file "$INFRA/stack.google.yml") ;;
  *) fail "Unknown argument $1." 2 ;;
esac

# Fails where an update was given up: Swarm has then gone back to what ran before.
wait_until_updated() {
  local deadline=$((SECONDS + WAIT_SECONDS)) replicas updates
  while :; do
    # A task counts as running once its healthcheck passes.
    replicas=$(docker stack services --format '{{.Name}} {{.Replicas}}' "$STACK")
    updates=$(docker stack services --quiet "$STACK" | xargs docker service inspect --format '{{.Spec.Name}} {{with .UpdateStatus}}{{.State}}{{end}}')
    if grep --quiet -E 'rollback|paused' <<< "$updates"; then fail "The update failed:"$'\n'"$updates"$'\n'"$WHY" 1; fi
    if ! grep --quiet 'updating' <<< "$updates" && awk '{ split($2, n, "/"); if (n[1] != n[2]) exit 1 }' <<< "$replicas"; then return; fi
    [ "$SECONDS" -lt "$deadline" ] || fail "After $WAIT_SECONDS s not everything runs:"$'\n'"$replicas"$'\n'"$WHY" 4
    sleep 2
  done
}

load_settings
[ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] || fail 'This is not a manager of a Swarm: docker swarm init' 3
export EDA_NODE_NAME=${EDA_NODE_NAME:-$(docker node inspect self --format '{{.Description.Hostname}}')}
here=$(docker node inspect self --format '{{.Description.Hostname}}')

[ "$here" != "$EDA_NODE_NAME" ] || give_object_store_volume "${STACK}_minio"
docker stack deploy "${files[@]}" "$STACK"
wait_until_updated
if [ "$here" = "$EDA_NODE_NAME" ]; then
  "$INFRA/apply-credentials.sh"
else
  note "Now run infra/apply-credentials.sh on $EDA_NODE_NAME."
fi
