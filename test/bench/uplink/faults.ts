/** A thousand faults between the uplink and its broker. */
import { faultyUplink } from '../../harness/faulty-uplink.ts'
import { type BenchOptions, inWords, type Report, spread } from '../report.ts'

export async function faults(o: BenchOptions): Promise<Report> {
  const [count, seed] = [o.number('faults', 1_000), o.number('seed', 1)]
  const rows: Report['rows'][number][] = []
  const data: Record<string, unknown> = {}
  for (const persistence of [true, false]) {
    const said = (done: number) => done % 50 === 0 && process.stderr.write(`${done} of ${count / 2} faults\n`)
    const r = await faultyUplink({ faults: Math.round(count / 2), seed: seed + Number(persistence), persistence, said })
    const broker = persistence ? 'broker that keeps' : 'broker that forgets'
    const kinds = Object.entries(r.blows).map(([kind, n]) => `${n} ${kind}`)
    rows.push(
      { what: broker, value: `${kinds.join(', ')}`, note: `${r.events} events in ${r.seconds.toFixed(0)} s, ${r.connects} connections` },
      {
        what: '',
        value: `${r.lost} lost, ${r.duplicated} duplicated, ${r.changed} of them with other bytes`,
        note: `resend-from asked ${r.asked} times`,
      },
      { what: 'hung link found after', value: inWords(spread(r.hung)) },
    )
    data[broker] = r
  }
  return {
    bench: 'faults',
    title: `${count} faults of the line and the broker`,
    command: `npm run bench -- faults --faults ${count} --seed ${seed}`,
    rows,
    data,
  }
}
