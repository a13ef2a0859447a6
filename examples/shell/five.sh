#!/bin/sh
# Five calls of the host with curl alone: COFFER_SOCKET=run/coffer.sock sh five.sh
set -eu
files=http://coffer/v1/storages/files

call() { curl --silent --show-error --fail-with-body --unix-socket "${COFFER_SOCKET:-/run/coffer/coffer.sock}" "$@"; }
# A member of a flat JSON document: enough for texts without quotes, and for numbers.
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

stored=$(echo "hello from shell" | call --upload-file - "$files/objects/hello/shell.txt")
echo "put $(echo "$stored" | member key) $(echo "$stored" | member size)"
echo "get $(call "$files/objects/hello/shell.txt")"
echo "list $(call --header "Accept: application/x-ndjson" "$files/objects?prefix=hello/" | member key)"
echo "copy $(call --data '{"from": "hello/shell.txt", "to": "hello/copy.txt", "on_conflict": "replace"}' "$files/copy" | member key)"
call --request DELETE "$files/objects/hello/copy.txt"
echo "delete hello/copy.txt"
