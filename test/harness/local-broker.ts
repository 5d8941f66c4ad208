/** The embedded broker in the thread of a test. */
import { startBroker as start } from '../../gateway/broker/broker.ts'
import type { BrokerConfig, RunningBroker } from '../../gateway/broker/config.ts'
import { withAccess } from '../../gateway/broker/roles.ts'
import type { Clock } from '../../gateway/kernel/clock.ts'
import type { Log } from '../../gateway/kernel/log.ts'

export async function startBroker(config: BrokerConfig, options: { readonly log: Log; readonly clock: Clock }): Promise<RunningBroker> {
  const broker = await start({ ...config, users: withAccess(config.users, config) }, options)
  return { ...broker, exchange: (change) => broker.exchange({ ...change, users: withAccess(change.users, config) }) }
}
