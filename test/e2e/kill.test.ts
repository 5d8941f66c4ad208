/**
 * kill -9 at random moments of a busy site, again and again on the same data folder. The world, the broker and a consumer of events
 * live on while the gateway dies. LUONG_KILLS=200 for the long run.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadSite } from '../../config/load.ts'
import { openReader } from '../../gateway/journal/reader.ts'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { desk, Gate, listenLine } from '../harness/chaos-gate.ts'
import { Collector, type RelayWrite, relayWrites, runGateway } from '../harness/chaos-process.ts'
import { quiet, until, writeSite } from '../harness/chaos-site.ts'
import { startMosquitto } from '../harness/mosquitto.ts'
import { between, chance, rng } from '../sim/random.ts'

const ROUNDS = Number(process.env.LUONG_KILLS ?? 10)
const SEED = process.env.LUONG_SEED ?? 'kill'
const LANES = ['a', 'b', 'c']
const BASE = 'luong/v1/chaos'
const END = /^luong\.passage\.(cleared|refused|redirected|aborted)\.v1$/

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean()
})

interface Row {
  readonly sequence: number
  readonly type: string
  readonly lane: string | null
  readonly passage: string | null
  readonly at: number
  readonly json: string
}

/** What the journal says, read a little further after each boot, and held against what was said before. */
class Account {
  readonly rows: Row[] = []
  readonly open = new Map<string, string>()
  readonly ends = new Map<string, string>()
  readonly counts: Record<string, number> = {}

  /** Reads on; returns the new rows. */
  read(dir: string): Row[] {
    const reader = openReader(dir)
    try {
      const fresh: Row[] = []
      for (;;) {
        const more = reader.queries.events(this.rows.length, 2_000) as Row[]
        if (more.length === 0) break
        for (const row of more) {
          expect(row.sequence).toBe(this.rows.length + 1)
          this.rows.push(row)
          fresh.push(row)
          this.#count(row)
        }
      }
      return fresh
    } finally {
      reader.close()
    }
  }

  #count({ type, lane, passage }: Row): void {
    this.counts[type] = (this.counts[type] ?? 0) + 1
    if (passage === null) return
    if (type === 'luong.passage.arrived.v1') {
      expect(this.open.has(passage) || this.ends.has(passage), `${passage} arrived twice`).toBe(false)
      this.open.set(passage, lane!)
    } else if (END.test(type)) {
      expect(this.ends.get(passage), `${passage} ended twice`).toBeUndefined()
      expect(this.open.has(passage), `${passage} ended without having arrived`).toBe(true)
      this.open.delete(passage)
      this.ends.set(passage, type)
    } else if (type.startsWith('luong.passage.')) {
      expect(this.open.has(passage), `${type} of ${passage}, which is not in a lane`).toBe(true)
    }
  }
}

const barrierWrites = (writes: readonly RelayWrite[]) => writes.filter((w) => w.relay <= 3 && w.value !== 0x0000)

