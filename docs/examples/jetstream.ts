/**
 * The events of all gates from a NATS cluster, by its own protocol: a durable consumer of what the gates sent over MQTT with QoS 1. What was
 * acknowledged to a gate is in that stream on two of three nodes, and stays there until this has acknowledged it as well.
 * `node dist/docs/examples/jetstream.js HOST:4222,HOST:4222,HOST:4222 centre PASSWORD` prints events; npm: @nats-io/transport-node, @nats-io/jetstream.
 */
import { AckPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

export interface Cluster {
  readonly servers: string[]
  readonly user: string
  readonly pass: string
}

/** The server's own stream behind MQTT QoS 1. */
const STREAM = '$MQTT_msgs'
const EVENTS = '$MQTT.msgs.luong.v1.*.lane.*.event'

/** @param name of this reader: another name reads everything again. @param work is done once more when the answer was lost: compare `id` */
export async function consume(cluster: Cluster, name: string, work: (site: string, event: Uint8Array) => Promise<void> | void) {
  const connection = await connect({ ...cluster, maxReconnectAttempts: -1, reconnectTimeWait: 500 })
  const manager = await jetstreamManager(connection)
  await manager.consumers.add(STREAM, {
    durable_name: name,
    filter_subject: EVENTS,
    ack_policy: AckPolicy.Explicit,
    ack_wait: 30_000_000_000,
    max_ack_pending: 10_000,
  })
  const consumer = await jetstream(connection).consumers.get(STREAM, name)
  const messages = await consumer.consume({ max_messages: 1_000 })
  const take = async (m: JsMsg) => {
    await work(m.subject.split('.')[4] ?? '', m.data)
    m.ack()
  }
  const done = (async () => {
    for await (const m of messages) await take(m)
  })()
  return {
    stop: async () => {
      await messages.close()
      await done
      await connection.drain()
    },
  }
}

if (process.argv[1] === import.meta.filename) {
  const [servers = '127.0.0.1:4222', user = 'centre', pass = ''] = process.argv.slice(2)
  const text = new TextDecoder()
  await consume({ servers: servers.split(','), user, pass }, 'print', (site, event) => console.log(site, text.decode(event)))
}
