/** A byte line that is opened again whenever it is lost: what serial ports and sockets have in common. */
import { type Clock, type Timer, withDeadline } from '../../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../../gateway/kernel/errors.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { Backoff } from './backoff.ts'
import { LinkState } from './link-state.ts'
import type { ByteTransport } from './transport.ts'

/** One open port or socket. */
export interface Connection {
  /** Resolves when the bytes are handed to the system. */
  write(bytes: Uint8Array): Promise<void>
  /** Settles soon; never calls back afterwards. */
  close(): Promise<void>
}

export interface ConnectionEvents {
  data(bytes: Uint8Array): void
  /** The connection is lost; `why` in words. */
  lost(why: string): void
}

export interface ReconnectingOptions {
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Opens once: resolves when usable, rejects with words for people. Must settle within a bounded time, at once when aborted. */
  readonly open: (events: ConnectionEvents, signal: AbortSignal) => Promise<Connection>
  readonly backoff?: Backoff
  readonly baud?: number
}

/** A system that takes no bytes for this long has lost its device. */
const WRITE_MS = 1_000
/** A connection that lived this long was a good one: the next loss starts with the shortest wait again. */
const GOOD_MS = 3_000
/** More bytes than this not yet taken by the system: the peer does not read. */
const MAX_PENDING = 64 * 1024

/** Makes a transport that opens with {@link ReconnectingOptions.open} until it is stopped, waiting longer after each failure. */
export function reconnecting(options: ReconnectingOptions): ByteTransport {
  const { name, clock, log } = options
  const backoff = options.backoff ?? new Backoff()
  const state = new LinkState()
  const data = new Listeners<[Uint8Array]>()
  let connection: Connection | undefined
  let attempt: { abort: AbortController; done: Promise<void> } | undefined
  let retry: Timer | undefined
  let running = false
  let since = 0
  let pending = 0
  let lastWhy = ''

  const again = () => {
    if (!running || retry) return
    retry = clock.after(backoff.next(), () => {
      retry = undefined
      if (running) connect()
    })
  }
  const lose = (lost: Connection, why: string) => {
    if (connection !== lost) return
    connection = undefined
    pending = 0
    if (clock.mono() - since >= GOOD_MS) backoff.reset()
    log.warn({ link: name, why }, 'link lost')
    state.set(false, why)
    lost.close().catch((error) => log.debug({ link: name, err: messageOf(error) }, 'closing'))
    again()
  }
  const connect = () => {
    const abort = new AbortController()
    // The loss of a connection may be reported before `open` has handed it over.
    let mine: Connection | undefined
    let lostEarly: string | undefined
    const events: ConnectionEvents = {
      data: (bytes) => {
        if (mine !== undefined && mine === connection) data.emit(bytes)
      },
      lost: (why) => {
        if (mine) lose(mine, why)
        else lostEarly = why
      },
    }
    const done = options.open(events, abort.signal).then(
      async (opened) => {
        attempt = undefined
        if (!running || lostEarly !== undefined) {
          await opened.close().catch(() => {})
          return again()
        }
        mine = opened
        connection = opened
        since = clock.mono()
        lastWhy = ''
        log.info({ link: name }, 'link up')
        state.set(true)
      },
      (error) => {
        attempt = undefined
        if (!running) return
        const why = messageOf(error)
        // The same failure is said once, not at every attempt.
        if (why !== lastWhy) log.warn({ link: name, why }, 'link cannot be opened; trying again')
        lastWhy = why
        state.fail(why)
        again()
      },
    )
    attempt = { abort, done }
  }

  return {
    name,
    ...(options.baud === undefined ? {} : { baud: options.baud }),
    get up() {
      return state.up
    },
    start() {
      if (running) return
      running = true
      // A stop that is still closing the old connection finishes first: one owner per port.
      if (attempt) attempt.done.then(() => running && !connection && !attempt && connect())
      else connect()
    },
    async stop() {
      running = false
      retry?.cancel()
      retry = undefined
      const open = connection
      connection = undefined
      pending = 0
      backoff.reset()
      state.set(false, `${name}: stopped`)
      attempt?.abort.abort()
      await Promise.all([attempt?.done, open?.close().catch(() => {})])
    },
    async write(bytes) {
      const open = connection
      if (!open) throw new LuongError('LINK_DOWN', `${name} is not connected`)
      const full = () => new LuongError('LINK_DOWN', `${name} takes no more bytes: the device or its adapter hangs`)
      pending += bytes.length
      try {
        if (pending > MAX_PENDING) throw full()
        await withDeadline(clock, open.write(bytes), WRITE_MS, full)
      } catch (error) {
        lose(open, messageOf(error))
        throw error instanceof LuongError ? error : new LuongError('LINK_DOWN', `${name}: ${messageOf(error)}`, { cause: error })
      } finally {
        if (connection === open) pending -= bytes.length
      }
    },
    onData: (fn) => data.add(fn),
    onState: (fn) => state.on(fn),
  }
}
