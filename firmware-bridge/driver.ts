/**
 * The contracts between devices and the gateway. A driver turns bytes and topics into these; it knows no lane.
 * Each kind is small; what only some devices can do is an interface of its own.
 */
import type { z } from 'zod'
import type { Clock } from '../gateway/kernel/clock.ts'
import type { Log } from '../gateway/kernel/log.ts'
import type { SimContext, SimDevice } from './sim.ts'
import type { ByteTransport, MessageTransport } from './transport/transport.ts'

/** true = on/occupied, false = off/free, null = unknown (never read, link down, or stale). Unknown is never taken for free. */
export type Tri = boolean | null

export interface DeviceHealth {
  readonly state: 'starting' | 'ok' | 'degraded' | 'down'
  /** In words, when not ok: names the device and what to do. */
  readonly why?: string
  /** Counters for /metrics, e.g. polls, timeouts, crc_errors, late_replies, dropped_frames. */
  readonly counters: Readonly<Record<string, number>>
}

/** What a device said when probed: `reply time`, `12 ms (9…15)`. */
export interface ProbeFact {
  readonly what: string
  readonly value: string
}

/** Anything with a life: constructors do nothing, `start` works, `stop` settles within a bounded time. */
export interface Device {
  readonly id: string
  start(): void
  stop(): Promise<void>
  health(): DeviceHealth
  onHealth(fn: (health: DeviceHealth) => void): () => void
  /** For `luong probe`: asks the device about itself (versions, reply times) while it runs. Moves nothing; settles within 30 s. */
  probe?(): Promise<readonly ProbeFact[]>
  readonly points?: Points
  readonly barrier?: Barrier
  readonly signal?: Signal
  readonly camera?: Camera
  readonly scale?: Scale
  /** UHF tags in front of a reader. */
  readonly tag?: Reader
  /** QR and bar codes held before a scanner. */
  readonly code?: Reader
}

/** Channels of a board by name: `di1`…, `do1`… A site file refers to them as `DEVICE.POINT`, e.g. `io-1.di3`. */
export interface Points {
  readonly inputs: ReadonlyMap<string, InputPoint>
  readonly outputs: ReadonlyMap<string, OutputPoint>
}

export interface InputPoint {
  /** `io-1.di3` */
  readonly ref: string
  /** The level now, null when stale; `at` is when it was last confirmed (clock.mono ms). */
  read(): { value: Tri; at: number }
  /** Called on each change, also to and from null, with the mono ms at which the bytes came in. */
  onChange(fn: (value: Tri, at: number) => void): () => void
}

export interface CommandOptions {
  /** clock.mono ms after which the command must not reach the wire: it rejects with COMMAND_EXPIRED instead. */
  readonly deadline: number
  /**
   * Asked by whoever owns the wire (bus master, broker connection) in the same turn in which the bytes are handed over, and again
   * before every repeat. false: the command is not sent and rejects with DEVICE_REFUSED. For conditions that may
   * change while the command waits in a queue, such as a truck under the arm. Must not throw or wait. Not asked for the
   * switching off that ends a pulse.
   */
  readonly guard?: () => boolean
}

export interface OutputPoint {
  readonly ref: string
  /** Resolves when the device confirmed it; rejects with DEVICE_TIMEOUT, DEVICE_REFUSED, LINK_DOWN or COMMAND_EXPIRED. */
  set(on: boolean, options: CommandOptions): Promise<void>
  /** On for `ms`, then off by the device itself where it can (so that a dead gateway cannot leave it on). */
  pulse(ms: number, options: CommandOptions): Promise<void>
}

export type BarrierPosition = 'open' | 'closed' | 'moving' | 'unknown'

export interface Barrier {
  /** Sends the command; resolves when the relay board confirmed it, not when the arm has moved. */
  open(options: CommandOptions): Promise<void>
  /** Refused by the driver itself (DEVICE_REFUSED) while any of its presence inhibit inputs is on or unknown. */
  close(options: CommandOptions): Promise<void>
  /** Where the operator has a stop input. */
  stop?(options: CommandOptions): Promise<void>
  position(): BarrierPosition
  onPosition(fn: (position: BarrierPosition, at: number) => void): () => void
}

