/** A serial port. */
import type { SerialPort } from 'serialport'
import type { Clock } from '../../gateway/kernel/clock.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import type { Backoff } from './backoff.ts'
import { type Connection, type ConnectionEvents, reconnecting } from './reconnecting.ts'
import type { ByteTransport } from './transport.ts'

export interface SerialOptions {
  readonly name: string
  /** Device file, e.g. /dev/serial/by-id/…. */
  readonly path: string
  readonly baud: number
  readonly parity?: 'none' | 'even' | 'odd'
  readonly dataBits?: 7 | 8
  readonly stopBits?: 1 | 2
  readonly clock: Clock
  readonly log: Log
  readonly backoff?: Backoff
}

/** Makes the transport. It opens and locks the port on `start` and again after each loss. */
export function serialTransport(options: SerialOptions): ByteTransport {
  const { name, clock, log, backoff } = options
  const open = (events: ConnectionEvents) => openPort(options, events)
  return reconnecting({ name, clock, log, open, baud: options.baud, ...(backoff ? { backoff } : {}) })
}

async function openPort(options: SerialOptions, events: ConnectionEvents): Promise<Connection> {
  const { name, path, log } = options
  // Loaded here, so that sites without serial ports need no native module.
  const { SerialPort } = await import('serialport')
  const port = new SerialPort({
    path,
    baudRate: options.baud,
    parity: options.parity ?? 'none',
    dataBits: options.dataBits ?? 8,
    stopBits: options.stopBits ?? 1,
    lock: true,
    autoOpen: false,
  })
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(new Error(explainOpen(name, path, error.message))) : resolve()))
  })
  // FTDI adapters hold bytes back for up to 16 ms unless told not to. PTYs and many adapters do not know the call: then it stays as it is.
  port.set({ lowLatency: true } as Parameters<SerialPort['set']>[0], (error) => {
    if (error) log.debug({ link: name, err: error.message }, 'no low-latency mode on this port')
  })
  let closing = false
  port.on('data', (bytes: Buffer) => events.data(bytes))
  port.on('error', (error) => {
    if (!closing) events.lost(`${name}: ${error.message}`)
  })
  port.on('close', (error: Error | null) => {
    if (!closing) events.lost(`${name}: the port vanished${error ? ` (${error.message})` : ''}; is the adapter unplugged?`)
  })
  return {
    write: (bytes) => write(port, bytes),
    async close() {
      closing = true
      await close(port)
    },
  }
}

function write(port: SerialPort, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), (error) => (error ? reject(error) : resolve()))
  })
}

function close(port: SerialPort): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!port.isOpen) return resolve()
    port.close((error) => (error ? reject(new Error(messageOf(error))) : resolve()))
  })
}

/** What the binding says on open, in words that say what to do. */
export function explainOpen(name: string, path: string, message: string): string {
  if (/cannot lock/i.test(message)) return `${name}: another program has ${path} open; stop it, one master owns a bus`
  if (/no such file|ENOENT/i.test(message)) return `${name}: ${path} is not there; is the adapter plugged in? See /dev/serial/by-id`
  if (/permission denied|EACCES/i.test(message)) return `${name}: no permission for ${path}; add the user to the group dialout`
  if (/not a tty|inappropriate ioctl/i.test(message)) return `${name}: ${path} is not a serial port`
  if (/is a directory/i.test(message)) return `${name}: ${path} is a folder, not a serial port`
  return `${name}: ${path} cannot be opened: ${message}`
}
