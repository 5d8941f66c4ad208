#!/bin/sh
# Reads "SITE PASSWORD" lines and writes definitions of the gates' users: each may speak and hear below its own site only. A topic's slashes
# are dots here. ./gates.sh < gates.txt > gates.json && rabbitmqctl import_definitions gates.json && rm gates.json
exec awk '
{
  user = "\"user\":\"" $1 "\",\"vhost\":\"/\""
  users = users comma "{\"name\":\"" $1 "\",\"password\":\"" $2 "\",\"tags\":\"\"}"
  # The session of a gate is a queue with such a name.
  both = "\"^(mqtt-subscription-.*|amq[.]topic)$\""
  permissions = permissions comma "{" user ",\"configure\":\"^mqtt-subscription-.*$\",\"write\":" both ",\"read\":" both "}"
  own = "^luong[.]v1[.]" $1 "[.]"
  up = own "(status|head|claim|stats|lane[.][^.]+[.](event|state)|command[.]reply|peer[.][^.]+[.][^.]+)$"
  down = "(" own "(status|head|claim|(declaration|list|platform|command)([.].*)?)|^luong[.]v1[.][^.]+[.]peer[.]" $1 "[.].*)$"
  topics = topics comma "{" user ",\"exchange\":\"amq.topic\",\"write\":\"" up "\",\"read\":\"" down "\"}"
  comma = ","
}
END { print "{\"users\":[" users "],\"permissions\":[" permissions "],\"topic_permissions\":[" topics "]}" }'
