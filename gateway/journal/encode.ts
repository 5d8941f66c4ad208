/** Entries as text, checked, on the caller's thread: what was given is frozen at once and later changes to it don't matter. */
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Entry } from './journal.ts'
import { loadIn } from './loads.ts'
import { seen } from './projection.ts'
import type { NewRow } from './protocol.ts'

/** An entry larger than this is a mistake: pictures are kept beside the journal, not in it. */
export const MAX_ENTRY_CHARS = 1_000_000

/** Last ms that RFC 3339 can write. */
const MAX_AT = Date.UTC(9999, 11, 31)
const NAME = /^[\x21-\x7e]{1,128}$/

/** @throws PAYLOAD_INVALID naming what is wrong with the entry */
export function encode(entry: Entry): NewRow {
  const what = entry.kind === 'event' ? entry.type : `input of lane ${entry.lane}`
  if (!(entry.at >= 0 && entry.at < MAX_AT)) throw refuse(what, `"at" is not a time: ${entry.at}`)
  const lane = name(what, 'lane', entry.lane)
  const passage = name(what, 'passage', entry.passage)
  const at = Math.round(entry.at)
  if (entry.kind === 'input') {
    const text = toText(what, [entry.body, entry.actions])
    return { type: null, lane, passage, subject: null, at, text, plate: null, direction: null, load: loadIn(entry.body, entry.passage) }
  }
  const { subject = null, data } = entry
  const { plate, direction } = seen(subject, data)
  return { type: name(what, 'type', entry.type), lane, passage, subject, at, text: toText(what, data), plate, direction, load: null }
}

function name(what: string, key: string, value: string | undefined): string | null {
  if (value === undefined) return null
  if (!NAME.test(value)) throw refuse(what, `"${key}" must be 1 to 128 printable ASCII characters without spaces`)
  return value
}

/** JSON of a value. PAYLOAD_INVALID when it has none, or is too large. */
export function toText(what: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw refuse(what, messageOf(error))
  }
  if (text === undefined) throw refuse(what, 'it has no JSON')
  if (text.length > MAX_ENTRY_CHARS) throw refuse(what, `${text.length} characters, the most is ${MAX_ENTRY_CHARS}`)
  return text
}

function refuse(what: string, why: string): LuongError {
  return new LuongError('PAYLOAD_INVALID', `journal: ${what} cannot be stored: ${why}`, {
    hint: 'This is a mistake in the program: report it.',
  })
}
