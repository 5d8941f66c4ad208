/** The text of a file in pieces of bounded size, with the places where it is not UTF-8. */
import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'

export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
}

/** What is wrong at a place of the file. */
export interface Finding extends Place {
  readonly message: string
  readonly hint: string
}

const CHUNK = 256 * 1024
const AS_UTF8 = 'save it as UTF-8; in a spreadsheet program: "CSV UTF-8"'

const FOREIGN: readonly [readonly number[], string][] = [
  [[0xff, 0xfe], 'is UTF-16'],
  [[0xfe, 0xff], 'is UTF-16'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a spreadsheet or a zip file'],
  [[0x1f, 0x8b], 'is compressed'],
]
const BOM: readonly number[] = [0xef, 0xbb, 0xbf]
const begins = (bytes: Uint8Array, with_: readonly number[]) => with_.every((b, i) => bytes[i] === b)

/**
 * Pieces of the file, each ending between two characters; CR LF becomes LF, a byte order mark is left out. What is not UTF-8 is told
 * once a line and replaced, so that the rest of the file can be looked at as well. Memory: a piece at a time.
 */
export async function* textOf(
  handle: Pick<FileHandle, 'read'>,
  told: (finding: Finding) => void,
  read: (bytes: number) => void = () => {},
): AsyncGenerator<string> {
  const buffer = Buffer.alloc(CHUNK)
  let rest: Uint8Array = new Uint8Array(0)
  let first = true
  let line = 1
  let column = 1
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, null)
    const end = bytesRead === 0
    read(bytesRead)
    let bytes: Uint8Array = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    if (first) {
      const foreign = FOREIGN.find(([mark]) => begins(bytes, mark))
      if (foreign) return told({ line: 1, column: 1, message: foreign[1], hint: AS_UTF8 })
      if (begins(bytes, BOM)) bytes = bytes.subarray(BOM.length)
      first = false
    }
    const cut = end ? bytes.length : whole(bytes)
    rest = bytes.slice(cut)
    bytes = bytes.subarray(0, cut)
    if (!isUtf8(bytes)) findBad(bytes, { line, column }, told)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
    const lastBreak = text.lastIndexOf('\n')
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line++
    column = lastBreak < 0 ? column + text.length : text.length - lastBreak
    if (text !== '') yield text.replaceAll('\r\n', '\n')
    if (end) return
  }
}

/** How much of `bytes` ends with a whole character, and not between CR and LF. */
function whole(bytes: Uint8Array): number {
  if (bytes.at(-1) === 0x0d) return bytes.length - 1
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return needs > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function findBad(bytes: Uint8Array, start: Place, told: (finding: Finding) => void): void {
  let { line, column } = start
  for (let from = 0; from <= bytes.length; ) {
    const next = bytes.indexOf(0x0a, from)
    const to = next < 0 ? bytes.length : next
    const part = bytes.subarray(from, to)
    if (!isUtf8(part)) {
      const good = goodLength(part)
      told({
        line,
        column: column + Buffer.from(part.subarray(0, good)).toString('utf8').length,
        message: `is not UTF-8 (byte 0x${part[good]!.toString(16).padStart(2, '0')})`,
        hint: AS_UTF8,
      })
    }
    if (next < 0) return
    from = next + 1
    line++
    column = 1
  }
}

/** Length of the longest beginning that is UTF-8. */
function goodLength(bytes: Uint8Array): number {
  let good = 0
  let step = 1 << Math.ceil(Math.log2(bytes.length + 1))
  for (; step >= 1; step >>= 1) {
    const length = good + step
    if (length > bytes.length) continue
    const part = bytes.subarray(0, length)
    // A beginning may end inside a character: what was cut off of it does not count against it.
    if (isUtf8(part.subarray(0, whole(part)))) good = length
  }
  return whole(bytes.subarray(0, good))
}
