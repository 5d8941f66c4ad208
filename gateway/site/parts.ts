/** The parts with large libraries behind them (aedes, mqtt.js): read while the journal opens and the models load. */
import type { Site } from '../../config/schema/site.ts'
import type { RunningBroker } from '../broker/broker.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

export async function loadParts() {
  const [{ startBroker }, { Target }, { buildDevices }] = await Promise.all([
    import('../broker/broker.ts'),
    import('./links.ts'),
    import('../../firmware-bridge/build.ts'),
  ])
  return { startBroker, Target, buildDevices }
}

export type Parts = Awaited<ReturnType<typeof loadParts>>

/** The broker in this program, started; null where the site has one of its own. @throws PORT_IN_USE */
export async function embeddedBroker(
  parts: Parts,
  site: Site,
  { mqttPort, log }: { readonly mqttPort?: number; readonly log: Log },
): Promise<RunningBroker | null> {
  if (!('embedded' in site.broker)) return null
  const { host, port, users, max_payload_kb } = site.broker.embedded
  return parts.startBroker(
    {
      root: site.site.root,
      site: site.site.id,
      host,
      port: mqttPort ?? port,
      users: users.map((u) => ({ ...u, password: u.password.reveal() })),
      maxPayloadKb: max_payload_kb,
    },
    { log, clock: systemClock },
  )
}
