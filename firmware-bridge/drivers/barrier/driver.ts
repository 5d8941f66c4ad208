/**
 * A barrier operator driven through dry contacts. The operator's own certified safety circuit stays in charge of people; this
 * driver only adds: never close while a safety input is on, unknown or stale, looked at when the bytes leave, not when asked.
 * It moves nothing on start and leaves every output as it is on stop: a hold barrier must not come down because the
 * gateway ends. (A hold barrier does come down when its relay board loses power: choose a pulse operator where that matters.)
 */
import type { Timer } from '../../../gateway/kernel/clock.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { Boards } from '../../boards.ts'
import type {
  Barrier,
  BarrierPosition,
  CommandOptions,
  Device,
  DeviceHealth,
  DriverContext,
  InputPoint,
  OutputPoint,
  Tri,
} from '../../driver.ts'
import { HealthBox } from '../../health.ts'
import { positionOf } from './position.ts'
import type { Settings } from './schema.ts'

type Motion = 'open' | 'close' | 'stop'

/** How long switching a relay off may take, and the pause before it is tried again. */
const RELEASE_MS = 1_000

export function createBarrier(settings: Settings, context: DriverContext): Device {
  return new BarrierDevice(settings, context)
}

class BarrierDevice implements Device {
  readonly id: string
  readonly barrier: Barrier
  readonly #settings: Settings
  readonly #context: DriverContext
  readonly #health = new HealthBox(['opens', 'closes', 'refused', 'failed'])
  readonly #positions = new Listeners<[BarrierPosition, number]>()
  readonly #inhibits: readonly InputPoint[]
  readonly #openLimit: InputPoint | undefined
  readonly #closedLimit: InputPoint | undefined
  readonly #relays: { readonly open: OutputPoint; readonly close: OutputPoint | undefined; readonly stop: OutputPoint | undefined }
  readonly #boards: Boards
  #running = false
  #unsubscribe: (() => void)[] = []
  /** Number of the latest command: an older one still waiting in a queue is not sent any more. */
  #turn = 0
  #position: BarrierPosition = 'unknown'
  /** What commands and the travel time say. */
  #derived: BarrierPosition = 'unknown'
  #travel: Timer | undefined
  /** Mono ms until which a relay may still be on from its last pulse. */
  readonly #pulseEnds = { open: 0, close: 0, stop: 0 }

