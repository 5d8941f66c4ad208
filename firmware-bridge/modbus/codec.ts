/**
 * Modbus as bytes (Modbus Application Protocol V1.1b3; Modbus over Serial Line V1.02; Messaging on TCP/IP V1.0b).
 * Pure: used by the master and by the simulated boards.
 */
import { LuongError } from '../../gateway/kernel/errors.ts'

export type Request =
  /** Coils (1) or discrete inputs (2). */
  | { readonly fc: 1 | 2; readonly addr: number; readonly count: number }
  /** Holding (3) or input (4) registers. */
  | { readonly fc: 3 | 4; readonly addr: number; readonly count: number }
  /** One coil (5: the value is raw, boards have their own) or one register (6). */
  | { readonly fc: 5 | 6; readonly addr: number; readonly value: number }
  /** Several coils. */
  | { readonly fc: 15; readonly addr: number; readonly bits: readonly boolean[] }
  /** Several registers. */
  | { readonly fc: 16; readonly addr: number; readonly values: readonly number[] }

/** What a device answered: `bits` for function 1 and 2, `registers` for 3 and 4, neither for writes. */
export interface Reply {
  readonly bits?: readonly boolean[]
  readonly registers?: readonly number[]
}

export const EXCEPTION_WORDS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal address',
  3: 'illegal value',
  4: 'device failure',
  5: 'accepted, still working',
  6: 'busy',
  10: 'gateway path unavailable',
  11: 'gateway target did not answer',
}

/** A byte's share of the CRC, for each byte: boards are asked hundreds of times a second. */
const CRC = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})

/** CRC-16/MODBUS of the first `end` bytes: polynomial 0xA001 reflected, start 0xFFFF; sent low byte first. */
export function crc16(bytes: Uint8Array, end = bytes.length): number {
  let crc = 0xffff
  for (let i = 0; i < end; i++) crc = (crc >> 8) ^ CRC[(crc ^ bytes[i]!) & 0xff]!
  return crc
}

const word = (n: number) => [(n >> 8) & 0xff, n & 0xff]
const wordAt = (b: Uint8Array, i: number) => (b[i]! << 8) | b[i + 1]!

export function packBits(bits: readonly boolean[]): number[] {
  const out = new Array<number>(Math.ceil(bits.length / 8)).fill(0)
  bits.forEach((bit, i) => {
    if (bit) out[i >> 3]! |= 1 << (i & 7)
  })
  return out
}

function unpackBits(bytes: Uint8Array, from: number, count: number): boolean[] {
  const bits = new Array<boolean>(count)
  for (let i = 0; i < count; i++) bits[i] = ((bytes[from + (i >> 3)]! >> (i & 7)) & 1) === 1
  return bits
}

/** Function code and two words. */
function short(fc: number, a: number, b: number): Uint8Array {
  const pdu = new Uint8Array(5)
  pdu[0] = fc
  pdu[1] = a >> 8
  pdu[2] = a
  pdu[3] = b >> 8
  pdu[4] = b
  return pdu
}

/** Function code and data of a request. */
export function encodeRequest(r: Request): Uint8Array {
  switch (r.fc) {
    case 5:
    case 6:
      return short(r.fc, r.addr, r.value)
    case 15: {
      const data = packBits(r.bits)
      return Uint8Array.from([15, ...word(r.addr), ...word(r.bits.length), data.length, ...data])
    }
    case 16:
      return Uint8Array.from([16, ...word(r.addr), ...word(r.values.length), r.values.length * 2, ...r.values.flatMap(word)])
    default:
      return short(r.fc, r.addr, r.count)
  }
}

/** Reads a request; null when it is none that we know or its length is wrong. */
export function decodeRequest(pdu: Uint8Array): Request | null {
  const fc = pdu[0]
  if (pdu.length < 5) return null
  const addr = wordAt(pdu, 1)
  const n = wordAt(pdu, 3)
  switch (fc) {
    case 1:
    case 2:
      return pdu.length === 5 && n >= 1 && n <= 2000 ? { fc, addr, count: n } : null
    case 3:
    case 4:
      return pdu.length === 5 && n >= 1 && n <= 125 ? { fc, addr, count: n } : null
    case 5:
    case 6:
      return pdu.length === 5 ? { fc, addr, value: n } : null
    case 15:
      if (n < 1 || n > 1968 || pdu[5] !== Math.ceil(n / 8) || pdu.length !== 6 + pdu[5]!) return null
      return { fc, addr, bits: unpackBits(pdu, 6, n) }
    case 16:
      if (n < 1 || n > 123 || pdu[5] !== n * 2 || pdu.length !== 6 + n * 2) return null
      return { fc, addr, values: Array.from({ length: n }, (_, i) => wordAt(pdu, 6 + i * 2)) }
    default:
      return null
  }
}

