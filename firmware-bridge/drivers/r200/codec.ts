/**
 * Frames of R200, YRM100, M100 and JRD UHF modules (M100 firmware command manual). Pure.
 *
 * BB, type (00 command, 01 answer, 02 notice), command, parameter length (2 bytes), parameters, sum of all from type on (1 byte), 7E.
 * A notice of a tag has RSSI (signed, dBm), PC (2), EPC, and the CRC that the tag sent (2). An error answer has command FF and a code.
 */
import type { Framing } from '../../frame-cutter.ts'

const HEAD = 0xbb
const END = 0x7e
export const TYPE = { command: 0, answer: 1, notice: 2 } as const
export const CMD = { single: 0x22, multi: 0x27, stop: 0x28, error: 0xff } as const
/** The only error that says nothing is wrong: no tag answered the look. */
export const NO_TAG = 0x15
/** The longest EPC is 62 bytes; answers to other commands may be longer, and none is as long as this. */
const MAX_PARAMETERS = 128
const AROUND = 7

export interface Frame {
  readonly type: number
  readonly command: number
  readonly parameters: Uint8Array
  /** As it came. */
  readonly raw: Uint8Array
}

export function encode(type: number, command: number, parameters: ArrayLike<number> = []): Uint8Array {
  if (parameters.length > MAX_PARAMETERS) throw new RangeError(`${parameters.length} bytes of parameters; at most ${MAX_PARAMETERS}`)
  const body = [type, command, parameters.length >> 8, parameters.length & 0xff, ...Array.from(parameters)]
  return Uint8Array.from([HEAD, ...body, sum(body), END])
}

function sum(bytes: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < bytes.length; i++) total += bytes[i]!
  return total & 0xff
}

export const framing: Framing<Frame> = {
  length(bytes, at) {
    if (bytes[at] !== HEAD) return 0
    const left = bytes.length - at
    if (left > 1 && bytes[at + 1]! > TYPE.notice) return 0
    if (left < 5) return null
    const parameters = (bytes[at + 3]! << 8) | bytes[at + 4]!
    return parameters > MAX_PARAMETERS ? 0 : parameters + AROUND
  },
  decode(raw) {
    const end = raw.length - 1
    if (raw.length < AROUND || raw[0] !== HEAD || raw[end] !== END || raw[end - 1] !== sum(raw.subarray(1, end - 1))) return null
    if (((raw[3]! << 8) | raw[4]!) !== raw.length - AROUND) return null
    return { type: raw[1]!, command: raw[2]!, parameters: raw.subarray(5, end - 1), raw }
  },
}

/** One look. */
export const single = encode(TYPE.command, CMD.single)
/** As many looks as the reader can count: 65,535. */
export const multi = encode(TYPE.command, CMD.multi, [0x22, 0xff, 0xff])
export const stop = encode(TYPE.command, CMD.stop)

export interface Tag {
  /** Upper-case hex. */
  readonly epc: string
  /** Protocol control word. */
  readonly pc: number
  /** dBm. */
  readonly rssi: number
  /** CRC-16 as the tag sent it, hex. The module has checked it. */
  readonly crc: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()

/** The tag of a notice; null when its parameters are no tag: an EPC is one to 31 words. */
export function tagOf({ parameters: p }: Frame): Tag | null {
  const length = p.length - 5
  if (length < 2 || length > 62 || length % 2 !== 0) return null
  return {
    rssi: (p[0]! << 24) >> 24,
    pc: (p[1]! << 8) | p[2]!,
    epc: hex(p.subarray(3, 3 + length)),
    crc: hex(p.subarray(3 + length)),
  }
}

/** The notice of a tag, for the reader's end. */
export function encodeTag({ epc, pc, rssi, crc }: Tag): Uint8Array {
  return encode(TYPE.notice, CMD.single, [rssi & 0xff, pc >> 8, pc & 0xff, ...Buffer.from(epc, 'hex'), ...Buffer.from(crc, 'hex')])
}

/** What an error code means, for people. */
export function errorWords(code: number): string {
  const known: Record<number, string> = {
    23: 'it does not know a command; is it another model?',
    32: 'its frequency hopping failed; check antenna and region',
    9: 'reading failed',
    14: 'a parameter is not allowed',
  }
  return `the reader reports error ${code.toString(16).toUpperCase().padStart(2, '0')}${known[code] ? `: ${known[code]}` : ''}`
}

/** CRC-16 of the air interface (ISO/IEC 18000-63): poly 1021h, start FFFFh, inverted. Over PC and EPC. */
export function tagCrc(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc ^ 0xffff
}
