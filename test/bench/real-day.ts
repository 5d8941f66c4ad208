/** A seeded day at Kim Thành (or Hữu Nghị) through a whole site with known plates, its report held against the truth. */
import { realDay } from '../harness/real-day.ts'
import { HUU_NGHI, KIM_THANH } from '../sim/day.ts'
import type { BenchOptions, Report } from './report.ts'

export async function realDayBench(o: BenchOptions): Promise<Report> {
  // 1: Kim Thành; 2: Hữu Nghị 2027.
  const busy = o.number('busy', 1) > 1
  const [seed, percent] = [o.number('seed', 1), o.number('percent', 10)]
  const d = await realDay({ counts: busy ? HUU_NGHI : KIM_THANH, seed, scale: percent / 100 })
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
      { what: 'not as it was', value: String(d.wrong.length), note: d.wrong.slice(0, 20).join('\n    ') },
    ],
    data: { ...d },
  }
}
