/** `luong declarations list` and `show`: what is known on site, while the gateway runs or not. */
import { LISTS_STATE, listsState } from '../declarations/state.ts'
import { type Declaration, declaration } from '../identity/declaration.ts'
import { type JournalReader, openReader } from '../journal/reader.ts'
import { LuongError } from '../kernel/errors.ts'
import { pad } from './columns.ts'
import { dataFolder } from './data-folder.ts'
import type { ListOptions, WhereOptions } from './declarations.ts'
import { type Printer, printer } from './print.ts'

interface Stored {
  readonly key: string
  readonly value: string
  readonly at: number
}

export async function list(siteFile: string | undefined, options: ListOptions): Promise<number> {
  const { dir, maxAgeH } = await dataFolder(siteFile, options.data)
  const reader = openReader(dir)
  try {
    const out = printer()
    const now = Date.now()
    const plate = options.plate === undefined ? null : plateOf(options.plate)
    let fitting = 0
    for (const row of rows(reader)) {
      const d = declaration.safeParse(JSON.parse(row.value))
      if (!d.success || !wanted(d.data, plate, options.valid === true, now)) continue
      if (++fitting > options.limit) continue
      if (!(await out.line(options.json ? JSON.stringify({ ...d.data, received: reader.zone.format(row.at) }) : line(d.data, reader, now))))
        return 0
    }
    await summary(out, reader, { fitting, limit: options.limit, now, maxAgeH, json: options.json === true })
    return 0
  } finally {
    reader.close()
  }
}

export async function show(id: string, siteFile: string | undefined, options: WhereOptions): Promise<number> {
  const { dir } = await dataFolder(siteFile, options.data)
  const reader = openReader(dir)
  try {
    const row = reader.db
      .prepare<[string], Stored>("SELECT key, value, at FROM documents WHERE collection = 'declarations' AND key = ?")
      .get(id)
    if (!row)
      throw new LuongError('BAD_USAGE', `${dir}: there is no declaration ${id}`, {
        hint: 'See `luong declarations list`; it may have been withdrawn.',
      })
    const value = JSON.parse(row.value) as Record<string, unknown>
    const out = printer()
    if (options.json) await out.line(JSON.stringify({ ...value, received: reader.zone.format(row.at) }))
    else for (const text of fields({ ...value, received: reader.zone.format(row.at) })) if (!(await out.line(text))) break
    return 0
  } finally {
    reader.close()
  }
}

/** One at a time: there may be very many. */
function rows(reader: JournalReader): IterableIterator<Stored> {
  return reader.db
    .prepare<[], Stored>("SELECT key, value, at FROM documents WHERE collection = 'declarations' ORDER BY at DESC, key")
    .iterate()
}

const plateOf = (text: string) =>
  text
    .toUpperCase()
    .replaceAll('Đ', 'D')
    .replace(/[\s.\-·•]/g, '')

function wanted(d: Declaration, plate: string | null, valid: boolean, now: number): boolean {
  if (plate !== null && ![d.plate, d.trailer, d.transship_with].includes(plate)) return false
  return !valid || validity(d, now) === 'valid'
}

function validity(d: Declaration, now: number): 'valid' | 'expired' | 'not yet' {
  return now < Date.parse(d.valid_from) ? 'not yet' : now > Date.parse(d.valid_to) ? 'expired' : 'valid'
}

function line(d: Declaration, { zone }: JournalReader, now: number): string {
  const minute = (text: string) => zone.format(Date.parse(text)).slice(0, 16).replace('T', ' ')
  const goods = d.cargo?.flatMap((c) => c.kind ?? c.name ?? c.hs ?? []).join(', ') || d.goods || '-'
  return [
    d.id.padEnd(14),
    pad(`${d.plate}${d.trailer ? ` + ${d.trailer}` : ''}`, 20),
    d.direction,
    d.traffic.padEnd(12),
    d.channel.padEnd(6),
    `${minute(d.valid_from)} to ${minute(d.valid_to)}`,
    validity(d, now).padEnd(7),
    goods.slice(0, 40),
  ].join('  ')
}

async function summary(
  out: Printer,
  reader: JournalReader,
  o: { fitting: number; limit: number; now: number; maxAgeH: number | null; json: boolean },
): Promise<void> {
  const state = listsState(reader.queries.documents(LISTS_STATE))
  const time = (at: number | null) => (at === null ? null : reader.zone.format(at))
  if (o.json) {
    await out.line(
      JSON.stringify({ summary: { fitting: o.fitting, newest: time(state.newest), contact: time(state.contact), max_age_h: o.maxAgeH } }),
    )
    return
  }
  const ago = (at: number | null) =>
    at === null ? 'never' : `${reader.zone.format(at).slice(0, 16).replace('T', ' ')} (${age(o.now - at)} ago)`
  const most = o.maxAgeH === null ? '' : `; lanes refer everybody after ${o.maxAgeH} h`
  await out.line(`${o.fitting} declarations${o.fitting > o.limit ? `, ${o.limit} of them shown (--limit)` : ''}`)
  await out.line(`newest change ${ago(state.newest)}; last contact with the platform ${ago(state.contact)}${most}`)
}

/** `3 min`, `5.2 h`, `4 days` */
export function age(ms: number): string {
  const minutes = Math.max(0, ms) / 60_000
  if (minutes < 90) return `${Math.round(minutes)} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 6) / 10} h` : `${Math.round(minutes / 1_440)} days`
}

/** `key: value` lines; the items of a list are indented, the first line of each with a dash. */
function fields(value: Record<string, unknown>): string[] {
  return Object.entries(value).flatMap(([key, v]) => {
    if (!Array.isArray(v)) return [`${key}: ${String(v)}`]
    const item = (one: unknown) => fields(one as Record<string, unknown>).map((text, i) => `  ${i === 0 ? '-' : ' '} ${text}`)
    return [`${key}:`, ...v.flatMap(item)]
  })
}
