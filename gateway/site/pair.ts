/** This site as one half of a smart gate: settings, the way to the other half, and what others here ask of it. */
import type { Site } from '../../config/schema/site.ts'
import { accessOf } from '../../firmware-bridge/transport/access.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { Identity } from '../identity/identity.ts'
import type { Journal } from '../journal/journal.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Direction } from '../lane/model.ts'
import { type ChannelStats, PeerChannel } from '../peer/channel.ts'
import { peerFacts } from '../peer/facts.ts'
import type { PairSettings } from '../peer/pair.ts'
import type { Facts } from '../rules/facts.ts'
import { BrokerConnection } from '../uplink/connection.ts'
import type { Command } from '../uplink/schema/down.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { ClockQuality } from './passage.ts'

export interface PairOptions {
  /** The connection to the own broker, which the other half may be a client of. */
  readonly local: BrokerConnection
  /** The broker to meet the other half at, in place of the configured one. */
  readonly peerUrl?: string
  readonly journal: Journal
  readonly declarations: DeclarationIndex
  readonly lane: (id: string) => Pick<LaneRunner, 'state'> | undefined
  readonly clock: Clock
  readonly quality: () => ClockQuality
  readonly log: Log
}

const MIN = 60_000

export class Pair {
  readonly #settings: PairSettings
  readonly #channel: PeerChannel
  /** Own lane → lane of the other half that it leads into. */
  readonly #roads: Readonly<Record<string, string>>
  /** Where the two meet elsewhere than at the own broker. */
  readonly #own: BrokerConnection | null

  constructor(o: PairOptions, { root, id }: Site['site'], peer: NonNullable<Site['peer']>) {
    this.#settings = {
      peer: peer.site,
      handsOver: peer.hands_over,
      withinMs: peer.within_min * MIN,
      hotlineMs: peer.hotline_min * MIN,
      silentMs: peer.silent_min * MIN,
      clockMs: peer.clock_min * MIN,
    }
    this.#roads = peer.roads
    const url = o.peerUrl ?? peer.broker?.url
    this.#own =
      url === undefined
        ? null
        : new BrokerConnection({
            name: `broker of ${peer.site}`,
            url,
            ...accessOf(peer.broker ?? {}),
            clientId: `luong-${id}-peer`,
            // Both sides acknowledge each other: nothing of MQTT 5 is needed, and embedded brokers do not speak it.
            protocol: 4,
            clock: systemClock,
            log: o.log,
          })
    this.#channel = new PeerChannel({
      root,
      site: id,
      settings: this.#settings,
      share: peer.share,
      link: this.#own ?? o.local,
      journal: o.journal,
      declarations: o.declarations,
      mayTurn: (lane) => against(lane, o.lane(lane)),
      clock: o.clock,
      quality: o.quality,
      log: o.log,
    })
  }

  async start(): Promise<void> {
    await this.#channel.start()
    this.#own?.start()
  }

  async stop(): Promise<void> {
    await this.#channel.stop()
    await this.#own?.stop()
  }

  /** What the other half says of a vehicle at a lane. */
  facts(identity: Identity, direction: Direction): Facts['peer'] {
    return peerFacts(this.#channel.state, this.#settings, this.#channel.now(), identity, direction)
  }

  /** Null: the other half agrees that this lane turns, or has no say in it; else why not. */
  mayTurn(lane: string, direction: Direction): Promise<string | null> {
    const theirs = this.#roads[lane]
    return theirs === undefined ? Promise.resolve(null) : this.#channel.mayTurn(theirs, direction)
  }

  /** Null once it is durable, else why it was not carried out. */
  command(c: Extract<Command, { do: 'message' | 'acknowledge' }>): Promise<string | null> {
    const { id, by } = c
    if (c.do === 'message') return this.#channel.command({ kind: 'message', id, by, text: c.text })
    return this.#channel.command({ kind: 'acknowledge', about: c.about, by, answer: c.reason })
  }

  /** Other credentials or certificates for the broker where the two meet. */
  renew({ broker }: NonNullable<Site['peer']>): void {
    if (broker) this.#own?.renew(accessOf(broker))
  }

  stats(): ChannelStats {
    return this.#channel.stats()
  }
}

/** Nobody may come against a vehicle: a lane in service, or not empty, keeps the other end of its road from turning. */
function against(id: string, lane: Pick<LaneRunner, 'state'> | undefined): string | null {
  if (!lane) return `there is no lane ${id} here`
  return lane.state.phase === 'closed' && lane.state.vehicle === null
    ? null
    : `lane ${id} is in service here, or not empty: close-lane first`
}

/** The pair that the site file tells of, started; null: the site is no half of one. */
export async function startPair({ site, peer }: Site, options: PairOptions): Promise<Pair | null> {
  if (!peer) return null
  const pair = new Pair(options, site, peer)
  await pair.start()
  return pair
}

/** In words, what is not well with the other half. */
export function pairProblems({ peer, up, alarms, missing, waiting }: ChannelStats): string[] {
  return [
    ...(up ? [] : [`peer ${peer}: not heard${waiting > 0 ? `; ${waiting} messages wait for it` : ''}`]),
    ...alarms.filter((a) => a !== 'peer-silent').map((a) => `peer ${peer}: alarm ${a}`),
    ...(missing > 0 ? [`peer ${peer}: ${missing} vehicles that left it have not come`] : []),
  ]
}
