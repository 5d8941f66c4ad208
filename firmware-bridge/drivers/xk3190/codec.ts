/**
 * The two frame formats of the XK3190 family (Yaohua manuals of A9, DS1, A23p, A26). Pure.
 *
 * Continuous, 12 bytes: STX, sign 2B/2D, 6 digits, decimals '0'…'4', XOR of bytes 2…9 as two characters, ETX.
 * Command, 6 bytes: STX, address, command, XOR of bytes 2…3, ETX. Its reply, 14 bytes: STX, address, command, sign, 6 digits,
 * decimals, XOR of bytes 2…11, ETX. The XOR is hexadecimal: nibble + 30h up to 9, else + 37h.
 */
export const STX = 0x02
export const ETX = 0x03

/** 'B' gross, 'D' net, 'C' tare, 'A' handshake. */
export type Command = 'A' | 'B' | 'C' | 'D'

/** A weight as shown: `digits` / 10^`decimals`, in whatever unit the indicator is set to. Never -0. */
export interface Shown {
  readonly digits: number
  readonly decimals: number
}

export type Format = 'continuous' | 'reply'
const LENGTH = { continuous: 12, reply: 14 } as const

/** The two check characters of `body` (all between STX and the check itself). */
export function checkOf(body: Uint8Array): [number, number] {
  let xor = 0
  for (const byte of body) xor ^= byte
  const character = (nibble: number) => nibble + (nibble <= 9 ? 0x30 : 0x37)
  return [character(xor >> 4), character(xor & 15)]
}

function frame(body: Uint8Array): Uint8Array {
  return Uint8Array.from([STX, ...body, ...checkOf(body), ETX])
}

function shownBytes(shown: Shown): Uint8Array {
  const { digits, decimals } = shown
  if (!Number.isInteger(digits) || Math.abs(digits) > 999_999) throw new RangeError(`${digits} does not fit six digits`)
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 4) throw new RangeError(`${decimals} decimals; 0 to 4 are possible`)
  return Buffer.from(`${digits < 0 ? '-' : '+'}${String(Math.abs(digits)).padStart(6, '0')}${decimals}`, 'latin1')
}

/** A continuous frame. Throws RangeError on what six digits cannot show. */
export function encodeContinuous(shown: Shown): Uint8Array {
  return frame(shownBytes(shown))
}

export function encodeCommand(address: string, command: Command): Uint8Array {
  return frame(Buffer.from(address + command, 'latin1'))
}

export function encodeReply(address: string, command: Command, shown: Shown): Uint8Array {
  return frame(Buffer.concat([Buffer.from(address + command, 'latin1'), shownBytes(shown)]))
}

export type Decoded =
  | { readonly shown: Shown /** Address and command letter; replies only. */; readonly address?: string; readonly command?: string }
  /** The check is right and the weight is not digits: blank or letters while the indicator shows an error. */
  | { readonly unreadable: true }
  | { readonly bad: 'frame' | 'check' }

/** Decodes one whole frame of the given format. */
export function decode(bytes: Uint8Array, format: Format): Decoded {
  const length = LENGTH[format]
  if (bytes.length !== length || bytes[0] !== STX || bytes[length - 1] !== ETX) return { bad: 'frame' }
  const body = bytes.subarray(1, length - 3)
  const [high, low] = checkOf(body)
  if (bytes[length - 3] !== high || bytes[length - 2] !== low) return { bad: 'check' }
  const text = Buffer.from(body).toString('latin1')
  const weight = format === 'reply' ? text.slice(2) : text
  if (!/^[+-]\d{6}[0-4]$/.test(weight)) return { unreadable: true }
  const magnitude = Number(weight.slice(1, 7))
  const shown = { digits: weight[0] === '-' && magnitude !== 0 ? -magnitude : magnitude, decimals: Number(weight[7]) }
  return format === 'reply' ? { shown, address: text[0]!, command: text[1]! } : { shown }
}

/** A command frame's address and letter, for the indicator's end. Null when it is none. */
export function decodeCommand(bytes: Uint8Array): { address: string; command: string } | null {
  if (bytes.length !== 6 || bytes[0] !== STX || bytes[5] !== ETX) return null
  const [high, low] = checkOf(bytes.subarray(1, 3))
  if (bytes[3] !== high || bytes[4] !== low) return null
  return { address: String.fromCharCode(bytes[1]!), command: String.fromCharCode(bytes[2]!) }
}

/** Kilograms, exact to the last shown digit. */
export function kilograms(shown: Shown, unit: 'kg' | 't'): number {
  return unit === 'kg' ? shown.digits / 10 ** shown.decimals : (shown.digits * 1_000) / 10 ** shown.decimals
}

/** A frame that came in whole, good or not. */
export interface Cut {
  readonly raw: Uint8Array
  readonly decoded: Decoded
}

/**
 * Cuts a byte stream into frames of one format. Holds less than one frame, whatever comes; bytes before an STX are dropped. A
 * frame that does not check is given up from its STX on only, so a good frame that begins inside it is still found.
 */
export class FrameCutter {
  readonly #format: Format
  #held: Uint8Array = new Uint8Array(0)
  /** Bytes that were part of no good frame. */
  skipped = 0

  constructor(format: Format) {
    this.#format = format
  }

  /** Bytes waiting for the rest of their frame. */
  get held(): number {
    return this.#held.length
  }

  push(bytes: Uint8Array): Cut[] {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const length = LENGTH[this.#format]
    const cuts: Cut[] = []
    let at = 0
    while (true) {
      const start = all.indexOf(STX, at)
      this.skipped += (start < 0 ? all.length : start) - at
      if (start < 0) {
        at = all.length
        break
      }
      at = start
      if (all.length - at < length) break
      const raw = Uint8Array.from(all.subarray(at, at + length))
      const decoded = decode(raw, this.#format)
      const taken = !('bad' in decoded)
      // Without its ETX it was never a frame, only an STX in garbage: not worth a report of its own.
      if (taken || decoded.bad === 'check') cuts.push({ raw, decoded })
      at += taken ? length : 1
      if (!taken) this.skipped++
    }
    this.#held = Uint8Array.from(all.subarray(at))
    return cuts
  }

  /** Forgets a frame begun, as after a loss of the line. */
  reset(): void {
    this.skipped += this.#held.length
    this.#held = new Uint8Array(0)
  }
}
