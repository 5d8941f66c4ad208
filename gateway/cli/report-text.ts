/** The words of `luong report`: a table a subject, the period beside the one before. */
import type { LoadFigures, PeriodFigures } from '../figures/period.ts'
import type { SiteReport, StaysReport } from '../figures/report.ts'
import type { Summary } from '../figures/summary.ts'
import { table } from './columns.ts'
import { type Language, named, type Say, say, type Word } from './report-words.ts'

/** Rows of a group that people read; `--json` has all. */
const MOST_ROWS = 12

const minute = (t: string): string => t.slice(0, 16).replace('T', ' ')
const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`)
const seconds = (n: number | null | undefined): string => (n == null ? '-' : `${n.toFixed(1)} s`)
const tonnes = (kg: number): string => grouped(kg / 1000, 1)
const money = (value: LoadFigures['value']): string =>
  Object.entries(value)
    .map(([currency, n]) => `${grouped(n)} ${currency}`)
    .join(' + ') || '-'
const grouped = (n: number, digits = 0): string => n.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ' ')

/** `+65.8 %`; `new` where there was nothing before. */
export function change(now: number, before: number, t: Say = say('en')): string {
  if (before === 0) return now === 0 ? '' : t('new')
  const by = ((now - before) / before) * 100
  const text = Math.abs(by) < 10 ? by.toFixed(1) : String(Math.round(by * 10) / 10)
  return `${by > 0 ? '+' : ''}${text} %`
}

export function reportText(r: SiteReport, language: Language = 'en'): string {
  return new ReportText(r, say(language)).text()
}

class ReportText {
  readonly #r: SiteReport
  readonly #now: PeriodFigures
  readonly #before: PeriodFigures
  readonly #t: Say

  constructor(report: SiteReport, t: Say) {
    this.#r = report
    this.#now = report.period
    this.#before = report.before
    this.#t = t
  }

  text(): string {
    const [r, now, before, t] = [this.#r, this.#now, this.#before, this.#t]
    return [
      `${r.site}  ${minute(now.from)} ${t('to')} ${minute(now.to)} (${r.timezone}); ${t('before: from')} ${minute(before.from)}`,
      table(this.#counts()),
      now.passages === 0 ? '' : `${t('lanes')}\n${table(this.#lanes())}`,
      this.#stopped(),
      now.loads.all.trucks + before.loads.all.trucks === 0 ? '' : `${t('what drove through')}\n${table(this.#loads())}`,
      this.#turns(),
      this.#twoWay(),
      this.#sampling(),
      this.#stays(r.stays),
      this.#happened(),
      this.#hours(),
    ]
      .filter((part) => part !== '')
      .join('\n\n')
  }

  get #heads(): string[] {
    return ['', this.#t('period'), this.#t('before'), this.#t('change')]
  }

  #row(title: string, a: number, b: number): string[] {
    return [title, String(a), String(b), change(a, b, this.#t)]
  }

  #counts(): string[][] {
    const [now, before, t] = [this.#now, this.#before, this.#t]
    const compare = (title: Word, pick: (f: PeriodFigures) => Readonly<Record<string, number>>): string[][] =>
      [...new Set([...Object.keys(pick(now)), ...Object.keys(pick(before))])]
        .sort()
        .map((key) => this.#row(`${t(title)} ${named(t, key)}`, pick(now)[key] ?? 0, pick(before)[key] ?? 0))
    const both = (title: Word, of: (f: PeriodFigures) => string) => [t(title), of(now), of(before), '']
    const wait = (mean: Word, p95: Word, of: (f: PeriodFigures) => Summary) =>
      of(now).count + of(before).count === 0 ? [] : [both(mean, (f) => seconds(of(f).mean)), both(p95, (f) => seconds(of(f).p95))]
    const perishable = now.waiting_s.perishable.count + before.waiting_s.perishable.count > 0
    return [
      this.#heads,
      this.#row(t('passages'), now.passages, before.passages),
      ...compare('outcome', (f) => f.outcomes),
      this.#row(t('sent to the officer'), now.referred, before.referred),
      ...(now.referred + before.referred === 0 ? [] : [this.#row(t('of them let in'), now.let_in, before.let_in)]),
      ...compare('lane', (f) => f.lanes),
      ...compare('direction', (f) => f.directions),
      both('passage time, mean', (f) => seconds(f.passage_s?.mean)),
      both('passage time, 95 %', (f) => seconds(f.passage_s?.p95)),
      ...wait('to decision, mean', 'to decision, 95 %', (f) => f.waiting_s.all),
      ...(perishable
        ? [
            ...wait('to decision, perishable, mean', 'to decision, perishable, 95 %', (f) => f.waiting_s.perishable),
            ...wait('to decision, other, mean', 'to decision, other, 95 %', (f) => f.waiting_s.other),
          ]
        : []),
      both('plates read', (f) => percent(f.read_rate)),
    ]
  }

  #lanes(): string[][] {
    const rows = Object.entries(this.#now.by_lane).map(([lane, l]) => [
      lane,
      String(l.passages),
      String(l.cleared),
      seconds(l.waiting_s.mean),
      seconds(l.waiting_s.p95),
      seconds(l.passage_s.mean),
      seconds(l.passage_s.p95),
      String(l.most_in_an_hour),
    ])
    const heads = ['lane', 'passages', 'cleared', 'decided in', '95 %', 'cleared in', '95 %', 'busiest hour'] as const
    return [heads.map((word) => this.#t(word)), ...rows]
  }

  /** Which rules kept vehicles from driving on, and what became of them. */
  #stopped(): string {
    const [now, before, t] = [this.#now.stopped, this.#before.stopped, this.#t]
    const rows = [...new Set([...Object.keys(now), ...Object.keys(before)])]
      .sort((a, b) => (now[b]?.passages ?? 0) - (now[a]?.passages ?? 0))
      .map((rule) => {
        const [a, b] = [now[rule]?.passages ?? 0, before[rule]?.passages ?? 0]
        const outcome = (now[rule] ?? before[rule])!.outcome
        return [rule, named(t, outcome), String(a), String(now[rule]?.let_in ?? 0), String(b), change(a, b, t)]
      })
    if (rows.length === 0) return ''
    const heads = ['', ...(['decision', 'period', 'let in', 'before', 'change'] as const).map((word) => t(word))]
    return `${t('not let in by the rules')}\n${table([heads, ...rows.slice(0, MOST_ROWS), ...this.#more(rows.length, heads.length)])}`
  }

  /** The last row of a table that has more than are shown. */
  #more(rows: number, cells: number, title = ''): string[][] {
    if (rows <= MOST_ROWS) return []
    return [[`${title}${rows - MOST_ROWS} ${this.#t('more in --json')}`, ...Array<string>(cells - 1).fill('')]]
  }

  #loads(): string[][] {
    const [now, before, t] = [this.#now, this.#before, this.#t]
    const NONE: LoadFigures = { trucks: 0, net_kg: 0, value: {} }
    const row = (title: string, a: LoadFigures, b: LoadFigures): string[] => [
      title,
      String(a.trucks),
      change(a.trucks, b.trucks, t),
      tonnes(a.net_kg),
      change(a.net_kg, b.net_kg, t),
      money(a.value),
      Object.keys({ ...a.value, ...b.value })
        .map((currency) => change(a.value[currency] ?? 0, b.value[currency] ?? 0, t))
        .join(' / '),
    ]
    const groups = (['direction', 'lane', 'traffic', 'goods', 'firm'] as const).flatMap((by) => {
      const [a, b] = [now.loads[by], before.loads[by]]
      const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort((x, y) => (a[y]?.trucks ?? 0) - (a[x]?.trucks ?? 0))
      const rows = names.slice(0, MOST_ROWS).map((name) => row(`${t(by)} ${named(t, name)}`, a[name] ?? NONE, b[name] ?? NONE))
      return [...rows, ...this.#more(names.length, 7, `${t(by)}: `)]
    })
    const heads = ['trucks', 'change', 'net t', 'change', 'value', 'change'] as const
    return [['', ...heads.map((word) => t(word))], row(t('all'), now.loads.all, before.loads.all), ...groups]
  }

  #turns(): string {
    const { turns: now, turns_before: before } = this.#r
    const t = this.#t
    if (now.first.count + now.other.count + before.first.count + before.other.count === 0) return ''
    const wait = (titles: readonly [Word, Word, Word], of: 'first' | 'other') => [
      this.#row(t(titles[0]), now[of].count, before[of].count),
      [t(titles[1]), seconds(now[of].mean), seconds(before[of].mean), ''],
      [t(titles[2]), seconds(now[of].p95), seconds(before[of].p95), ''],
    ]
    return `${t('turns, where lanes lead into one place')}\n${table([
      this.#heads,
      ...wait(['perishable or marked: waited', 'perishable or marked: for, mean', 'perishable or marked: for, 95 %'], 'first'),
      ...wait(['others: waited', 'others: for, mean', 'others: for, 95 %'], 'other'),
      this.#row(t('went before one that came earlier'), now.went_before, before.went_before),
      [t('most often that one was overtaken'), String(now.most_overtaken), String(before.most_overtaken), ''],
    ])}`
  }

  #twoWay(): string {
    const [now, before, t] = [this.#now.two_way, this.#before.two_way, this.#t]
    if (now.passages + before.passages === 0) return ''
    return `${t('two-way cargo')}\n${table([
      this.#heads,
      this.#row(t('firms'), now.firms, before.firms),
      this.#row(t('passages'), now.passages, before.passages),
      this.#row(t('vehicles going home'), now.returns, before.returns),
      this.#row(t('of them empty'), now.empty_returns, before.empty_returns),
      [t('share of empty returns'), percent(now.empty_share), percent(before.empty_share), ''],
    ])}`
  }

  #sampling(): string {
    const { sampling: all } = this.#now
    const t = this.#t
    if (all.length === 0) return ''
    return `${t('sampling (a draw can be repeated with its seed and the id of the declaration: luong rules draws)')}\n${samplingTable(all, t)}`
  }

  #stays(s: StaysReport | null): string {
    if (s === null) return ''
    const [{ policy: p }, t] = [s, this.#t]
    const first = s.oldest_empty_h === null ? '' : `, ${t('the first for')} ${s.oldest_empty_h} h`
    const head = `${t('inside at')} ${minute(s.at)}: ${s.inside} ${t('of the other side')}, ${s.two_way} ${t('on two-way trips')}, ${s.empties} ${t('empty (allowed:')} ${p.empties}${first}); ${t('went back in the period:')} ${s.went_back}, ${t('late:')} ${s.went_back_late}`
    const limits = `(${t('two-way, empty, others:')} ${p.two_way_h}, ${p.empty_h}, ${p.other_h} h)`
    if (s.over.length === 0) return `${head}\n${t('nobody is over the longest stay')} ${limits}`
    const rows = s.over
      .slice(0, MOST_ROWS)
      .map((v) => [v.plate, minute(v.since), `${v.hours} h`, `${v.limit_h} h`, v.two_way ? t('two-way') : ''])
    const heads = (['plate', 'since', 'inside', 'allowed'] as const).map((word) => t(word))
    return `${head}\n${t('over the longest stay')} ${limits}\n${table([[...heads, ''], ...rows, ...this.#more(s.over.length, 5)])}`
  }

  #happened(): string {
    const { happenings: now, happenings_before: before } = this.#r
    const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].sort()
    if (names.length === 0) return ''
    const rows = names.map((name) => this.#row(this.#happening(name), now[name] ?? 0, before[name] ?? 0))
    return `${this.#t('what else happened')}\n${table([this.#heads, ...rows])}`
  }

  /** `alarm tailgating`, `lane plan done`: what follows the kind is a name. */
  #happening(name: string): string {
    const kind = (['alarm', 'lane plan'] as const).find((k) => name.startsWith(`${k} `))
    return kind ? `${this.#t(kind)} ${name.slice(kind.length + 1)}` : named(this.#t, name)
  }

  #hours(): string {
    const all = this.#now.hours
    const most = Math.max(1, ...all)
    const rows = all.flatMap((n, hour) =>
      n === 0
        ? []
        : [`${String(hour).padStart(2, '0')}:00  ${String(n).padStart(String(most).length)}  ${'#'.repeat(Math.ceil((n / most) * 40))}`],
    )
    return rows.length === 0 ? '' : [this.#t('arrivals by hour'), ...rows].join('\n')
  }
}

/** Loads and draws by goods, seed and rate. */
export function samplingTable(all: PeriodFigures['sampling'], t: Say = say('en')): string {
  const rows = all.map((s) => [
    s.goods,
    s.seed,
    percent(s.rate),
    String(s.asked),
    String(s.drawn),
    `${s.least} ${t('to')} ${s.most}`,
    t(s.within ? 'as promised' : 'OUTSIDE'),
  ])
  const heads = (['goods', 'seed', 'rate', 'loads', 'drawn', 'by chance'] as const).map((word) => t(word))
  return table([[...heads, ''], ...rows])
}
