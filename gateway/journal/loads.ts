/** What was declared of a vehicle when it was decided: a row for each passage, taken out of the record of the decision. */
import type { PassageRow } from './journal.ts'

/** A row of the `loads` table. `text` is the JSON of `load` in the record, which the journal does not look into further. */
export interface LoadRow {
  readonly passage: string
  readonly declaration: string | null
  /** The plate that the vehicle is known by: as declared, else as read. */
  readonly vehicle: string | null
  /** End of the declaration's validity, wall-clock ms. */
  readonly validTo: number | null
  readonly text: string
}

/** A passage together with what was declared of it. */
export interface CrossingRow extends PassageRow {
  /** JSON of the load; null where no decision was recorded. */
  readonly load: string | null
}

/** A declaration that a vehicle was cleared with. */
export interface UseRow {
  readonly declaration: string
  readonly direction: string | null
  readonly at: number
  readonly validTo: number | null
}

/** The load in the `body` of an input entry; null when it is no record of a decision. */
export function loadIn(body: unknown, passage: string | null | undefined): LoadRow | null {
  if (typeof body !== 'object' || body === null || passage == null) return null
  const { kind, load } = body as { kind?: unknown; load?: unknown }
  if (kind !== 'facts' || typeof load !== 'object' || load === null) return null
  const { declaration, vehicle, valid_to } = load as { declaration?: unknown; vehicle?: unknown; valid_to?: unknown }
  const text = (value: unknown) => (typeof value === 'string' ? Buffer.from(value).toString() : null)
  return {
    passage,
    declaration: text(declaration),
    vehicle: text(vehicle),
    validTo: typeof valid_to === 'number' && Number.isFinite(valid_to) ? Math.round(valid_to) : null,
    text: JSON.stringify(load),
  }
}

/** The same from the stored text of an input entry, `[body, actions]`. */
export function loadInText(text: string, passage: string | null): LoadRow | null {
  return text.startsWith('[{"kind":"facts"') ? loadIn((JSON.parse(text) as unknown[])[0], passage) : null
}
