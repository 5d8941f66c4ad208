/** What a gateway is made of, beside its site file. */
import type { LoadedSite } from '../../config/load.ts'
import type { ByteTransport } from '../../firmware-bridge/transport/transport.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { TurnAgreement } from './lane-plans.ts'
import type { Passage } from './passage.ts'

export interface GatewayOptions {
  readonly loaded: LoadedSite
  readonly dataDir: string
  readonly log: Log
  /** Time of lanes and devices. Brokers, disks and worker threads live in real time. */
  readonly clock?: Clock
  /** Lines of memory links. */
  readonly bytesFor?: (link: string) => ByteTransport | undefined
  readonly mqttPort?: number
  readonly httpPort?: number
  readonly uplinkUrl?: string
  /** Where to meet the other half of a smart gate, in place of `peer.broker`. */
  readonly peerUrl?: string
  /** Called with every passage event, for the line a person reads. */
  readonly onPassage?: (type: string, passage: Passage) => void
  /** The other half of a smart gate: asked before a lane turns. Without it nobody else has a say. */
  readonly turnAgreement?: TurnAgreement
  /** Plate readers that were started before ({@link startReaders}), or something in their place. Closed with the gateway. */
  readonly pool?: ReaderPool
}
