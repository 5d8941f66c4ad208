/**
 * Frames of the UHFReader18, 86 and 288 families (UHFReader18 manual v2.0; UHFReader288MP manual v1.14). Pure.
 *
 * Request: LEN, address, command, data, CRC. Answer: LEN, address, command, status, data, CRC. LEN counts what follows it; the CRC is
 * CRC-16 with polynomial 8408h (reflected) from FFFFh over LEN…data, low byte first. There is no mark at the beginning: a frame is
 * what has a good CRC.
 */
import type { Framing } from '../../frame-cutter.ts'

export type Family = '18' | '288'
export const CMD = { inventory: 0x01, info: 0x21, /** Sent by itself, in active mode. */ active: 0xee } as const
/** 01…04 come with tags: all of them, all that time allowed, more follow, as many as the memory holds. */
export const STATUS = { ok: 0, last: 1, time: 2, more: 3, full: 4, statistics: 0x26, heartbeat: 0x28, antenna: 0xf8, noTag: 0xfb } as const
export const BROADCAST = 0xff

export interface Frame {
  readonly address: number
  readonly command: number
  readonly status: number
  readonly data: Uint8Array
  /** As it came. */
  readonly raw: Uint8Array
}

export interface Tag {
  /** Upper-case hex. */
  readonly epc: string
  /** 0…255, more is nearer; null in family 18. */
  readonly rssi: number | null
  /** From 1; null in family 18, or when the reader names several at once. */
  readonly antenna: number | null
}

export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1
  }
  return crc
}

function frame(body: readonly number[]): Uint8Array {
  if (body.length + 2 > 255) throw new RangeError(`${body.length} bytes are too many for one frame`)
  const bytes = [body.length + 2, ...body]
  const crc = crc16(Uint8Array.from(bytes))
  return Uint8Array.from([...bytes, crc & 0xff, crc >> 8])
}

export const encodeRequest = (address: number, command: number, data: ArrayLike<number> = []): Uint8Array =>
  frame([address, command, ...Array.from(data)])

export const encodeAnswer = (address: number, command: number, status: number, data: ArrayLike<number> = []): Uint8Array =>
  frame([address, command, status, ...Array.from(data)])

const valid = (raw: Uint8Array): boolean => raw[0] === raw.length - 1 && crc16(raw.subarray(0, -2)) === ((raw.at(-1)! << 8) | raw.at(-2)!)

/** Answers: LEN from 5. */
export const answers: Framing<Frame> = {
  length: (bytes, at) => (bytes[at]! < 5 ? 0 : bytes[at]! + 1),
  decode: (raw) =>
    raw.length >= 6 && valid(raw) ? { address: raw[1]!, command: raw[2]!, status: raw[3]!, data: raw.subarray(4, -2), raw } : null,
}

/** Requests, for the reader's end: LEN from 4. */
export const requests: Framing<Omit<Frame, 'status'>> = {
  length: (bytes, at) => (bytes[at]! < 4 ? 0 : bytes[at]! + 1),
  decode: (raw) => (raw.length >= 5 && valid(raw) ? { address: raw[1]!, command: raw[2]!, data: raw.subarray(3, -2), raw } : null),
}

/** The question for tags. Family 288 is told which antenna (from 1) and for how long; Q 4, session 0, no mask. */
export function inventory(family: Family, address: number, antenna: number, scanMs: number): Uint8Array {
  const data = family === '18' ? [] : [4, 0, 1, 0, 0, 0, 0, 0x80 + antenna - 1, Math.round(scanMs / 100)]
  return encodeRequest(address, CMD.inventory, data)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()
/** The reader names antennas by bits. */
const antennaOf = (bits: number): number | null => ({ 1: 1, 2: 2, 4: 3, 8: 4 })[bits] ?? null

/**
 * Tags of an answer to an inventory. Family 18: count, then length and EPC of each. Family 288: antenna before the count, signal strength
 * after each EPC. null: the data does not add up.
 */
export function tagsOf(family: Family, data: Uint8Array): Tag[] | null {
  const rich = family === '288'
  if (data.length === 0) return []
  const count = data[rich ? 1 : 0]
  if (count === undefined) return null
  const antenna = rich ? antennaOf(data[0]!) : null
  const tags: Tag[] = []
  let at = rich ? 2 : 1
  for (let i = 0; i < count; i++) {
    const length = data[at]
    // Bit 7 says that a TID comes with the EPC; nobody asked for one.
    if (length === undefined || length === 0 || length > 62) return null
    const end = at + 1 + length
    if (end + (rich ? 1 : 0) > data.length) return null
    tags.push({ epc: hex(data.subarray(at + 1, end)), rssi: rich ? data[end]! : null, antenna })
    at = end + (rich ? 1 : 0)
  }
  return at === data.length ? tags : null
}

/** The tag that a reader in active mode pushes. Family 18: the EPC as it is. Family 288: antenna, length, EPC, signal strength. */
export function pushedTag(family: Family, data: Uint8Array): Tag | null {
  if (family === '18') return data.length >= 2 && data.length <= 62 ? { epc: hex(data), rssi: null, antenna: null } : null
  const length = data[1]
  if (length === undefined || length === 0 || length > 62 || data.length !== length + 3) return null
  return { antenna: antennaOf(data[0]!), epc: hex(data.subarray(2, -1)), rssi: data.at(-1)! }
}

/** The data of an answer with tags, for the reader's end. */
export function encodeTags(family: Family, antenna: number, tags: readonly { readonly epc: string; readonly rssi: number }[]): number[] {
  const each = tags.flatMap(({ epc, rssi }) => {
    const bytes = [...Buffer.from(epc, 'hex')]
    return [bytes.length, ...bytes, ...(family === '288' ? [rssi] : [])]
  })
  return [...(family === '288' ? [1 << (antenna - 1)] : []), tags.length, ...each]
}
