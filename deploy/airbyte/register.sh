#!/usr/bin/env bash
# Add the image to an Airbyte workspace as a custom source, or give the source that is there another tag. Prints its id.
#   AIRBYTE_URL=http://localhost:8000 AIRBYTE_CLIENT_ID=... AIRBYTE_CLIENT_SECRET=... AIRBYTE_WORKSPACE_ID=... \
#     ./register.sh ghcr.io/acme/source-zendesk-chat 0.1.0
set -euo pipefail
repository=$1 tag=$2
name=${SOURCE_NAME:-Zendesk Chat (custom)}
api=${AIRBYTE_URL%/}/api/public/v1

call() { # what follows the path goes to curl
  curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' --config <(
    printf 'header = "Authorization: Bearer %s"\n' "${token:-}" # not on the command line, where others see it
  ) --url "$api$1" "${@:2}"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

token=$(python3 -c 'import json, os; print(json.dumps({
  "client_id": os.environ["AIRBYTE_CLIENT_ID"], "client_secret": os.environ["AIRBYTE_CLIENT_SECRET"],
  "grant-type": "client_credentials"}))' | call /applications/token --data @- | field access_token)
definitions=/workspaces/$AIRBYTE_WORKSPACE_ID/definitions/sources
found=$(call "$definitions" | REPOSITORY=$repository python3 -c 'import json, os, sys
print(next((one["id"] for one in json.load(sys.stdin)["data"] if one["dockerRepository"] == os.environ["REPOSITORY"]), ""))')
body=$(python3 -c 'import json, sys
print(json.dumps(dict(zip(("name", "dockerRepository", "dockerImageTag"), sys.argv[1:]))))' "$name" "$repository" "$tag")
if [ -n "$found" ]; then
  body=$(python3 -c 'import json, sys
print(json.dumps(dict(zip(("name", "dockerImageTag"), sys.argv[1:]))))' "$name" "$tag")
  call "$definitions/$found" --request PUT --data "$body" | field id
else
  call "$definitions" --request POST --data "$body" | field id
fi
