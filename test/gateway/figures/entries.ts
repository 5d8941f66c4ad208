/** Passages for tests of figures: entries as a lane records them, with what was declared. */
import { type Load, loadOf } from '../../../gateway/figures/load.ts'
import type { Declaration } from '../../../gateway/identity/declaration.ts'
import { declaration } from '../../../gateway/identity/declaration.ts'
import type { Entry } from '../../../gateway/journal/journal.ts'

/** 2026-11-21T08:00:00+07:00 */
export const MORNING = Date.UTC(2026, 10, 21, 1)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export interface PassageSpec {
  readonly id: string
  readonly lane?: string
  readonly direction?: 'import' | 'export'
  readonly arrived: number
  /** Ms after the arrival; default 3 s and 20 s. */
  readonly decided?: number
  readonly ended?: number | null
  readonly outcome?: 'cleared' | 'refused' | 'redirected' | 'aborted'
  /** The rules, or the time-out, sent it to the officer. */
  readonly referred?: boolean
  readonly plate?: string
  /** Fields of its declaration; null: none. */
  readonly declared?: Record<string, unknown> | null
  readonly draws?: Load['draws']
}

export function declared(spec: PassageSpec): Declaration | null {
  if (spec.declared === null) return null
  return declaration.parse({
    id: `D-${spec.id}`,
    plate: spec.plate ?? '24C12345',
    direction: spec.direction ?? 'import',
    valid_from: '2026-11-20T00:00:00Z',
    valid_to: '2026-11-24T00:00:00Z',
    ...spec.declared,
  })
}

/** Everything that is recorded of it, by time. */
export function entriesOf(spec: PassageSpec): Entry[] {
  const {
    id,
    lane = 'import-1',
    direction = 'import',
    arrived,
    decided = 3_000,
    ended = Math.max(20_000, decided + 1_000),
    outcome = 'cleared',
    referred = false,
  } = spec
  const plate = spec.plate ?? '24C12345'
  const event = (verb: string, at: number, subject?: string): Entry => ({
    kind: 'event',
    type: `luong.passage.${verb}.v1`,
    lane,
    passage: id,
    at,
    ...(subject === undefined ? {} : { subject }),
    data: { passage: id, lane, direction },
  })
  const decision = { rule: referred ? 'other' : 'declared', outcome: referred ? 'refer' : 'pass', draws: spec.draws ?? [] }
  const load = loadOf({ plate, sure: true, declaration: declared(spec), decision })
  return [
    event('arrived', arrived),
    { kind: 'input', lane, passage: id, at: arrived + decided, body: { kind: 'facts', load }, actions: [] },
    event('decided', arrived + decided, plate),
    ...(referred ? [event('referred', arrived + decided, plate)] : []),
    ...(ended === null ? [] : [event(outcome, arrived + ended, plate)]),
  ]
}

/** All of them, as one journal has them. */
export function journalOf(specs: readonly PassageSpec[]): Entry[] {
  return specs
    .flatMap(entriesOf)
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => a.entry.at - b.entry.at || a.i - b.i)
    .map(({ entry }) => entry)
}
