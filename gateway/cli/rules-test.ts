/** `luong rules test`: the rules as they stand in the files, over recorded passages. */
import { loadSite } from '../../config/load.ts'
import { decisions, type StoredDecision, type Which } from '../journal/decisions.ts'
import { type JournalReader, openReader } from '../journal/reader.ts'
import { localTime, type Zone } from '../journal/zone.ts'
import { LuongError } from '../kernel/errors.ts'
import { problemLine } from '../kernel/problems.ts'
import { checkExamples } from '../rules/decide.ts'
import { loadRules } from '../rules/load.ts'
import { type Change, type Redecided, redecide } from '../rules/redecide.ts'
import { paint } from './colour.ts'
import { pad } from './columns.ts'
import { writtenPlate } from './passage-line.ts'
import { type Printer, printer } from './print.ts'

export interface TestOptions {
  readonly passage?: string
  readonly day?: string
  readonly all?: true
  readonly expectSame?: true
  readonly json?: true
}

const DAY = 86_400_000

/** Runs the command; the answer is its exit code. */
export async function testRules(siteFile: string, dir: string, options: TestOptions): Promise<number> {
  const loaded = await loadSite(siteFile)
  const set = await loadRules(loaded.rules)
  const { problems } = checkExamples(set)
  for (const p of problems) process.stderr.write(`${problemLine({ ...p, severity: 'warning' })}\n`)
  const reader = openReader(dir)
  try {
    if (reader.site !== loaded.site.site.id)
      process.stderr.write(`warning: these passages are of site ${reader.site}, the rules of site ${loaded.site.site.id}\n`)
    const out = printer()
    const counts: Record<Change, number> = { same: 0, rule: 0, outcome: 0, unknown: 0 }
    let listening = true
    for (const d of decisions(reader, which(options, reader))) {
      const now = redecide(set, d, d.record)
      // Of the ones that can't be told the first few are enough for a person; their number is in the summary.
      const telling = now.change === 'outcome' || now.change === 'rule' || (now.change === 'unknown' && counts.unknown < 5)
      counts[now.change]++
      if (listening && options.json) listening = await out.line(json(d, now, reader.zone))
      else if (listening && telling) listening = await say(out, d, now, reader.zone)
    }
    const again = counts.same + counts.rule + counts.outcome
    if (options.json) await out.line(JSON.stringify({ summary: true, decided: again, ...counts, rules: set.hash }))
    else await out.line(summary(counts, again))
    return options.expectSame && (counts.outcome + counts.rule > 0 || again === 0) ? 1 : 0
  } finally {
    reader.close()
  }
}

/** Which passages the options name. */
function which({ passage, day, all }: TestOptions, reader: JournalReader): Which {
  if ([passage, day, all].filter((x) => x !== undefined).length !== 1)
    throw new LuongError('BAD_USAGE', 'say which passages: one of --passage ID, --day 2026-11-21 and --all')
  return passage === undefined ? periodOf(day, reader) : { passage }
}

/** A day of the site; without one, all of them. @throws BAD_USAGE */
export function periodOf(day: string | undefined, { zone }: JournalReader): { readonly from: number; readonly to: number } {
  if (day === undefined) return { from: 0, to: Number.MAX_SAFE_INTEGER }
  const noon = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T12:00:00Z`) : Number.NaN
  // 30 February is read as 2 March.
  if (Number.isNaN(noon) || new Date(noon).toISOString().slice(0, 10) !== day)
    throw new LuongError('BAD_USAGE', `--day ${day}: no such day`, { hint: 'Write a day of the site as 2026-11-21.' })
  const next = new Date(noon + DAY).toISOString().slice(0, 10)
  return { from: localTime(zone, `${day}T00:00`), to: localTime(zone, `${next}T00:00`) }
}

async function say(out: Printer, d: StoredDecision, { change, now, why }: Redecided, zone: Zone): Promise<boolean> {
  const time = zone.format(d.at).slice(0, 19).replace('T', ' ')
  const head = `${paint.dim(time)}  ${d.passage}  ${d.lane.padEnd(9)} ${paint.bold(pad(d.plate ? writtenPlate(d.plate) : '–', 12))}`
  const then = `${d.outcome} (${d.rule})`
  if (now === null) return out.line(`${head} ${then} → ${paint.dim(`not known: ${why}`)}`)
  const colour = change === 'outcome' ? (now.outcome === 'pass' ? paint.red : paint.yellow) : paint.dim
  return out.line(`${head} ${then} → ${colour(`${now.outcome} (${now.rule})`)}  ${now.reasons[0]?.en ?? ''}`)
}

function summary(counts: Readonly<Record<Change, number>>, again: number): string {
  const parts = [
    `${counts.same} the same`,
    `${counts.outcome} with another outcome`,
    `${counts.rule} with the same outcome by another rule`,
    ...(counts.unknown > 0 ? [`${counts.unknown} could not be decided again`] : []),
  ]
  return `${again + counts.unknown} decisions: ${parts.join(', ')}`
}

function json(d: StoredDecision, { change, now, why }: Redecided, zone: Zone): string {
  return JSON.stringify({
    passage: d.passage,
    at: zone.format(d.at),
    lane: d.lane,
    plate: d.plate,
    then: { outcome: d.outcome, rule: d.rule },
    now: now && { outcome: now.outcome, rule: now.rule, reasons: now.reasons },
    change,
    ...(why === null ? {} : { why }),
  })
}
