/** 72 hours without the centre, and the way back. */
import { outageDrill } from '../../harness/outage-drill.ts'
import { type BenchOptions, inWords, type Report, spread } from '../report.ts'

/** The busiest gate of the domain: 2,500 trucks a day, half of them within four peak hours: one every 11.5 s, here for all the time. */
const PEAK_MS = 11_520

export async function outage(o: BenchOptions): Promise<Report> {
  const hours = o.number('hours', 72)
  const r = await outageDrill({ hours, everyMs: PEAK_MS, liveEveryMs: 1_000, cuts: 2 })
  const late = spread(r.lateness)
  return {
    bench: 'outage',
    title: `${hours} h of peak traffic (a truck every ${PEAK_MS / 1000} s) held, then sent while a truck comes every second; the program is stopped and started twice on the way`,
    command: `npm run bench -- outage --hours ${hours}`,
    rows: [
      { what: 'held on disk', value: `${r.held} events, ${r.journalMb.toFixed(0)} MB`, note: `recorded in ${r.fillS.toFixed(0)} s` },
      { what: 'caught up', value: `in ${r.catchUpS.toFixed(0)} s`, note: `${r.timesRealTime.toFixed(0)} × real time; aim ≥ 50` },
      { what: 'live meanwhile', value: `append → centre ${inWords(late)}`, note: 'aim < 2 s' },
      {
        what: 'audit',
        value: `${r.lost} lost, ${r.duplicated} duplicated (${r.changed} with other bytes), ${r.disorder} out of order in their lane, ${r.unmarked} marked wrongly`,
      },
    ],
    data: { ...r, lateness: late },
  }
}
