/**
 * `npm run bench [-- NAME… --json …]`: measures, asserts nothing. Without names all benches run, one after the other, each a minute
 * or a few.
 */
import { type BenchOptions, benchOptions, load, print, type Report } from './report.ts'

const BENCHES: Readonly<Record<string, () => Promise<(options: BenchOptions) => Promise<Report>>>> = {
  start: async () => (await import('./start.ts')).start,
  attack: async () => (await import('./attack.ts')).attacked,
  edge: async () => (await import('./edge.ts')).edge,
  rules: async () => (await import('./rules.ts')).rules,
  decide: async () => (await import('./decide.ts')).decide,
  plates: async () => (await import('./plates.ts')).plates,
  day: async () => (await import('./day.ts')).day,
  'real-day': async () => (await import('./real-day.ts')).realDayBench,
  journal: async () => (await import('./journal.ts')).journal,
  memory: async () => (await import('./memory.ts')).memory,
  faults: async () => (await import('./uplink/faults.ts')).faults,
  outage: async () => (await import('./uplink/outage.ts')).outage,
  uplink: async () => (await import('./uplink/side-by-side.ts')).uplink,
}

const options = benchOptions(process.argv.slice(2))
const names = options.names.length > 0 ? options.names : Object.keys(BENCHES)
for (const name of names) {
  const bench = await BENCHES[name]?.()
  if (!bench) {
    process.stderr.write(`there is no bench ${name}; there are ${Object.keys(BENCHES).join(', ')}\n`)
    process.exitCode = 2
    break
  }
  const before = load()
  print(await bench(options), options.json, before)
}
