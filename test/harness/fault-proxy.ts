/** A TCP line between a client and a broker that fails in the ways lines fail. What it does to a connection never heals: the next one is good. */
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net'

/**
 * - `cut`: both ends are closed in order.
 * - `reset`: both ends get RST.
 * - `hang`: half-open: nothing comes through any more and nobody is told.
 * - `delay`: everything is held for a while, then goes on.
 * - `deaf`: what goes to the broker arrives; its answers do not, and with the first one lost the line breaks. The broker has acknowledged.
 * - `torn`: the line breaks in the middle of what is sent next, most often in mid-packet.
 */
export const FAULTS = ['cut', 'reset', 'hang', 'delay', 'deaf', 'torn'] as const
export type Fault = (typeof FAULTS)[number]

interface Pair {
  readonly near: Socket
  readonly far: Socket
  fault: Fault | null
  held: (() => void)[]
}

export class FaultProxy {
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #server: Server | undefined
  #port = 0
  #away = false

  /** @param target port of the broker on this machine */
  constructor(target: number) {
    this.#target = target
  }

  async start(): Promise<void> {
    const server = createServer((near) => this.#accept(near))
    this.#server = server
    await new Promise<void>((done, fail) => {
      server.once('error', fail)
      server.listen(0, '127.0.0.1', done)
    })
    const address = server.address()
    this.#port = typeof address === 'object' && address ? address.port : 0
  }

  get port(): number {
    return this.#port
  }
  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`
  }
  /** Connections at present. */
  get open(): number {
    return this.#pairs.size
  }

  /** What happens to the connections that there are. Returns whether there was one. */
  strike(fault: Fault, ms = 50): boolean {
    for (const pair of this.#pairs) this.#strike(pair, fault, ms)
    return this.#pairs.size > 0
  }

  /** The line is away: connections break, new ones are closed at once, until it is called with false. */
  away(on: boolean): void {
    this.#away = on
    if (on) this.strike('reset')
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const pair of this.#pairs) this.#end(pair)
    await new Promise((done) => (this.#server ? this.#server.close(done) : done(null)))
  }

  #accept(near: Socket): void {
    if (this.#away) {
      near.resetAndDestroy()
      return
    }
    const far = netConnect(this.#target, '127.0.0.1')
    const pair: Pair = { near, far, fault: null, held: [] }
    this.#pairs.add(pair)
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    near.on('data', (data) => this.#pass(pair, far, data))
    far.on('data', (data) => this.#pass(pair, near, data))
    near.on('close', () => {
      // A line that hangs tells nobody: the broker keeps its end until it finds out by itself.
      if (pair.fault !== 'hang') far.destroy()
      this.#pairs.delete(pair)
    })
    far.on('close', () => {
      if (pair.fault !== 'hang') near.destroy()
    })
  }

  #pass(pair: Pair, to: Socket, data: Buffer): void {
    if (pair.fault === 'hang') return
    if (pair.fault === 'delay') pair.held.push(() => to.write(data))
    else if (pair.fault === 'deaf' && to === pair.near) this.#end(pair)
    else if (pair.fault === 'torn' && to === pair.far) {
      to.write(data.subarray(0, Math.ceil(data.length / 2)), () => this.#end(pair))
      pair.fault = 'hang'
    } else to.write(data)
  }

  #strike(pair: Pair, fault: Fault, ms: number): void {
    // What hangs, hangs. What was held by an earlier fault is lost with this one.
    if (pair.fault === 'hang') return
    pair.held = []
    if (fault === 'cut') {
      pair.near.end()
      pair.far.end()
    } else if (fault === 'reset') this.#end(pair)
    else pair.fault = fault
    if (fault !== 'delay') return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (pair.fault !== 'delay') return
      pair.fault = null
      for (const go of pair.held.splice(0)) go()
    }, ms)
    this.#timers.add(timer)
  }

  #end(pair: Pair): void {
    pair.near.resetAndDestroy()
    pair.far.resetAndDestroy()
    this.#pairs.delete(pair)
  }
}
