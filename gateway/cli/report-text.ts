/** The words of `luong report`: a table a subject, the period beside the one before. */
import type { LoadFigures, PeriodFigures } from '../figures/period.ts'
import type { SiteReport, StaysReport } from '../figures/report.ts'
import type { Summary } from '../figures/summary.ts'
import { table } from './print.ts'

/** Rows of a group that people read; `--json` has all. */
const MOST_ROWS = 12

const minute = (t: string): string => t.slice(0, 16).replace('T', ' ')
const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`)
const seconds = (n: number | null | undefined): string => (n == null ? '-' : `${n} s`)
const tonnes = (kg: number): string => (kg / 1000).toFixed(1)
const money = (value: LoadFigures['value']): string =>
  Object.entries(value)
    .map(([currency, n]) => `${grouped(n)} ${currency}`)
    .join(' + ') || '-'
const grouped = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ' ')

/** `+65.8 %`; `new` where there was nothing before. */
export function change(now: number, before: number): string {
  if (before === 0) return now === 0 ? '' : 'new'
  const by = ((now - before) / before) * 100
  const text = Math.abs(by) < 10 ? by.toFixed(1) : String(Math.round(by * 10) / 10)
  return `${by > 0 ? '+' : ''}${text} %`
}

export function reportText(r: SiteReport): string {
  const { period: now, before } = r
  const head = `${r.site}  ${minute(now.from)} to ${minute(now.to)} (${r.timezone}); before: from ${minute(before.from)}`
  return [
    head,
    table(counts(now, before)),
    now.passages === 0 ? '' : `lanes\n${table(lanes(now))}`,
    now.loads.all.trucks + before.loads.all.trucks === 0 ? '' : `what drove through\n${table(loads(now, before))}`,
    turns(r),
    twoWay(now, before),
    sampling(now),
    stays(r.stays),
    happened(r),
    hours(now),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function counts(now: PeriodFigures, before: PeriodFigures): string[][] {
  const compare = (title: string, pick: (f: PeriodFigures) => Readonly<Record<string, number>>): string[][] =>
    [...new Set([...Object.keys(pick(now)), ...Object.keys(pick(before))])].sort().map((key) => {
      const [a, b] = [pick(now)[key] ?? 0, pick(before)[key] ?? 0]
      return [`${title} ${key}`, String(a), String(b), change(a, b)]
    })
  const both = (title: string, of: (f: PeriodFigures) => string) => [title, of(now), of(before), '']
  const wait = (title: string, of: (f: PeriodFigures) => Summary) =>
    of(now).count + of(before).count === 0
      ? []
      : [both(`${title}, mean`, (f) => seconds(of(f).mean)), both(`${title}, 95 %`, (f) => seconds(of(f).p95))]
  return [
    ['', 'period', 'before', 'change'],
    ['passages', String(now.passages), String(before.passages), change(now.passages, before.passages)],
    ...compare('outcome', (f) => f.outcomes),
    ['sent to the officer', String(now.referred), String(before.referred), change(now.referred, before.referred)],
    ...compare('lane', (f) => f.lanes),
    ...compare('direction', (f) => f.directions),
    both('passage time, mean', (f) => seconds(f.passage_s?.mean)),
    both('passage time, 95 %', (f) => seconds(f.passage_s?.p95)),
    ...wait('to decision', (f) => f.waiting_s.all),
    ...(now.waiting_s.perishable.count + before.waiting_s.perishable.count === 0
      ? []
      : [...wait('to decision, perishable', (f) => f.waiting_s.perishable), ...wait('to decision, other', (f) => f.waiting_s.other)]),
    both('plates read', (f) => percent(f.read_rate)),
  ]
}

function lanes({ by_lane }: PeriodFigures): string[][] {
  const rows = Object.entries(by_lane).map(([lane, l]) => [
    lane,
    String(l.passages),
    String(l.cleared),
    seconds(l.waiting_s.mean),
    seconds(l.waiting_s.p95),
    seconds(l.passage_s.mean),
    seconds(l.passage_s.p95),
    String(l.most_in_an_hour),
  ])
  return [['lane', 'passages', 'cleared', 'decided in', '95 %', 'cleared in', '95 %', 'busiest hour'], ...rows]
}

function loads(now: PeriodFigures, before: PeriodFigures): string[][] {
  const NONE: LoadFigures = { trucks: 0, net_kg: 0, value: {} }
  const row = (title: string, a: LoadFigures, b: LoadFigures): string[] => [
    title,
    String(a.trucks),
    change(a.trucks, b.trucks),
    tonnes(a.net_kg),
    change(a.net_kg, b.net_kg),
    money(a.value),
    Object.keys({ ...a.value, ...b.value })
      .map((currency) => change(a.value[currency] ?? 0, b.value[currency] ?? 0))
      .join(' / '),
  ]
  const groups = (['direction', 'traffic', 'goods', 'firm'] as const).flatMap((by) => {
    const [a, b] = [now.loads[by], before.loads[by]]
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort((x, y) => (a[y]?.trucks ?? 0) - (a[x]?.trucks ?? 0))
    const rows = names.slice(0, MOST_ROWS).map((name) => row(`${by} ${name}`, a[name] ?? NONE, b[name] ?? NONE))
    return names.length > MOST_ROWS ? [...rows, [`${by}: ${names.length - MOST_ROWS} more in --json`, '', '', '', '', '', '']] : rows
  })
  return [['', 'trucks', 'change', 'net t', 'change', 'value', 'change'], row('all', now.loads.all, before.loads.all), ...groups]
}

function turns({ turns: now, turns_before: before }: SiteReport): string {
  if (now.first.count + now.other.count + before.first.count + before.other.count === 0) return ''
  const wait = (title: string, of: 'first' | 'other') => [
    [`${title}: waited`, String(now[of].count), String(before[of].count), change(now[of].count, before[of].count)],
    [`${title}: for, mean`, seconds(now[of].mean), seconds(before[of].mean), ''],
    [`${title}: for, 95 %`, seconds(now[of].p95), seconds(before[of].p95), ''],
  ]
  return `turns, where lanes lead into one place\n${table([
    ['', 'period', 'before', 'change'],
    ...wait('perishable or marked', 'first'),
    ...wait('others', 'other'),
    ['went before one that came earlier', String(now.went_before), String(before.went_before), change(now.went_before, before.went_before)],
    ['most often that one was overtaken', String(now.most_overtaken), String(before.most_overtaken), ''],
  ])}`
}

function twoWay({ two_way: now }: PeriodFigures, { two_way: before }: PeriodFigures): string {
  if (now.passages + before.passages === 0) return ''
  const row = (title: string, a: number, b: number) => [title, String(a), String(b), change(a, b)]
  return `two-way cargo\n${table([
    ['', 'period', 'before', 'change'],
    row('firms', now.firms, before.firms),
    row('passages', now.passages, before.passages),
    row('vehicles going home', now.returns, before.returns),
    row('of them empty', now.empty_returns, before.empty_returns),
    ['share of empty returns', percent(now.empty_share), percent(before.empty_share), ''],
  ])}`
}

function sampling({ sampling: all }: PeriodFigures): string {
  return all.length === 0
    ? ''
    : `sampling (a draw can be repeated with its seed and the id of the declaration: luong rules draws)\n${samplingTable(all)}`
}

/** Loads and draws by goods, seed and rate. */
export function samplingTable(all: PeriodFigures['sampling']): string {
  const rows = all.map((s) => [
    s.goods,
    s.seed,
    percent(s.rate),
    String(s.asked),
    String(s.drawn),
    `${s.least} to ${s.most}`,
    s.within ? 'as promised' : 'OUTSIDE',
  ])
  return table([['goods', 'seed', 'rate', 'loads', 'drawn', 'by chance', ''], ...rows])
}

function stays(s: StaysReport | null): string {
  if (s === null) return ''
  const { policy: p } = s
  const first = s.oldest_empty_h === null ? '' : `, the first for ${s.oldest_empty_h} h`
  const head = `inside at ${minute(s.at)}: ${s.inside} of the other side, ${s.two_way} on two-way trips, ${s.empties} empty (of ${p.empties} allowed${first}); went back in the period: ${s.went_back}, late ${s.went_back_late}`
  const limits = `(two-way ${p.two_way_h} h, empty ${p.empty_h} h, others ${p.other_h} h)`
  if (s.over.length === 0) return `${head}\nnobody is over the longest stay ${limits}`
  const rows = s.over
    .slice(0, MOST_ROWS)
    .map((v) => [v.plate, minute(v.since), `${v.hours} h`, `${v.limit_h} h`, v.two_way ? 'two-way' : ''])
  const more = s.over.length > MOST_ROWS ? `\n${s.over.length - MOST_ROWS} more in --json` : ''
  return `${head}\nover the longest stay ${limits}\n${table([['plate', 'since', 'inside', 'allowed', ''], ...rows])}${more}`
}

function happened({ happenings: now, happenings_before: before }: SiteReport): string {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].sort()
  if (names.length === 0) return ''
  const rows = names.map((name) => [name, String(now[name] ?? 0), String(before[name] ?? 0), change(now[name] ?? 0, before[name] ?? 0)])
  return `what else happened\n${table([['', 'period', 'before', 'change'], ...rows])}`
}

function hours({ hours: all }: PeriodFigures): string {
  const most = Math.max(1, ...all)
  const rows = all.flatMap((n, hour) =>
    n === 0
      ? []
      : [`${String(hour).padStart(2, '0')}:00  ${String(n).padStart(String(most).length)}  ${'#'.repeat(Math.ceil((n / most) * 40))}`],
  )
  return rows.length === 0 ? '' : ['arrivals by hour', ...rows].join('\n')
}
