/** `luong report`: what passed in a period, against the period before. */
import { type Command, Option } from 'commander'
import { LISTS_STATE, listsState } from '../declarations/state.ts'
import { lastArrival, siteReport } from '../figures/report.ts'
import { type JournalReader, openReader } from '../journal/reader.ts'
import { localTime, type Zone } from '../journal/zone.ts'
import { LuongError } from '../kernel/errors.ts'
import { finish, printer } from './print.ts'
import { reportText } from './report-text.ts'
import { LANGUAGES, type Language, say } from './report-words.ts'

interface Options {
  readonly from?: string
  readonly to?: string
  readonly json?: true
  readonly lang: Language
}

const DAY = 86_400_000

export function report(program: Command): void {
  program
    .command('report')
    .argument('<data-dir>', 'data folder of a gateway, running or not')
    .description('counts, times and loads of a period, compared with the period before; without a period, the last day with traffic')
    .option('--from <time>', 'RFC 3339, or local: 2026-11-21 or 2026-11-21T08:00')
    .option('--to <time>', 'end of the period, not included; a day after --from when absent')
    .addOption(new Option('--lang <language>', 'of the words').choices(LANGUAGES).default('en'))
    .option('--json', 'one JSON object, always in English')
    .action((dir: string, options: Options) =>
      finish(async () => {
        const reader = openReader(dir)
        try {
          const [from, to] = period(options, reader.zone, lastArrival(reader) ?? Date.now())
          const figures = siteReport(reader, from, to)
          const lists = listsNow(reader)
          await printer().line(
            options.json
              ? JSON.stringify({ ...figures, lists })
              : `${reportText(figures, options.lang)}\n\n${listsText(lists, options.lang)}`,
          )
          return 0
        } finally {
          reader.close()
        }
      }),
    )
}

function period(options: Options, zone: Zone, last: number): [number, number] {
  const to = options.to === undefined ? undefined : time('--to', options.to, zone)
  const midnight = () => localTime(zone, `${zone.format(last).slice(0, 10)}T00:00`)
  const from = options.from === undefined ? (to === undefined ? midnight() : to - DAY) : time('--from', options.from, zone)
  const end = to ?? from + DAY
  if (end <= from) throw new LuongError('BAD_USAGE', '--to must be after --from')
  return [from, end]
}

function time(option: string, given: string, zone: Zone): number {
  const local = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/.exec(given)
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(given)
  const at = local ? localTime(zone, local[1] === undefined ? `${given}T00:00` : given) : rfc3339 ? Date.parse(given) : Number.NaN
  if (Number.isNaN(at))
    throw new LuongError('BAD_USAGE', `${option} ${given}: no such time`, {
      hint: 'Write 2026-11-21, 2026-11-21T08:00 or 2026-11-21T08:00:00+07:00.',
    })
  return at
}

/** What is declared at present, whatever the period. */
interface ListsNow {
  readonly declarations: number
  readonly entries: number
  readonly newest: string | null
  readonly contact: string | null
}

function listsNow({ db, queries, zone }: JournalReader): ListsNow {
  const { contact, newest } = listsState(queries.documents(LISTS_STATE))
  const count = db.prepare<[string], number>('SELECT count(*) FROM documents WHERE collection = ?').pluck()
  const time = (at: number | null) => (at === null ? null : zone.format(at))
  return { declarations: count.get('declarations')!, entries: count.get('lists')!, newest: time(newest), contact: time(contact) }
}

function listsText({ declarations, entries, newest, contact }: ListsNow, language: Language): string {
  const t = say(language)
  const minute = (time: string | null) => (time === null ? t('never') : time.slice(0, 16).replace('T', ' '))
  return `${t('now on site:')} ${declarations} ${t('declarations,')} ${entries} ${t('list entries; newest change')} ${minute(newest)}, ${t('last contact with the platform')} ${minute(contact)}`
}