export type Aspect = 'red' | 'green' | 'amber' | 'off'

export interface Signal {
  show(aspect: Aspect, options: CommandOptions): Promise<void>
}

export interface Frame {
  readonly camera: string
  /** Encoded picture (JPEG, PNG, WebP) as it came. */
  readonly image: Uint8Array
  /** clock.mono ms when it came in. */
  readonly at: number
}

export interface Camera {
  onFrame(fn: (frame: Frame) => void): () => void
  /** Asks for a picture now, where the camera can be triggered. */
  trigger?(): void
}

export interface Weight {
  readonly kg: number
  readonly stable: boolean
  readonly overload: boolean
  /** Mono ms. */
  readonly at: number
  /** The raw frame, hex: legal metrology wants it kept. */
  readonly raw: string
}

export interface Scale {
  /** The last weight, or null when unknown or stale. */
  read(): Weight | null
  onWeight(fn: (weight: Weight | null) => void): () => void
}

/** One stay of a tag or code before a reader: however often it is read, it is one until it was not read for the reader's hold time. */
export interface Presence {
  /** A tag's EPC as upper-case hex; a code's text. */
  readonly text: string
  /** When it was first and last read, mono ms. */
  readonly first: number
  readonly last: number
  /** How often it was read. */
  readonly count: number
  /** The strongest read, in the reader's own unit (dBm, or 0…255): more is nearer. null: the reader does not say. */
  readonly rssi: number | null
  /** Antenna of the strongest read, from 1; null: the reader does not say. */
  readonly antenna: number | null
  /** The frame of the strongest read as it came, hex; tags only. */
  readonly raw?: string
}

export interface Reader {
  /** What is there now, the first come first; empty when nothing is, or nothing is known. */
  present(): readonly Presence[]
  /** Called when one comes (`there`) and, with its final numbers, when it is gone or the device is lost. */
  onPresence(fn: (presence: Presence, there: boolean) => void): () => void
}

/** What a driver is given to build a device. */
export interface DriverContext {
  readonly id: string
  readonly clock: Clock
  readonly log: Log
  /** The byte line named by the device's `link`; shared by all devices of that link, one owner (bus master) per line. */
  bytes(link: string): ByteTransport
  messages(link: string): MessageTransport
  /** One object per link and kind, made on first use: e.g. the Modbus master that owns a bus. */
  shared<T>(link: string, kind: string, make: () => T): T
  input(ref: string): InputPoint
  output(ref: string): OutputPoint
  /** The device that a point belongs to, so that what is wired to a board can say that the board is away. */
  board(ref: string): Pick<Device, 'id' | 'health' | 'onHealth'>
}

/** Topic filters from the device's side. */
export interface DeviceTopics {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** A driver in the registry: its schema is loaded with the config, its code only when a site uses it. */
export interface DriverEntry<S extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly schema: S
  /** What kind of device it is, so that a site cannot name a camera where a barrier belongs. Absent: not checked. */
  readonly provides?: 'points' | 'barrier' | 'signal' | 'camera' | 'scale' | 'tag' | 'code'
  /** Kinds of link it can be on. Absent: not checked. */
  readonly links?: readonly ('serial' | 'tcp' | 'mqtt' | 'memory')[]
  /** Refs of points (`io-1.di3`) and ids of devices and links the settings use, for cross-checks and start order. */
  uses(settings: z.infer<S>): { link?: string; inputs: string[]; outputs: string[] }
  /** Names of the points the device offers, for cross-checks. */
  offers?(settings: z.infer<S>): { inputs: string[]; outputs: string[] }
  /** What the device itself publishes and subscribes to on its MQTT link: a broker user for it may do this and nothing else. */
  topics?(settings: z.infer<S>): DeviceTopics
  load(): Promise<(settings: z.infer<S>, context: DriverContext) => Device>
  /** The other end, for simulation: `sim.ts` of the driver. */
  loadSim(): Promise<(settings: z.infer<S>, context: SimContext) => SimDevice>
}
