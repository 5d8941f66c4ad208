/**
 * The embedded broker in a thread of its own: whoever floods it takes neither the lanes' time nor their memory. A thread that ends by
 * itself or does not say anything any more is replaced, on the same ports and with the same accounts; clients connect again. What was
 * retained in it is gone then, as after a restart: those who said it say it again when they connect.
 */
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { fromWire } from '../kernel/wire-error.ts'
import { harmlessEnv, workerUrl } from '../kernel/worker-url.ts'
import type { KnownAccount } from './acl.ts'
import {
  type BrokerChange,
  type BrokerConfig,
  type BrokerStats,
  checkBroker,
  internalUrl,
  internalUser,
  type RunningBroker,
} from './config.ts'
import { noLimitHit } from './limits.ts'
import { portStream, streamEnds } from './port-stream.ts'
import type { BrokerThreadSettings, FromBroker, ToBroker } from './protocol.ts'
import { withAccess } from './roles.ts'

const START_MS = 20_000
const STOP_MS = 5_000
/** How often to look whether the thread has told its figures. Counted, not timed: who was stopped himself has heard nothing either. */
const LOOK_MS = 250
/**
 * Looks after which the gateway takes its own connections back: what devices say is older than it seems then, and what they are told comes
 * late. Inputs become unknown, as with any broker that is gone.
 */
const DEAF_LOOKS = 8
/** Looks after which the thread is replaced. */
const STUCK_LOOKS = 60
/** Who has lived so long may be replaced at once when it ends. */
const LIVED_MS = 60_000
const AGAIN_MS = 500
const AGAIN_MAX_MS = 30_000
/** What the thread's objects may take; buffers are outside of it, and bounded by the limits. Little room for young objects: their pictures go soon. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 }

const NO_STATS: BrokerStats = {
  clients: 0,
  connections: 0,
  published: 0,
  refused: 0,
  denied: 0,
  limited: noLimitHit(),
  retained: { topics: 0, bytes: 0, refused: 0 },
  hashed: 0,
}

export interface BrokerThreadOptions {
  readonly log: Log
  readonly clock: Clock
  /** How often to look whether the thread still says something, ms. */
  readonly lookMs?: number
}

/**
 * Starts the broker in a thread of its own.
 * @throws as startBroker
 */
export async function startBrokerThread(config: BrokerConfig, options: BrokerThreadOptions): Promise<RunningBroker> {
  checkBroker(config)
  const thread = new BrokerThread(config, options)
  await thread.start()
  return thread
}

type Listening = FromBroker & { kind: 'listening' }

export class BrokerThread implements RunningBroker {
  readonly #o: BrokerThreadOptions
  readonly #internal = internalUser()
  #config: BrokerConfig
  #worker: Worker | null = null
  #stats = NO_STATS
  /** The gateway's own connections. */
  readonly #streams = new Set<Duplex>()
  #silent = 0
  #since = 0
  readonly #backoff = new Backoff(AGAIN_MS, AGAIN_MAX_MS, () => 0)
  #timer: Timer | null = null
  #stopping: Promise<void> | null = null

  constructor(config: BrokerConfig, options: BrokerThreadOptions) {
    this.#config = config
    this.#o = options
  }

