#!/bin/sh
# Reads "SITE PASSWORD" lines and writes the users for node.conf: each gate may speak and hear below its own site only.
# ./gates.sh < gates.txt > gates.conf && nats-server --signal reload
set -eu
root='luong.v1'
echo 'users: ['
# A system that reads everything and sends declarations, lists and commands.
echo '{ user: centre, password: $CENTRE_PASSWORD }'
while read -r site password; do
  own="$root.$site"
  cat <<END
{ user: "$site", password: "$password", permissions: {
  publish: ["$own.status", "$own.head", "$own.claim", "$own.lane.*.event", "$own.lane.*.state", "$own.stats", "$own.command.reply", "$own.peer.*.*"]
  subscribe: ["$own.status", "$own.head", "$own.claim", "$own.declaration.*", "$own.list.*.*", "$own.platform", "$own.command", "$root.*.peer.$site.*", "\$MQTT.sub.>"]
} }
END
done
echo ']'
