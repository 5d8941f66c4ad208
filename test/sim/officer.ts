/** The simulated exception desk: answers referred trucks after a while, and waves turned away ones back, so that lanes do not block for ever. */

import type { Message, MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { between, chance, type Rng, rng } from './random.ts'

export interface OfficerOptions {
  /** Seconds until the desk answers, at least and at most. Default 4…12. */
  readonly delay_s?: readonly [number, number]
  /** Share of referred trucks that are let through after a look. Never one that is detained. Default 0.5. */
  readonly lenient?: number
}

/** At most one answer under way per lane; a newer referral replaces it. */
export class OfficerSim {
  readonly #messages: MessageTransport
  readonly #base: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #r: Rng
  readonly #o: OfficerOptions
  readonly #sendBack: (lane: string) => void
  readonly #answers = new Map<string, Timer>()
  readonly #session: string
  #off: (() => void) | null = null
  #count = 0

  constructor(options: {
    messages: MessageTransport
    /** `{root}/{site}` */
    base: string
    clock: Clock
    log: Log
    seed: string | number
    officer: OfficerOptions
    /** The truck at that lane's stop line was refused. */
    sendBack: (lane: string) => void
  }) {
    this.#messages = options.messages
    this.#base = options.base
    this.#clock = options.clock
    this.#log = options.log
    this.#r = rng(options.seed, 'officer')
    this.#o = options.officer
    this.#sendBack = options.sendBack
    // Command ids are unique for ever, also over a second simulation on the same broker.
    this.#session = Math.round(options.clock.now()).toString(36)
  }

  start(): void {
    this.#off ??= this.#messages.subscribe(`${this.#base}/lane/+/event`, (message) => this.#heard(message))
  }

  stop(): void {
    this.#off?.()
    this.#off = null
    for (const timer of this.#answers.values()) timer.cancel()
    this.#answers.clear()
  }

  #heard(message: Message): void {
    if (message.retained) return
    const event = parse(message.payload)
    const lane = event?.data?.lane
    if (!event || typeof lane !== 'string' || event.data?.historical === true) return
    if (event.type === 'luong.passage.referred.v1') this.#referred(lane, event)
    else if (event.type === 'luong.command.accepted.v1' && event.data?.do === 'refuse') this.#sendBack(lane)
    else if (event.type === 'luong.passage.decided.v1' && /^(refuse|redirect)$/.test(outcomeOf(event))) this.#sendBack(lane)
    else if (/^luong\.passage\.(cleared|refused|redirected|aborted)\./.test(event.type ?? '')) this.#drop(lane)
  }

  #referred(lane: string, event: Heard): void {
    this.#drop(lane)
    const [low, high] = this.#o.delay_s ?? [4, 12]
    const detained = /detain/.test(JSON.stringify(event.data?.decision ?? null))
    const open = !detained && chance(this.#r, this.#o.lenient ?? 0.5)
    const passage = typeof event.data?.passage === 'string' ? event.data.passage : undefined
    this.#answers.set(
      lane,
      this.#clock.after(between(this.#r, low, high) * 1000, () => {
        this.#answers.delete(lane)
        this.#answer(lane, open, passage)
      }),
    )
  }

  #answer(lane: string, open: boolean, passage: string | undefined): void {
    const command = {
      id: `desk-${this.#session}-${++this.#count}`,
      lane,
      do: open ? 'open' : 'refuse',
      by: 'simulated officer',
      reason: open ? 'papers seen, vehicle agrees' : 'papers missing',
      expires: new Date(this.#clock.now() + 60_000).toISOString(),
      ...(passage === undefined ? {} : { passage }),
    }
    this.#clock
      .track(this.#messages.publish(`${this.#base}/command`, JSON.stringify(command), { qos: 1, retain: false }))
      .catch((error) => this.#log.warn({ lane, err: messageOf(error) }, 'the desk could not send its answer'))
  }

  #drop(lane: string): void {
    this.#answers.get(lane)?.cancel()
    this.#answers.delete(lane)
  }
}

interface Heard {
  readonly type?: string
  readonly data?: {
    readonly lane?: unknown
    readonly passage?: unknown
    readonly decision?: unknown
    readonly historical?: unknown
    readonly do?: unknown
  }
}

function outcomeOf(event: Heard): string {
  const decision = event.data?.decision
  return typeof decision === 'object' && decision !== null && 'outcome' in decision ? String(decision.outcome) : ''
}

function parse(payload: Uint8Array): Heard | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Heard) : null
  } catch {
    return null
  }
}
