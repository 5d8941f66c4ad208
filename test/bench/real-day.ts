/** A seeded day at Kim Thành (or Hữu Nghị) through a whole site with known plates, its report held against the truth. `--data DIR` keeps it. */
import type { Prompt } from '../harness/promptness.ts'
import { type DayProgress, realDay } from '../harness/real-day.ts'
import { HUU_NGHI, KIM_THANH } from '../sim/day.ts'
import { type BenchOptions, inWords, type Report, type Row, spread } from './report.ts'

/** Trucks between two lines on stderr. */
const STEP = 200

export async function realDayBench(o: BenchOptions): Promise<Report> {
  // 1: Kim Thành; 2: Hữu Nghị 2027.
  const busy = o.number('busy', 1) > 1
  const [seed, percent] = [o.number('seed', 1), o.number('percent', 10)]
  const d = await realDay(
    { counts: busy ? HUU_NGHI : KIM_THANH, seed, scale: percent / 100 },
    { onProgress: tell, dataDir: o.text('data') },
  )
  return {
    bench: 'real-day',
    title: `${percent} % of a day at ${busy ? 'Hữu Nghị 2027' : 'Kim Thành'}, 3 % of every trouble, plates known`,
    command: `npm run bench -- real-day --percent ${percent} --seed ${seed}${busy ? ' --busy 2' : ''}`,
    rows: [
      {
        what: 'trucks',
        value: `${d.trucks} came, ${d.passed} passed`,
        note: `${d.byOfficer} let through by an officer, ${d.turnedBack} turned back`,
      },
      { what: 'time', value: `${d.hours.toFixed(1)} h in ${d.seconds.toFixed(0)} s`, note: `${d.events} events` },
      ...promptness(d.prompts),
      { what: 'not as it was', value: String(d.wrong.length), note: d.wrong.slice(0, 20).join('\n    ') },
    ],
    data: { ...d },
  }
}

/** Of the aim "within 100 ms of the last needed input". */
function promptness(prompts: readonly Prompt[]): Row[] {
  const known = prompts.filter((p) => p.last !== 'time')
  const decided = (pass: boolean) => inWords(spread(known.filter((p) => p.pass === pass).map((p) => p.decided_ms)))
  const opened = known.filter((p) => p.open_ms !== undefined)
  const by = (['plates', 'weight', 'tag or code'] as const).map((last) => `${known.filter((p) => p.last === last).length} × ${last}`)
  return [
    {
      what: 'last needed input → decision: pass',
      value: decided(true),
      note: `real time; last came ${by.join(', ')}; ${prompts.length - known.length} were decided when the time to wait for more was up`,
    },
    { what: '  to the officer', value: decided(false), note: 'when the pictures that he will want to see are on the disk' },
    {
      what: 'last needed input → open at the board',
      value: inWords(spread(opened.map((p) => p.open_ms! + p.wire_ms!))),
      note: 'at most: real time and time of the gate together; who waited for a turn is left out',
    },
    { what: '  of it real time', value: inWords(spread(opened.map((p) => p.open_ms!))), note: 'the simulated world included' },
    { what: '  of it time of the gate', value: inWords(spread(opened.map((p) => p.wire_ms!))), note: 'the line was busy with a poll' },
  ]
}

function tell({ left, of, hours, seconds }: DayProgress): void {
  if (left % STEP === 0) process.stderr.write(`${left} of ${of} trucks have left; ${hours.toFixed(1)} h in ${seconds.toFixed(0)} s\n`)
}
