/** The edge bench twice: quiet, and while a process on the same machine attacks the broker. What matters is the ratio. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { edge } from './edge.ts'
import { type BenchOptions, inWords, type Report, type Spread } from './report.ts'

/** Starts the attacker; what it did is known when it has ended. */
function attack(port: number): () => Promise<Record<string, number>> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./attacker.js', import.meta.url)), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (bytes) => {
    text += bytes
  })
  return async () => {
    child.kill('SIGTERM')
    await new Promise((done) => (child.exitCode === null ? child.once('close', done) : done(null)))
    return JSON.parse(text || '{}') as Record<string, number>
  }
}

export async function attacked(o: BenchOptions): Promise<Report> {
  const quiet = await edge(o)
  let did: Record<string, number> = {}
  const under = await edge(o, (port) => {
    const end = attack(port)
    return async () => {
      did = await end()
    }
  })
  const [a, b] = [quiet, under].map((r) => r.data.all as Spread) as [Spread, Spread]
  const ratio = b.p99 / a.p99
  return {
    bench: 'attack',
    title: 'loop edge on the wire → relay bytes, quiet and while the embedded broker is attacked from the same machine',
    command: 'npm run bench -- attack',
    rows: [
      { what: 'edge → command, quiet', value: inWords(a) },
      { what: 'edge → command, attacked', value: inWords(b) },
      { what: 'p99, attacked to quiet', value: `${ratio.toFixed(2)} ×`, note: 'aim ≤ 2; the attacker takes its share of the same cores' },
      ...under.rows.filter((r) => /event-loop|trucks|the gateway/.test(r.what)).map((r) => ({ ...r, what: `attacked: ${r.what.trim()}` })),
      {
        what: 'the attacker',
        value: Object.entries(did)
          .map(([what, n]) => `${n} ${what}`)
          .join(', '),
      },
    ],
    data: { quiet: quiet.data, attacked: under.data, ratio, attacker: did },
  }
}