  constructor(settings: Settings, context: DriverContext) {
    const input = (ref: string | undefined) => (ref === undefined ? undefined : context.input(ref))
    const output = (ref: string | undefined) => (ref === undefined ? undefined : context.output(ref))
    this.id = context.id
    this.#settings = settings
    this.#context = context
    this.#inhibits = settings.inhibit.map((ref) => context.input(ref))
    this.#openLimit = input(settings.open_limit)
    this.#closedLimit = input(settings.closed_limit)
    this.#boards = new Boards(context, [settings.open, settings.close, settings.stop])
    this.#relays = { open: context.output(settings.open), close: output(settings.close), stop: output(settings.stop) }
    this.barrier = {
      open: (options) => this.#command('open', options),
      close: (options) => this.#command('close', options),
      position: () => this.#position,
      onPosition: (fn) => this.#positions.add(fn),
      ...(settings.stop === undefined ? {} : { stop: (options: CommandOptions) => this.#command('stop', options) }),
    }
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    const looked = (_value: Tri, at: number) => this.#look(at)
    for (const point of [this.#openLimit, this.#closedLimit, ...this.#inhibits]) {
      if (point !== undefined) this.#unsubscribe.push(point.onChange(looked))
    }
    this.#unsubscribe.push(this.#boards.onHealth(() => this.#look(this.#context.clock.mono())))
    this.#look(this.#context.clock.mono())
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#turn++
    for (const off of this.#unsubscribe) off()
    this.#unsubscribe = []
    this.#travel?.cancel()
    this.#travel = undefined
    this.#derived = 'unknown'
    this.#become('unknown', this.#context.clock.mono())
    this.#health.set('down', `${this.id}: stopped`)
  }

  health(): DeviceHealth {
    return this.#health.get()
  }

  onHealth(fn: (health: DeviceHealth) => void): () => void {
    return this.#health.on(fn)
  }

  async #command(motion: Motion, options: CommandOptions): Promise<void> {
    const turn = ++this.#turn
    let why: string | undefined
    let passed = 0
    const guard = () => {
      why = this.#objection(motion, turn)
      if (why === undefined && options.guard?.() === false) why = `${this.id}: ${motion} was withdrawn while it waited`
      if (why === undefined) passed++
      return why === undefined
    }
    if (!this.#running) throw new LuongError('STOPPED', `${this.id}: ${motion} came while the barrier is stopped`)
    try {
      if (!guard()) throw new LuongError('DEVICE_REFUSED', why ?? motion)
      await this.#send(motion, { deadline: options.deadline, guard })
    } catch (error) {
      if (why !== undefined) {
        this.#health.count('refused')
        // Besides the look above, the wire's owner was let through once and refused only the repeat: the first try may have arrived.
        if (passed > 1) this.#lost()
        throw new LuongError('DEVICE_REFUSED', why, { hint: 'Free the input, or check its device and wiring; then send it again.' })
      }
      this.#health.count('failed')
      if (mayHaveMoved(error)) this.#lost()
      throw error
    }
    if (motion === 'stop') this.#lost()
    else {
      this.#health.count(motion === 'open' ? 'opens' : 'closes')
      // A newer command was given while this one was under way: that one says where the arm goes.
      if (turn === this.#turn) this.#moving(motion === 'open' ? 'open' : 'closed')
    }
  }

  async #send(motion: Motion, options: CommandOptions): Promise<void> {
    if (this.#settings.kind === 'hold' && motion !== 'stop') return this.#relays.open.set(motion === 'open', options)
    const ms = this.#settings.pulse_ms
    const relay = this.#relays[motion]
    if (relay === undefined) throw new LuongError('DEVICE_REFUSED', `${this.id}: there is no ${motion} relay`)
    // Two contacts closed at once mean different things to different operators, so the other pulse is cut short. Open is
    // never made to wait for that; close is.
    if (motion === 'close') this.#release('open')
    this.#pulseEnds[motion] = options.deadline + ms
    const sent = relay.pulse(ms, options)
    if (motion === 'open') this.#release('close')
    await sent
    this.#pulseEnds[motion] = this.#context.clock.mono() + ms
  }

  /** Cuts a pulse short that may still be on; tried until it is confirmed, or the relay is wanted again. */
  #release(motion: 'open' | 'close'): void {
    const { clock } = this.#context
    if (this.#pulseEnds[motion] <= clock.mono()) return
    this.#pulseEnds[motion] = 0
    const off = () => {
      if (!this.#running || this.#pulseEnds[motion] !== 0) return
      this.#relays[motion]?.set(false, { deadline: clock.mono() + RELEASE_MS }).catch(() => {
        this.#health.count('failed')
        clock.after(RELEASE_MS, off)
      })
    }
    off()
  }

  /** Why `motion` may not be sent now; undefined when it may. */
  #objection(motion: Motion, turn: number): string | undefined {
    if (!this.#running) return `${this.id}: ${motion} was dropped because the barrier is stopping`
    if (turn !== this.#turn) return `${this.id}: ${motion} was replaced by a newer command before it was sent`
    if (motion !== 'close') return undefined
    for (const input of this.#inhibits) {
      const { value } = input.read()
      if (value === true) return `${this.id}: close refused, safety input ${input.ref} is on`
      if (value === null) return `${this.id}: close refused, safety input ${input.ref} is unknown`
    }
    return undefined
  }

  /** The arm is on its way to `end`; limits, where fitted, say more. */
  #moving(end: 'open' | 'closed'): void {
    this.#travel?.cancel()
    this.#derived = 'moving'
    this.#travel = this.#context.clock.after(this.#settings.travel_ms, () => {
      this.#travel = undefined
      this.#derived = end
      this.#look(this.#context.clock.mono())
    })
    this.#look(this.#context.clock.mono())
  }

  /** The arm may be anywhere. */
  #lost(): void {
    this.#travel?.cancel()
    this.#travel = undefined
    this.#derived = 'unknown'
    this.#look(this.#context.clock.mono())
  }

  /** Reads limits and safety inputs; tells position and health where they changed. */
  #look(at: number): void {
    if (!this.#running) return
    const open = this.#openLimit?.read().value
    const closed = this.#closedLimit?.read().value
    const away = this.#boards.away()
    // A board that was away may have dropped its relays, and with them a hold barrier's arm.
    if (open === null || closed === null || away !== undefined) {
      this.#travel?.cancel()
      this.#travel = undefined
      this.#derived = 'unknown'
    }
    // With one limit, the other end is known by command only. Unless a command is under way, the limit overrules it.
    else if (this.#travel === undefined && (open || closed)) this.#derived = open ? 'open' : 'closed'
    this.#tellHealth(open, closed, away)
    this.#become(positionOf(open, closed, this.#derived), at)
  }

  #become(position: BarrierPosition, at: number): void {
    if (position === this.#position) return
    this.#position = position
    this.#positions.emit(position, at)
  }

  #tellHealth(open: Tri | undefined, closed: Tri | undefined, away: string | undefined): void {
    const unknown = [this.#openLimit, this.#closedLimit, ...this.#inhibits].find((point) => point?.read().value === null)
    if (open && closed)
      this.#health.set(
        'degraded',
        `${this.id}: both limits ${this.#openLimit?.ref} and ${this.#closedLimit?.ref} are on; check the limit switches and their wiring`,
      )
    else if (away !== undefined) this.#health.set('down', `${this.id}: its relay board is away: ${away}`)
    else if (unknown) this.#health.set('degraded', `${this.id}: input ${unknown.ref} is unknown; check its device`)
    else this.#health.set('ok')
  }
}

/** Whether the relay board may have carried the command out although it failed. */
function mayHaveMoved(error: unknown): boolean {
  if (!(error instanceof LuongError)) return true
  return !['COMMAND_EXPIRED', 'DEVICE_REFUSED', 'QUEUE_FULL', 'STOPPED'].includes(error.code)
}
