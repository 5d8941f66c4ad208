/** A TCP connection to a serial device server or a Modbus TCP board. */
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../gateway/kernel/clock.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import type { Backoff } from './backoff.ts'
import { type Connection, type ConnectionEvents, reconnecting } from './reconnecting.ts'
import type { ByteTransport } from './transport.ts'

export interface TcpOptions {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly log: Log
  /** A connection not made in this time has failed, ms. */
  readonly connectMs?: number
  readonly backoff?: Backoff
}

/** First keep-alive probe after this silence: a device server that lost power sends no end of its own. */
const KEEPALIVE_MS = 5_000

/** Makes the transport. It connects on `start` and again after each loss. */
export function tcpTransport(options: TcpOptions): ByteTransport {
  const { name, clock, log, backoff } = options
  const open = (events: ConnectionEvents, signal: AbortSignal) => openSocket(options, events, signal)
  return reconnecting({ name, clock, log, open, ...(backoff ? { backoff } : {}) })
}

function openSocket(options: TcpOptions, events: ConnectionEvents, signal: AbortSignal): Promise<Connection> {
  const { name, host, port, clock, connectMs = 3_000 } = options
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS })
    let opened = false
    const fail = (why: string) => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      reject(new Error(why))
    }
    const onAbort = () => fail(`${name}: stopped`)
    const timer = clock.after(connectMs, () => fail(`${name}: no answer within ${connectMs} ms; check address, power and network`))
    signal.addEventListener('abort', onAbort, { once: true })
    let error: NodeJS.ErrnoException | undefined
    socket.on('error', (e) => {
      error = e
    })
    socket.on('close', () => {
      const why = error ? explain(name, error) : `${name}: the other side closed the connection`
      if (opened) events.lost(why)
      else fail(why)
    })
    // A half-closed device server would never answer again: treat its end as the end.
    socket.on('end', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => events.data(bytes))
    socket.once('connect', () => {
      opened = true
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      resolve({ write: (bytes) => write(socket, bytes), close: () => close(socket) })
    })
  })
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once('close', () => resolve())
    socket.destroy()
  })
}

function explain(name: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${name}: refused; nothing listens there, check the port number and the device's mode (TCP server)`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${name}: the name cannot be resolved; write the address as numbers or check DNS`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${name}: no route; check cable, address and netmask`
    case 'ECONNRESET':
    case 'EPIPE':
      return `${name}: the other side reset the connection; many device servers accept only one client`
    default:
      return `${name}: ${error.message}`
  }
}
