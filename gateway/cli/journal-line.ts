/** One readable line for each entry of the journal. */
import type { StoredRow } from '../journal/queries.ts'
import { storedInput } from '../journal/queries.ts'
import type { Zone } from '../journal/zone.ts'
import { pad } from './columns.ts'

type Fields = Readonly<Record<string, unknown>>

/** Time, number, lane, what, about whom, and why: `2026-11-21 08:15:30.123  #1234  import-1  passage.cleared  24C12345  rule declared`. */
export function entryLine(row: StoredRow, zone: Zone): string {
  const time = zone.format(row.at).slice(0, 23).replace('T', ' ')
  const lane = (row.lane ?? 'site').padEnd(10)
  if (row.type === null) return `${time}  ${''.padEnd(7)}  ${lane}  ${inputText(row)}`
  const event = JSON.parse(row.text) as Fields
  const what = row.type.replace(/^luong\./, '').replace(/\.v1$/, '')
  const subject = typeof event.subject === 'string' ? event.subject : '-'
  const why = whyText(fields(event.data))
  return `${time}  ${`#${row.sequence}`.padEnd(7)}  ${lane}  ${what.padEnd(18)}  ${pad(subject, 10)}${why === '' ? '' : `  ${why}`}`.trimEnd()
}

/** The same as one JSON object: an event exactly as it was published, an input with what the lane answered. */
export function entryJson(row: StoredRow): string {
  if (row.type !== null) return row.text
  const { id, lane, passage, at, body, actions } = storedInput(row)
  return JSON.stringify({ entry: id, lane, passage, at, input: body, actions })
}

function inputText(row: StoredRow): string {
  const { body, actions } = storedInput(row)
  const input = fields(body)
  const kind = typeof input.kind === 'string' ? input.kind : 'input'
  // Settings, states and what a decision was made on are long and say little here; `--json` has them.
  const rest = kind === 'settings' || kind === 'checkpoint' || kind === 'facts' ? '' : words(input, ['kind', 'at'])
  const answer = actions.map((a) => words(fields(a), [])).join(', ')
  return `< ${kind}${rest === '' ? '' : ` ${rest}`}${answer === '' ? '' : `  > ${answer}`}`
}

function whyText(data: Fields): string {
  const decision = fields(data.decision)
  const parts = [
    typeof decision.rule === 'string' ? `rule ${decision.rule}` : '',
    ...(Array.isArray(decision.reasons) ? decision.reasons.map(reasonText) : []),
    ...['outcome', 'why', 'alarm', 'error', 'by'].map((key) => (typeof data[key] === 'string' ? `${key} ${data[key]}` : '')),
  ]
  return parts.filter((part) => part !== '').join(' · ')
}

/** A reason is a text, or an object with a text in some language or a code. */
function reasonText(reason: unknown): string {
  if (typeof reason === 'string') return reason
  const r = fields(reason)
  const text = [r.en, r.text, fields(r.text).en, fields(r.words).en, r.code].find((t) => typeof t === 'string')
  return typeof text === 'string' ? text : ''
}

/** Values of an object in order, without keys where the value speaks for itself. */
function words(object: Fields, without: readonly string[]): string {
  return Object.entries(object)
    .filter(([key]) => !without.includes(key))
    .map(([key, value]) => (typeof value === 'object' && value !== null ? words(fields(value), []) : valueText(key, value)))
    .join(' ')
}

function valueText(key: string, value: unknown): string {
  if (value === null) return `${key} unknown`
  if (typeof value === 'boolean') return key === 'value' ? (value ? 'on' : 'off') : `${key} ${value ? 'yes' : 'no'}`
  return typeof value === 'number' ? `${key} ${value}` : String(value)
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
