/**
 * The contract of simulated devices: the other end of the wire. They answer the same bytes and topics as real ones,
 * so that tests, the demo and a technician's dry run use the real drivers unchanged.
 */
import type { Clock } from '../gateway/kernel/clock.ts'
import type { Log } from '../gateway/kernel/log.ts'
import type { MessageTransport } from './transport/transport.ts'

/** The devices' end of a byte line. Everything on it hears everything the master sends, as on RS-485. */
export interface SimLine {
  onData(fn: (bytes: Uint8Array) => void): () => void
  /** Puts bytes on the wire towards the master. */
  send(bytes: Uint8Array): void
}

export interface SimContext {
  readonly id: string
  readonly clock: Clock
  readonly log: Log
  line(link: string): SimLine
  /** The simulator's own broker connection. */
  messages(link: string): MessageTransport
  /** Terminals of another simulated board: what a cable from a limit switch or to a relay is wired to. */
  terminals(device: string): SimTerminals
}

/** The screw terminals of a simulated board. */
export interface SimTerminals {
  /** The world closes or opens an input contact. Throws on a name the board does not have. */
  setInput(point: string, on: boolean): void
  /** What the board drives its relay to now. */
  output(point: string): boolean
  onOutput(point: string, fn: (on: boolean) => void): () => void
  /** Whether the site file turns the sense of that point round; absent: never. The calls above are the bare contacts all the same. */
  inverted?(point: string): boolean
}

/** What a fault injector may do to a simulated device. */
export type SimFault = 'silent' | 'late' | 'garbage' | 'bad-crc' | 'exception' | 'half' | 'none'

export interface SimArm {
  /** 0 = closed (down), 1 = open (up); moves with the clock. */
  readonly opening: number
  /** Called when the arm starts or ends moving. */
  onMove(fn: (opening: number) => void): () => void
  /** The arm neither moves nor reports, as after a mechanical failure. */
  jam(on: boolean): void
}

export interface SimDevice {
  readonly id: string
  start(): void
  stop(): Promise<void>
  fault?(kind: SimFault): void
  readonly terminals?: SimTerminals
  readonly arm?: SimArm
  readonly light?: { readonly aspect: () => 'red' | 'green' | 'amber' | 'off' }
  readonly scale?: { setLoad(kg: number): void }
  /** Which tags (EPC, hex) are before the antenna now. */
  readonly tag?: { place(epcs: readonly string[]): void }
  /** Somebody holds a code before the scanner. */
  readonly code?: { scan(text: string): void }
  /** Sends a picture as this camera would. Rejects when the broker is away. */
  readonly camera?: { send(image: Uint8Array): Promise<void> }
}
