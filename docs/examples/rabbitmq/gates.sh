#!/bin/sh
# Reads "SITE PASSWORD" lines and makes a user of each: it may speak and hear below its own site only. In RabbitMQ a topic's slashes are dots.
# ./gates.sh < gates.txt
set -eu
root='^luong\.v1\.'
while read -r site password; do
  own="$root$site\\."
  rabbitmqctl -q add_user "$site" "$password"
  # Its session is a queue with such a name.
  rabbitmqctl -q set_permissions "$site" '^mqtt-subscription-.*' '^(mqtt-subscription-.*|amq\.topic)$' '^(mqtt-subscription-.*|amq\.topic)$'
  rabbitmqctl -q set_topic_permissions "$site" amq.topic \
    "$own(status|head|stats|lane\\.[^.]+\\.(event|state)|command\\.reply|peer\\.[^.]+\\.[^.]+)\$" \
    "($own(declaration|list|platform|command)(\\..*)?|$root[^.]+\\.peer\\.$site\\..*)\$"
done
