/** Passwords, certificates, users and limits that were read again: given to the broker and to the links while the site runs. */
import type { LoadedSite } from '../../config/load.ts'
import type { Site } from '../../config/schema/site.ts'
import { certificatesOf, type KnownCertificate } from '../../config/tls-files.ts'
import type { Devices } from '../../firmware-bridge/build.ts'
import type { RunningBroker } from '../broker/config.ts'
import type { Phase } from '../lane/model.ts'
import { targetConnections } from './derive.ts'
import type { Target } from './links.ts'
import type { Pair } from './pair.ts'
import { brokerConfig } from './parts.ts'

export interface RenewalParts {
  /** As they run: rights follow them, and not what the site file says of them until a restart. */
  readonly running: Pick<LoadedSite, 'devices'>
  readonly broker: RunningBroker | null
  /** Every connection to a broker, by what it leads to. */
  readonly targets: readonly Pick<Target, 'name' | 'connection'>[]
  readonly pair: Pair | null
  readonly devices: Devices
}

/** A vehicle is being looked at or let through: links to devices stay as they are. */
const BUSY: readonly Phase[] = ['identifying', 'opening', 'passing', 'clearing', 'closing']

export class Renewal {
  #certificates: readonly KnownCertificate[]
  #waiting: ((which: 'down' | 'all') => void) | null = null

  readonly #uplinkUrl: string | undefined

  constructor(site: Site, uplinkUrl: string | undefined) {
    this.#uplinkUrl = uplinkUrl
    this.#certificates = certificatesOf(site)
  }

  /** Those that the site uses, with the time until which each is valid. */
  get certificates(): readonly KnownCertificate[] {
    return this.#certificates
  }

  /**
   * Links to the centre and to the other half connect again at once where something is new; those to devices too where they are down,
   * else when no lane is at work. What needs a restart is left alone.
   * @param restart the keys that do
   * @throws CONFIG_INVALID when the broker cannot use its certificate; nothing has changed then
   */
  take(loaded: LoadedSite, restart: readonly string[], { running, broker, targets, pair, devices }: RenewalParts): void {
    const { site } = loaded
    const config = brokerConfig({ site, devices: running.devices })
    if (broker && config && !restart.includes('broker')) broker.exchange(config)
    this.#certificates = certificatesOf(site)
    const now = targetConnections(site, broker, this.#uplinkUrl)
    const renew = (name: Target['name'], which: 'down' | 'all' = 'all') => {
      const next = now.find((t) => t.target === name)?.connection
      for (const t of targets) if (next && t.name === name && !(which === 'down' && t.connection.up)) t.connection.renew(next)
    }
    if (!restart.includes('uplink')) renew('uplink')
    if (!restart.includes('peer') && site.peer) pair?.renew(site.peer)
    this.#waiting = (which) => {
      if (!broker && !restart.includes('broker')) renew('local', which)
      if (!restart.includes('links')) devices.renew(site.links, which)
    }
    this.#waiting('down')
  }

  /** Called every few seconds. */
  tick(phases: readonly Phase[]): void {
    const busy = phases.some((phase) => BUSY.includes(phase))
    // A link that is down disturbs nobody; the other end may have cut it because of what is new.
    this.#waiting?.(busy ? 'down' : 'all')
    if (!busy) this.#waiting = null
  }
}