  get host(): string {
    return this.#config.host
  }
  get port(): number {
    return this.#config.port
  }
  get tlsPort(): number | null {
    return this.#config.tls?.port ?? null
  }
  get internal() {
    const { name, password } = this.#internal
    return { url: internalUrl(this.host, this.port), username: name, password, stream: () => this.#stream() }
  }

  /** Once. */
  async start(): Promise<void> {
    const { port, tlsPort } = await this.#listening(this.#make())
    // Whoever knows these ports finds the next thread there, too.
    const { tls } = this.#config
    this.#config = { ...this.#config, port, ...(tls && tlsPort !== null ? { tls: { ...tls, port: tlsPort } } : {}) }
    this.#watch()
  }

  #make(): Worker {
    const settings: BrokerThreadSettings = { config: this.#known(this.#config), internal: this.#internal }
    const worker = new Worker(workerUrl(import.meta.url, './worker.js'), {
      workerData: settings,
      env: harmlessEnv(),
      execArgv: [],
      resourceLimits: LIMITS,
    })
    this.#worker = worker
    this.#silent = 0
    this.#since = this.#o.clock.mono()
    return worker
  }

  /** Resolves when the new thread listens. */
  #listening(worker: Worker): Promise<Listening> {
    const { clock, log } = this.#o
    const listening = new Promise<Listening>((resolve, reject) => {
      worker.on('message', (message: FromBroker) => {
        this.#silent = 0
        if (message.kind === 'listening') resolve(message)
        else if (message.kind === 'failed') reject(fromWire(message.error))
        else if (message.kind === 'stats') this.#stats = message.stats
        else log[message.level](message.fields, message.message)
      })
      let why = 'it ended'
      worker.on('error', (error) => {
        why = error.message
      })
      worker.on('exit', () => {
        reject(new LuongError('STOPPED', `the broker's thread did not start: ${why}`))
        this.#ended(worker, why)
      })
    })
    return withDeadline(clock, listening, START_MS, () => {
      void worker.terminate()
      return new LuongError('STOPPED', `the broker's thread was not ready after ${START_MS / 1_000} s`)
    })
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#stats = NO_STATS
    // Not before the first has listened: then nobody relies on it yet.
    if (this.#stopping || !this.#timer) return
    if (this.#o.clock.mono() - this.#since > LIVED_MS) this.#backoff.reset()
    this.#later(why)
  }

  #later(why: string): void {
    const ms = this.#backoff.next()
    this.#o.log.error({ why, again_in_s: ms / 1_000 }, "the broker's thread ended; it is started again")
    this.#timer?.cancel()
    this.#timer = this.#o.clock.after(ms, () => void this.#replace())
  }

  async #replace(): Promise<void> {
    let worker: Worker
    try {
      worker = this.#make()
    } catch (error) {
      // The system has no thread to give: nothing ends that could be heard.
      this.#later(messageOf(error))
      return
    }
    try {
      await this.#listening(worker)
      if (!this.#stopping) this.#watch()
    } catch (error) {
      // Its end is heard.
      this.#o.log.error({ err: messageOf(error) }, 'broker')
    }
  }

  #watch(): void {
    const { clock, log, lookMs = LOOK_MS } = this.#o
    this.#timer?.cancel()
    this.#timer = clock.after(lookMs, () => {
      this.#silent++
      if (this.#silent === DEAF_LOOKS) {
        log.error({ ms: DEAF_LOOKS * lookMs }, "the broker's thread does not answer; the gateway's connections to it are closed")
        for (const stream of this.#streams) stream.destroy()
      } else if (this.#silent === STUCK_LOOKS) {
        log.error({ ms: STUCK_LOOKS * lookMs }, "the broker's thread is stuck; it is ended")
        void this.#worker?.terminate()
      }
      this.#watch()
    })
  }

  /** While no thread runs or answers, a stream that has ended already. */
  #stream(): Duplex {
    const [ours, theirs] = streamEnds()
    if (this.#worker && this.#silent < DEAF_LOOKS)
      this.#worker.postMessage({ kind: 'stream', end: theirs } satisfies ToBroker, [theirs.port])
    else theirs.port.close()
    const stream = portStream(ours)
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    return stream
  }

  stats(): BrokerStats {
    return this.#stats
  }

  /** The thread does not know the topic table. */
  #known<C extends BrokerChange>(change: C): Omit<C, 'users'> & { readonly users: readonly KnownAccount[] } {
    return { ...change, users: withAccess(change.users, this.#config) }
  }

  exchange(change: BrokerChange): void {
    const { tls } = this.#config
    const config = { ...this.#config, users: change.users, ...(change.limits ? { limits: change.limits } : {}) }
    const next = tls && change.tls ? { ...config, tls: { ...change.tls, host: tls.host, port: tls.port } } : config
    checkBroker(next)
    this.#config = next
    this.#worker?.postMessage({ kind: 'exchange', change: this.#known(change) } satisfies ToBroker)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#timer?.cancel()
    const worker = this.#worker
    if (!worker) return
    const gone = new Promise<void>((done) => worker.once('exit', () => done()))
    worker.postMessage({ kind: 'stop' } satisfies ToBroker)
    await withDeadline(this.#o.clock, gone, STOP_MS, () => new Error('late')).catch(() => worker.terminate())
  }
}