/**
 * Length of a request's function code and data, which begin at `from`, as far as the first bytes tell; undefined when more are
 * needed, 0 when unknown.
 */
export function requestLength(bytes: Uint8Array, from = 0): number | undefined {
  const fc = bytes[from]
  if (fc === undefined) return undefined
  if (fc >= 1 && fc <= 6) return 5
  if (fc === 15 || fc === 16) return bytes.length < from + 6 ? undefined : 6 + bytes[from + 5]!
  return 0
}

/** Length of the good answer's function code and data. */
export function replyLength(r: Request): number {
  if (r.fc === 1 || r.fc === 2) return 2 + Math.ceil(r.count / 8)
  if (r.fc === 3 || r.fc === 4) return 2 + r.count * 2
  return 5
}

/** The answer of a device to `r`: what a simulated board sends. */
export function encodeReply(r: Request, reply: Reply): Uint8Array {
  if (r.fc === 1 || r.fc === 2) {
    const data = packBits(reply.bits ?? [])
    return Uint8Array.from([r.fc, data.length, ...data])
  }
  if (r.fc === 3 || r.fc === 4) {
    const registers = reply.registers ?? []
    return Uint8Array.from([r.fc, registers.length * 2, ...registers.flatMap(word)])
  }
  // Writes of one value repeat the request; writes of several repeat address and quantity.
  return encodeRequest(r).slice(0, 5)
}

export const encodeException = (fc: number, code: number): Uint8Array => Uint8Array.from([fc | 0x80, code])

/**
 * Reads the answer to `r`. Throws DEVICE_REFUSED on an exception and FRAME_INVALID when it is not an answer to exactly this
 * request: a write must come back with its own address and value. `who` names the device in messages.
 */
export function decodeReply(r: Request, pdu: Uint8Array, who: string): Reply {
  if (pdu[0] === (r.fc | 0x80) && pdu.length === 2) {
    const code = pdu[1]!
    throw new LuongError(
      'DEVICE_REFUSED',
      `${who} refused function ${r.fc} at address ${r.addr}: ${EXCEPTION_WORDS[code] ?? `code ${code}`}`,
    )
  }
  const wrong = (what: string) => new LuongError('FRAME_INVALID', `${who}: ${what} in the answer to function ${r.fc} at address ${r.addr}`)
  if (pdu[0] !== r.fc) throw wrong('wrong function code')
  if (pdu.length !== replyLength(r)) throw wrong('wrong length')
  switch (r.fc) {
    case 1:
    case 2:
      if (pdu[1] !== pdu.length - 2) throw wrong('wrong byte count')
      return { bits: unpackBits(pdu, 2, r.count) }
    case 3:
    case 4:
      if (pdu[1] !== pdu.length - 2) throw wrong('wrong byte count')
      return { registers: Array.from({ length: r.count }, (_, i) => wordAt(pdu, 2 + i * 2)) }
    default: {
      const want = encodeRequest(r)
      for (let i = 1; i < 5; i++) if (pdu[i] !== want[i]) throw wrong('another address or value')
      return {}
    }
  }
}

/** A frame on a serial line: unit, function code and data, CRC. */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  const crc = crc16(frame, pdu.length + 1)
  frame[pdu.length + 1] = crc & 0xff
  frame[pdu.length + 2] = crc >> 8
  return frame
}

/** Whether the last two of the first `size` bytes are the CRC of the others. */
export function rtuValid(frame: Uint8Array, size = frame.length): boolean {
  if (size < 4 || frame.length < size) return false
  const crc = crc16(frame, size - 2)
  return frame[size - 2] === (crc & 0xff) && frame[size - 1] === crc >> 8
}

/** A frame on TCP: transaction, protocol 0, length, unit, function code and data. */
export function tcpFrame(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  return Uint8Array.from([...word(transaction), 0, 0, ...word(pdu.length + 1), unit, ...pdu])
}

export interface TcpFrame {
  readonly transaction: number
  readonly unit: number
  readonly pdu: Uint8Array
  /** Bytes of the buffer it took. */
  readonly size: number
}

/** The first frame of a stream; undefined when it is not whole yet, null when this is not Modbus TCP (the stream is out of step). */
export function readTcpFrame(buffer: Uint8Array): TcpFrame | undefined | null {
  if (buffer.length >= 4 && wordAt(buffer, 2) !== 0) return null
  if (buffer.length < 6) return undefined
  const length = wordAt(buffer, 4)
  // Unit, function code and one byte at least; 254 at most.
  if (length < 3 || length > 254) return null
  if (buffer.length < 6 + length) return undefined
  return { transaction: wordAt(buffer, 0), unit: buffer[6]!, pdu: buffer.slice(7, 6 + length), size: 6 + length }
}

export function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
