/**
 * The one master of a Modbus line. Common libraries return a late answer as the answer to the next question, because RTU answers
 * carry no address; at a barrier that is a loop state from the past. Here an answer is only taken for the request that is under
 * way, and after a time-out or a bad frame the same question is not asked of that unit again until no old answer can come any more.
 */
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../gateway/kernel/errors.ts'
import type { CommandOptions } from '../driver.ts'
import type { ByteTransport } from '../transport/transport.ts'
import { decodeReply, encodeRequest, type Reply, type Request, replyLength } from './codec.ts'
import { type Expected, type Framing, rtuFraming, tcpFraming } from './framing.ts'

export interface MasterOptions {
  readonly transport: ByteTransport
  readonly framing: 'rtu' | 'tcp'
  readonly clock: Clock
  /** How long an answer may come after its time-out, ms. Silence that is kept after trouble. */
  readonly lateMs?: number
  /** Silence between an answer and the next request, ms; at least 3.5 characters where the line's speed is known. */
  readonly gapMs?: number
}

export interface Answer extends Reply {
  /** Mono ms at which the answer's last byte came in. */
  readonly at: number
}

export interface RequestOptions {
  /** The device must have answered this long after the request was sent, ms (wire time comes on top where the speed is known). */
  readonly timeoutMs: number
  /** For messages: `io-1 (unit 1)`. */
  readonly who: string
}

interface Job {
  readonly unit: number
  readonly request: Request
  readonly options: RequestOptions
  readonly command: CommandOptions | undefined
  /** Runs while it waits for the line; what is sent at once has none. */
  timer?: Timer
  readonly waiters: { resolve: (answer: Answer) => void; reject: (error: LuongError) => void }[]
}

function settle(job: Job, result: Answer | LuongError): void {
  job.timer?.cancel()
  for (const waiter of job.waiters) {
    if (result instanceof LuongError) waiter.reject(result)
    else waiter.resolve(result)
  }
}

export type ReadRequest = Request & { fc: 1 | 2 | 3 | 4 }
export type WriteRequest = Request & { fc: 5 | 6 | 15 | 16 }

const sameRead = (a: Request, b: ReadRequest) => a.fc === b.fc && a.addr === b.addr && 'count' in a && a.count === b.count

/** Writes that wait: more than this are refused (QUEUE_FULL). */
const MAX_WRITES = 32
/** Reads that wait: more than this are refused (QUEUE_FULL); equal reads that wait are one. */
const MAX_READS = 64
/** A read that could not be sent in this time is given up. */
const READ_WAIT_MS = 5_000
const MIN_GAP_MS = 5

/** Owns a line: one request at a time, writes before reads. Make one per link through `context.shared(link, 'modbus', …)`. */
export class ModbusMaster {
  /** requests, timeouts, bad_frames, late_replies, unexpected_bytes, expired. */
  readonly counters = { requests: 0, timeouts: 0, bad_frames: 0, late_replies: 0, unexpected_bytes: 0, expired: 0 }
  /** The state of the line, for health. */
  readonly line: Pick<ByteTransport, 'name' | 'up' | 'onState'>
  readonly #transport: ByteTransport
  readonly #clock: Clock
  readonly #framing: Framing
  readonly #lateMs: number
  readonly #gapMs: number
  readonly #writes: Job[] = []
  readonly #reads: Job[] = []
  /** Requests given up whose answers may still come. */
  #late: { expected: Expected; until: number }[] = []
  /** `due`: when it times out, mono ms. */
  #current: { job: Job; expected: Expected; timer: Timer; due: number } | undefined
  #holdUntil = 0
  #heardAt = 0
  #wake: Timer | undefined
  #transaction = 0
  #running = false
  #off: (() => void)[] = []

