/**
 * What scanners in line mode send: text that ends in CR, LF or both, or in silence; before it, where the scanner is set so, an AIM symbology
 * identifier (ISO/IEC 15424) such as `]Q1`. Pure.
 */
export type Encoding = 'utf-8' | 'gb18030'

/** Longer lines are refused. QR codes hold up to 2,953 bytes. */
export const MAX_LINE = 4_096
const CR = 0x0d
const LF = 0x0a

export type Scan =
  | { readonly text: string /** AIM identifier without the bracket: `Q1`; empty when there was none. */; readonly symbology: string }
  | { readonly refused: 'long' | 'not-text' | 'blank' }

/** Cuts a byte stream into codes. Holds at most {@link MAX_LINE} bytes, whatever comes. */
export class ScanCutter {
  readonly #encoding: Encoding
  #held: Uint8Array[] = []
  #size = 0
  /** The line is too long already: the rest of it is dropped as it comes. */
  #long = false

  constructor(encoding: Encoding) {
    this.#encoding = encoding
  }

  /** Bytes waiting for the end of their line. */
  get held(): number {
    return this.#size
  }

  /** Whether a line has begun. */
  get open(): boolean {
    return this.#long || this.#size > 0
  }

  push(bytes: Uint8Array): Scan[] {
    const scans: Scan[] = []
    let from = 0
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== CR && bytes[i] !== LF) continue
      this.#hold(bytes.subarray(from, i))
      scans.push(...this.flush())
      from = i + 1
    }
    this.#hold(bytes.subarray(from))
    return scans
  }

  /** The line is over: after CR or LF, or because nothing more came. */
  flush(): Scan[] {
    const { open } = this
    const scan: Scan = this.#long ? { refused: 'long' } : read(Buffer.concat(this.#held), this.#encoding)
    this.reset()
    return open ? [scan] : []
  }

  /** Forgets a line begun. */
  reset(): void {
    this.#held = []
    this.#size = 0
    this.#long = false
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#long) return
    if (this.#size + bytes.length > MAX_LINE) {
      this.reset()
      this.#long = true
      return
    }
    this.#held.push(Uint8Array.from(bytes))
    this.#size += bytes.length
  }
}

/** One line without its end. Control characters are left out; what is no text in that encoding is refused, for half of it may be wrong. */
export function read(line: Uint8Array, encoding: Encoding): Scan {
  let decoded: string
  try {
    decoded = new TextDecoder(encoding, { fatal: true }).decode(line)
  } catch {
    return { refused: 'not-text' }
  }
  const printable = decoded.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '').trim()
  const aim = /^\]([A-Za-z][0-9A-Za-z])/.exec(printable)
  const text = aim ? printable.slice(3).trim() : printable
  return text === '' ? { refused: 'blank' } : { text, symbology: aim?.[1] ?? '' }
}
