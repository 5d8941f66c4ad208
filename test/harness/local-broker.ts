/** The embedded broker in the thread of a test. */
import type { Duplex } from 'node:stream'
import { startBroker as start } from '../../gateway/broker/broker.ts'
import { type BrokerConfig, internalUrl, internalUser, type RunningBroker } from '../../gateway/broker/config.ts'
import { portStream, streamEnds } from '../../gateway/broker/port-stream.ts'
import { withAccess } from '../../gateway/broker/roles.ts'
import type { Clock } from '../../gateway/kernel/clock.ts'
import type { Log } from '../../gateway/kernel/log.ts'

/** Both ends of a stream over a port. */
export function streamPair(): readonly [Duplex, Duplex] {
  const [a, b] = streamEnds()
  return [portStream(a), portStream(b)]
}

export async function startBroker(config: BrokerConfig, options: { readonly log: Log; readonly clock: Clock }): Promise<RunningBroker> {
  const own = internalUser()
  const { serve, ...broker } = await start({ ...config, users: withAccess(config.users, config) }, { ...options, own })
  const stream = () => {
    const [ours, theirs] = streamPair()
    serve(theirs)
    return ours
  }
  return {
    ...broker,
    internal: { url: internalUrl(broker.host, broker.port), username: own.name, password: own.password, stream },
    exchange: (change) => broker.exchange({ ...change, users: withAccess(change.users, config) }),
  }
}