  constructor(options: MasterOptions) {
    this.line = options.transport
    this.#transport = options.transport
    this.#clock = options.clock
    this.#framing = options.framing === 'tcp' ? tcpFraming() : rtuFraming()
    this.#lateMs = options.lateMs ?? 300
    const t35 = options.transport.baud === undefined ? 0 : (3.5 * 11 * 1000) / options.transport.baud
    this.#gapMs = options.framing === 'tcp' ? 0 : Math.max(options.gapMs ?? MIN_GAP_MS, t35)
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#off = [
      this.#transport.onData((bytes) => this.#receive(bytes)),
      this.#transport.onState((up, why) => {
        if (up) this.#pump()
        else this.#failAll(new LuongError('LINK_DOWN', why ?? `${this.#transport.name} is not connected`))
      }),
    ]
  }

  /** Everything that waits rejects with STOPPED. */
  stop(): void {
    if (!this.#running) return
    this.#running = false
    for (const off of this.#off) off()
    this.#failAll(new LuongError('STOPPED', `${this.#transport.name}: the bus is stopping`))
    this.#wake?.cancel()
    this.#wake = undefined
  }

  /**
   * Reads. A read equal to one that still waits joins it. Rejects with DEVICE_TIMEOUT, DEVICE_REFUSED, FRAME_INVALID, LINK_DOWN,
   * QUEUE_FULL or STOPPED.
   */
  read(unit: number, request: ReadRequest, options: RequestOptions): Promise<Answer> {
    const same = this.#reads.find((job) => job.unit === unit && sameRead(job.request, request))
    if (same) return new Promise((resolve, reject) => same.waiters.push({ resolve, reject }))
    const late = () => new LuongError('DEVICE_TIMEOUT', `${options.who}: the bus was not free for ${READ_WAIT_MS} ms`)
    return this.#enqueue(this.#reads, MAX_READS, { unit, request, options, command: undefined }, READ_WAIT_MS, late)
  }

  /**
   * Writes, before any read. Past `command.deadline` nothing reaches the wire (COMMAND_EXPIRED); `command.guard` is asked in the turn in
   * which the bytes are handed over (DEVICE_REFUSED when false). Never repeated by the master.
   */
  write(unit: number, request: WriteRequest, options: RequestOptions, command: CommandOptions): Promise<Answer> {
    const left = command.deadline - this.#clock.mono()
    const late = () => this.#expired(options.who)
    if (!(left > 0)) return Promise.reject(late())
    return this.#enqueue(this.#writes, MAX_WRITES, { unit, request, options, command }, left, late)
  }

  #expired(who: string): LuongError {
    this.counters.expired++
    return new LuongError('COMMAND_EXPIRED', `${who}: the command was not on the wire by its deadline and was dropped`)
  }

  #enqueue(queue: Job[], max: number, what: Pick<Job, 'unit' | 'request' | 'options' | 'command'>, waitMs: number, late: () => LuongError) {
    const { who } = what.options
    if (!this.#running) return Promise.reject(new LuongError('STOPPED', `${who}: the bus is not running`))
    if (!this.#transport.up) return Promise.reject(new LuongError('LINK_DOWN', `${who}: ${this.#transport.name} is not connected`))
    if (queue.length >= max) return Promise.reject(new LuongError('QUEUE_FULL', `${who}: ${max} requests wait for the bus already`))
    return new Promise<Answer>((resolve, reject) => {
      const job: Job = { ...what, waiters: [{ resolve, reject }] }
      queue.push(job)
      this.#pump()
      if (!queue.includes(job)) return
      job.timer = this.#clock.after(waitMs, () => {
        const i = queue.indexOf(job)
        if (i < 0) return
        queue.splice(i, 1)
        settle(job, late())
        this.#pump()
      })
    })
  }

  /** Sends the next request that may be sent, or sets the clock for when one may. */
  #pump(): void {
    if (this.#current || !this.#running || !this.#transport.up) return
    this.#wake?.cancel()
    this.#wake = undefined
    if (this.#writes.length === 0 && this.#reads.length === 0) return
    const now = this.#clock.mono()
    this.#late = this.#late.filter((l) => l.until > now)
    const job = now < this.#holdUntil ? undefined : (this.#take(this.#writes) ?? this.#take(this.#reads))
    if (!job) {
      this.#wakeAt(now < this.#holdUntil ? this.#holdUntil : Math.min(...this.#late.map((l) => l.until)))
      return
    }
    const refused = this.#refusal(job, now)
    if (refused) {
      settle(job, refused)
      this.#pump()
    } else {
      this.#send(job)
    }
  }

  #wakeAt(at: number): void {
    this.#wake = this.#clock.after(Math.max(0, at - this.#clock.mono()), () => {
      this.#wake = undefined
      this.#pump()
    })
  }

  /** Takes the first job that no old answer can be mistaken for. Writes of one unit keep their order. */
  #take(queue: Job[]): Job | undefined {
    const held = new Set<number>()
    for (let i = 0; i < queue.length; i++) {
      const job = queue[i]!
      if (held.has(job.unit)) continue
      const quiet = this.#late.some((l) => l.expected.unit === job.unit && l.expected.fc === job.request.fc)
      if (!quiet) return queue.splice(i, 1)[0]
      if (queue === this.#writes) held.add(job.unit)
    }
    return undefined
  }

  /** The last look before the wire. */
  #refusal(job: Job, now: number): LuongError | undefined {
    if (!job.command) return undefined
    if (now > job.command.deadline) return this.#expired(job.options.who)
    if (job.command.guard && !job.command.guard()) {
      return new LuongError('DEVICE_REFUSED', `${job.options.who}: not sent, an inhibit came up while the command waited`)
    }
    return undefined
  }

  #send(job: Job): void {
    const { unit, request } = job
    // The beginning of a frame whose rest never came must not stand before the answer. A TCP stream may pause inside a frame.
    if (this.#framing.ambiguous || this.#clock.mono() - this.#heardAt > this.#lateMs) this.#framing.clear()
    this.#transaction = (this.#transaction + 1) & 0xffff
    const expected: Expected = { unit, fc: request.fc, length: replyLength(request), transaction: this.#transaction }
    const frame = this.#framing.frame(expected, encodeRequest(request))
    const baud = this.#transport.baud
    const wireMs = baud === undefined ? 0 : ((frame.length + expected.length + 3) * 11_000) / baud
    job.timer?.cancel()
    this.counters.requests++
    const due = this.#clock.mono() + job.options.timeoutMs + wireMs
    const timer = this.#clock.after(job.options.timeoutMs + wireMs, () => {
      this.counters.timeouts++
      this.#giveUp(new LuongError('DEVICE_TIMEOUT', `${job.options.who} did not answer within ${job.options.timeoutMs} ms`))
    })
    const mine = { job, expected, timer, due }
    this.#current = mine
    this.#transport.write(frame).catch((error) => {
      if (this.#current === mine) this.#giveUp(new LuongError('LINK_DOWN', messageOf(error), { cause: error }))
    })
  }

  #receive(bytes: Uint8Array): void {
    const at = this.#clock.mono()
    this.#late = this.#late.filter((l) => l.until > at)
    this.#heardAt = at
    this.#holdUntil = at + this.#gapMs
    this.#framing.push(bytes)
    for (;;) {
      const current = this.#current
      const late = this.#late.map((l) => l.expected)
      const got = this.#framing.next(current?.expected, late)
      if (got.kind === 'more') return
      if (got.kind === 'late') this.counters.late_replies++
      else if (got.kind === 'answer' && current) this.#answer(current.job, current.expected, got.pdu, at)
      else if (got.kind === 'bad') this.#bad(got.why)
    }
  }

  #answer(job: Job, expected: Expected, pdu: Uint8Array, at: number): void {
    try {
      const reply = decodeReply(job.request, pdu, job.options.who)
      this.#finish({ ...reply, at })
    } catch (error) {
      const known = error instanceof LuongError ? error : new LuongError('FRAME_INVALID', `unit ${expected.unit}: ${messageOf(error)}`)
      if (known.code === 'DEVICE_REFUSED') {
        this.#finish(known)
        return
      }
      this.counters.bad_frames++
      this.#giveUp(known)
    }
  }

  #bad(why: string): void {
    const current = this.#current
    // Unknown bytes may be the beginning of an old answer: the wait for silence begins anew.
    const until = this.#clock.mono() + this.#lateMs
    this.#late = this.#late.map((l) => ({ ...l, until: Math.max(l.until, until) }))
    if (!current) {
      this.counters.unexpected_bytes++
      this.#pump()
      return
    }
    this.counters.bad_frames++
    this.#giveUp(new LuongError('FRAME_INVALID', `${current.job.options.who}: ${why}`))
  }

  /** The request under way has failed and its answer may still come. */
  #giveUp(error: LuongError): void {
    const current = this.#current
    if (!current) return
    this.#framing.clear()
    const now = this.#clock.mono()
    this.#holdUntil = Math.max(this.#holdUntil, now + this.#gapMs)
    // Given up early, for a foreign frame say: the device has its whole time to answer all the same.
    if (this.#framing.ambiguous) this.#late.push({ expected: current.expected, until: Math.max(now, current.due) + this.#lateMs })
    this.#finish(error)
  }

  #finish(result: Answer | LuongError): void {
    const current = this.#current
    if (!current) return
    this.#current = undefined
    current.timer.cancel()
    settle(current.job, result)
    this.#pump()
  }

  #failAll(error: LuongError): void {
    this.#giveUp(error)
    this.#framing.clear()
    for (const queue of [this.#writes, this.#reads]) for (const job of queue.splice(0)) settle(job, error)
  }
}
