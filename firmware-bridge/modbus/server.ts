/** The devices' side of a line: cuts the bytes of a master into requests. */
import type { Clock } from '../../gateway/kernel/clock.ts'
import { joinBytes, readTcpFrame, requestLength, rtuValid } from './codec.ts'

export interface ServedRequest {
  readonly unit: number
  /** Function code and data. */
  readonly pdu: Uint8Array
  /** Only on TCP. */
  readonly transaction?: number
}

/** Bytes with this much silence after them are no longer part of a frame, ms (t3.5 with room for a busy machine). */
const SILENCE_MS = 50
const MAX_BYTES = 512
const EMPTY: Uint8Array = new Uint8Array(0)

/** Returns a function that takes bytes and gives back the whole requests in them; noise is skipped. */
export function requestReader(framing: 'rtu' | 'tcp', clock: Clock): (bytes: Uint8Array) => ServedRequest[] {
  let buffer = EMPTY
  let heardAt = 0
  return (bytes) => {
    const now = clock.mono()
    if (framing === 'rtu' && now - heardAt > SILENCE_MS) buffer = EMPTY
    heardAt = now
    buffer = joinBytes(buffer, bytes)
    const requests: ServedRequest[] = []
    for (;;) {
      const found = framing === 'tcp' ? nextTcp(buffer) : nextRtu(buffer)
      if (!found) break
      buffer = found.size === buffer.length ? EMPTY : buffer.slice(found.size)
      if (found.request) requests.push(found.request)
    }
    if (buffer.length > MAX_BYTES) buffer = EMPTY
    return requests
  }
}

/** Bytes taken, with a request or as noise; undefined: wait for more. */
type Found = { size: number; request?: ServedRequest } | undefined

function nextTcp(buffer: Uint8Array): Found {
  const frame = readTcpFrame(buffer)
  if (frame === undefined) return undefined
  if (frame === null) return { size: buffer.length }
  return { size: frame.size, request: { unit: frame.unit, pdu: frame.pdu, transaction: frame.transaction } }
}

function nextRtu(buffer: Uint8Array): Found {
  if (buffer.length < 2) return undefined
  const length = requestLength(buffer, 1)
  if (length === undefined) return undefined
  if (length === 0) return { size: 1 }
  if (buffer.length < length + 3) return undefined
  // Not a frame: begin again one byte later.
  if (!rtuValid(buffer, length + 3)) return { size: 1 }
  return { size: length + 3, request: { unit: buffer[0]!, pdu: buffer.slice(1, length + 1) } }
}
