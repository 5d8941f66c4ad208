/** The parts with large libraries behind them (aedes, mqtt.js): read while the journal opens and the models load. */
import type { LoadedSite } from '../../config/load.ts'
import type { BrokerUser } from '../../config/schema/broker.ts'
import { materialOf } from '../../firmware-bridge/transport/access.ts'
import type { BrokerConfig, RunningBroker } from '../broker/config.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { type PasswordHash, readPasswordHash } from '../kernel/password-hash.ts'

export async function loadParts() {
  const [{ startBrokerThread }, { Target }, { buildDevices }] = await Promise.all([
    import('../broker/thread.ts'),
    import('./links.ts'),
    import('../../firmware-bridge/build.ts'),
  ])
  return { startBrokerThread, Target, buildDevices }
}

export type Parts = Awaited<ReturnType<typeof loadParts>>

/** The broker in this program, started; null where the site has one of its own. @throws PORT_IN_USE */
export async function embeddedBroker(
  parts: Parts,
  { loaded, mqttPort, log }: { readonly loaded: LoadedSite; readonly mqttPort?: number; readonly log: Log },
): Promise<RunningBroker | null> {
  const config = brokerConfig(loaded)
  if (!config) return null
  return parts.startBrokerThread({ ...config, port: mqttPort ?? config.port }, { log, clock: systemClock })
}

/** What the site file says of the embedded broker; null where the site has one of its own. */
export function brokerConfig({ site, devices }: Pick<LoadedSite, 'site' | 'devices'>): BrokerConfig | null {
  if (!('embedded' in site.broker)) return null
  const { host, port, users, max_payload_kb, tls, limits: l } = site.broker.embedded
  return {
    root: site.site.root,
    site: site.site.id,
    host,
    port,
    users: users.map((u) => {
      const own = u.devices.flatMap((id) => devices.get(id)?.entry.topics?.(devices.get(id)?.settings) ?? [])
      return {
        ...{ name: u.name, role: u.role, password: passwordOf(u) },
        publish: [...u.publish, ...own.flatMap((t) => t.publish)],
        subscribe: [...u.subscribe, ...own.flatMap((t) => t.subscribe)],
      }
    }),
    maxPayloadKb: max_payload_kb,
    limits: {
      clients: l.connections,
      perAddress: l.per_address,
      perUser: l.per_user,
      connectsPerS: l.connects_per_s,
      connectMs: l.connect_ms,
      packetMs: l.packet_ms,
      messagesPerS: l.messages_per_s,
      bytesPerS: l.kb_per_s * 1024,
      subscriptions: l.subscriptions,
      inFlight: l.in_flight,
      queuedBytes: l.queued_kb * 1024,
    },
    ...(tls ? { tls: { host: tls.host, port: tls.port, material: materialOf(tls), clientCertificates: tls.client_certificates } } : {}),
  }
}

function passwordOf({ password, password_hash }: BrokerUser): string | PasswordHash {
  if (password_hash) return readPasswordHash(password_hash.reveal())
  if (!password) throw new Error('a user without password: the schema lets none through')
  return password.reveal()
}
