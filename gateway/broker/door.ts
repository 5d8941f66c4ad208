/** Who gets as far as CONNECT: connections by number and by rate, before a byte is read or a handshake begun. */
import type { Socket } from 'node:net'
import { Bucket } from '../kernel/bucket.ts'
import { type BrokerLimits, BURST_S, type LimitKind } from './limits.ts'
import { isLoopback } from './listen.ts'

/** Addresses that are remembered; more than this at once, and all begin anew. */
const ADDRESSES = 4_096
const FEW = 16
/** This machine's own programs may connect so much faster. */
const LOCAL_FACTOR = 10

export class Door {
  readonly #limits: () => BrokerLimits
  readonly #sockets = new Set<Socket>()
  readonly #rates = new Map<string, Bucket>()
  /** Accepted, and not yet known by name: their addresses, by address and port. */
  readonly #strangers = new Map<string, string>()

  constructor(limits: () => BrokerLimits) {
    this.#limits = limits
  }

  get open(): ReadonlySet<Socket> {
    return this.#sockets
  }

  /** Null: it is in. Otherwise what is too much, and the socket is destroyed. @param now mono, ms */
  enter(socket: Socket, now: number): LimitKind | null {
    const from = socket.remoteAddress ?? '?'
    const refused = this.#refusal(from, now)
    socket.on('error', () => {})
    if (refused) {
      socket.destroy()
      return refused
    }
    this.#sockets.add(socket)
    const stranger = ends(socket)
    this.#strangers.set(stranger, from)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#strangers.delete(stranger)
    })
    return null
  }

  /** The limits are others now, also for addresses that are known. */
  exchange(now: number): void {
    for (const [address, rate] of this.#rates) {
      const perS = this.#perS(address)
      rate.change(perS, perS * BURST_S, now)
    }
  }

  #perS(from: string): number {
    return this.#limits().connectsPerS * (isLoopback(from) ? LOCAL_FACTOR : 1)
  }

  /** It has said who it is. The TLS socket over one that has entered will do as well. */
  known(socket: Socket): void {
    this.#strangers.delete(ends(socket))
  }

  /** Forgets addresses that have been quiet. */
  sweep(now: number): void {
    for (const [address, rate] of this.#rates) if (rate.full(now)) this.#rates.delete(address)
  }

  #refusal(from: string, now: number): LimitKind | null {
    const { clients, perAddress } = this.#limits()
    const local = isLoopback(from)
    if (this.#sockets.size >= clients) return 'connections'
    const strangers = [...this.#strangers.values()].filter((address) => address === from).length
    // Half of the places at most are taken by somebody who never says who he is.
    if (strangers >= Math.max(clients / 2, FEW)) return 'per_address'
    if (!local && [...this.#sockets].filter((s) => s.remoteAddress === from).length >= perAddress) return 'per_address'
    const perS = this.#perS(from)
    if (this.#rates.size >= ADDRESSES) this.#rates.clear()
    const rate = this.#rates.get(from) ?? new Bucket(perS, perS * BURST_S, now)
    this.#rates.set(from, rate)
    if (rate.wait(now) > 0) return 'connect_rate'
    rate.take(1, now)
    return null
  }
}

const ends = (socket: Socket) => `${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`