describe(`kill -9 at ${ROUNDS} random moments`, () => {
  it(
    'loses nothing, repeats nothing, moves nothing by starting',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'luong-kill-'))
      cleanups.push(() => rm(dir, { recursive: true, force: true }))
      const mosquitto = await startMosquitto()
      cleanups.push(() => mosquitto.stop())
      const bus = await listenLine('127.0.0.1', 0, quiet)
      cleanups.push(() => bus.stop())
      const site = await writeSite({
        dir,
        lanes: LANES,
        bus: { kind: 'tcp', host: '127.0.0.1', port: Number(bus.where.split(':')[1]) },
        broker: { external: { url: mosquitto.url } },
        timing: { authorised_ms: 20_000 },
      })
      const data = join(dir, 'data')
      const collector = new Collector()
      await collector.start(mosquitto.url, BASE)
      cleanups.push(() => collector.stop())
      const gate = await Gate.make({ loaded: await loadSite(site), brokerUrl: mosquitto.url, bus, seed: SEED })
      const writes: RelayWrite[] = []
      relayWrites(bus.line, (w) => writes.push(w))
      gate.start()
      cleanups.push(() => gate.stop())
      cleanups.push(desk(collector, gate, BASE, SEED))

      const r = rng(SEED, 'moments')
      const account = new Account()
      let motions = 0
      let beforeReady = 0
      let caught = 0
      for (let round = 1; round <= ROUNDS + 1; round++) {
        const from = account.rows.length
        const firstWrite = writes.length
        const gateway = runGateway(site)
        const last = round > ROUNDS
        cleanups.push(() => gateway.kill('SIGKILL'))
        if (!last && chance(r, 0.15)) {
          beforeReady++
          await new Promise((done) => setTimeout(done, between(r, 50, 1_500)))
        } else {
          await gateway.ready()
          if (!last) await new Promise((done) => setTimeout(done, between(r, 200, ROUNDS > 20 ? 14_000 : 8_000)))
        }
        if (last) {
          gate.enough()
          await until('all lanes are empty', () => gate.empty, 240_000)
          const idle = () => LANES.every((l) => collector.lanes.get(l)?.phase === 'idle')
          await until(`all lanes are idle: ${JSON.stringify([...collector.lanes])}`, idle, 60_000)
          expect(await gateway.kill('SIGTERM')).toBe(0)
        } else expect(await gateway.kill('SIGKILL')).toBe(null)
        const endedAt = Date.now()
        // What the dead process had sent is with the boards by now.
        await new Promise((done) => setTimeout(done, 50))

        const report = await verifyJournal(data).catch((error: Error) => {
          // Killed before the very first journal was made.
          if (account.rows.length === 0 && /no journal|no such folder/.test(error.message)) return null
          throw error
        })
        if (report === null) continue
        expect(report.bad).toBeUndefined()
        const fresh = account.read(data)
        expect(collector.complaints).toEqual([])
        for (const seen of collector.events.values())
          expect(account.rows[seen.sequence - 1]?.json, `event ${seen.sequence} was published and is not in the journal so`).toBe(seen.text)
        for (const lane of LANES) {
          const open = [...account.open].filter(([, l]) => l === lane)
          expect(open.length, `lane ${lane} has ${open.length} passages without an end`).toBeLessThanOrEqual(1)
        }
        caught += account.open.size
        // Opened for the truck that was there, and not for one whose pictures were left over from before.
        for (const e of fresh.filter(decidedPass)) {
          const plate = (JSON.parse(e.json) as { subject?: string }).subject
          const there = gate.world.truth.vehicles.some(
            (v) => v.lane === e.lane && v.plate === plate && v.arrivedAt + gate.offset < e.at && (v.goneAt ?? 1e15) + gate.offset > e.at,
          )
          expect(there, `${plate} was let into lane ${e.lane} and was not there`).toBe(true)
        }
        // Motion: only after a decision or a command of this boot, or behind a truck that was under the arm when it began.
        const mine = barrierWrites(writes.slice(firstWrite))
        motions += mine.length
        for (const [i, lane] of LANES.entries()) {
          const [first] = mine.filter((w) => w.unit === i + 1 || w.relay === 0)
          if (!first) continue
          const cause = fresh.some(
            (e) => e.sequence > from && e.lane === lane && e.at <= first.at + 1 && e.at >= gateway.startedAt && isCause(e, first.relay),
          )
          const behind =
            first.relay === 2 &&
            gate.world.truth.vehicles.some((v) => {
              const through = v.throughAt === null ? 0 : v.throughAt + gate.offset
              return v.lane === lane && through > gateway.startedAt - 3_000 && through < first.at
            })
          const story = fresh.filter((e) => e.lane === lane).map((e) => `${new Date(e.at).toISOString()} ${e.type}`)
          expect(
            cause || behind,
            `round ${round}: relay ${first.relay} of lane ${lane} written at ${new Date(first.at).toISOString()} without a cause since the start at ${new Date(gateway.startedAt).toISOString()}\n${story.join('\n')}`,
          ).toBe(true)
        }
        // Nothing between two boots.
        expect(writes.filter((w) => w.at > endedAt + 50)).toEqual([])
        if (round % 10 === 0 || last)
          process.stdout.write(
            `kill: ${round} boots, ${account.rows.length} events, ${account.ends.size} passages ended, ${motions} barrier writes\n`,
          )
      }

      expect(account.open.size, 'every passage has its end').toBe(0)
      await until('the collector has all', () => collector.last === account.rows.length && collector.gaps().length === 0, 20_000)
      expect(collector.complaints).toEqual([])
      expect(account.counts['luong.passage.cleared.v1'] ?? 0).toBeGreaterThan(0)
      expect(gate.world.truth.disasters.filter((d) => d.kind === 'arm-on-vehicle')).toEqual([])
      const { counts } = gate.world.truth
      process.stdout.write(
        `kill: ${ROUNDS} kills, ${beforeReady} of them before ready, ${caught} times a passage was open at the kill; ` +
          `trucks ${JSON.stringify(counts)}; duplicates seen ${collector.duplicates}; ${JSON.stringify(account.counts)}\n`,
      )
    },
    Math.max(240_000, ROUNDS * 30_000),
  )
})

function decidedPass({ type, json }: Row): boolean {
  if (type !== 'luong.passage.decided.v1') return false
  return (JSON.parse(json) as { data: { decision?: { outcome: string } } }).data.decision?.outcome === 'pass'
}

function isCause(e: Row, relay: number): boolean {
  if (e.type !== 'luong.command.accepted.v1') return decidedPass(e)
  const { data } = JSON.parse(e.json) as { data: { do?: string } }
  return data.do === 'open' || (data.do === 'close' && relay !== 1)
}
