/** A disk that fills up under traffic: trucks are referred and nothing is lost; when there is room again, all goes on by itself. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { client } from '../gateway/uplink/helpers.ts'
import { openInside } from '../harness/chaos-inside.ts'
import { Collector } from '../harness/chaos-process.ts'
import { until } from '../harness/chaos-site.ts'
import { startMosquitto } from '../harness/mosquitto.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A small file system of its own, where the machine lets us have one. */
function smallDisk(mb: number): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'luong-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mb}m`, 'tmpfs', dir], { stdio: 'ignore' })
  } catch {
    rmSync(dir, { recursive: true, force: true })
    return null
  }
  return dir
}

/** Fills up to `leave` free bytes; returns how to make room again. */
function fill(dir: string, leave: number): () => void {
  const file = join(dir, 'ballast')
  const { bavail, bsize } = statfsSync(dir)
  const block = Buffer.alloc(64 * 1024)
  let left = bavail * bsize - leave
  try {
    for (; left > 0; left -= block.length) writeFileSync(file, block.subarray(0, Math.min(left, block.length)), { flag: 'a' })
  } catch {
    // Full is what was wanted.
  }
  return () => rmSync(file, { force: true })
}

async function fillsUp(dir: string): Promise<void> {
  cleanups.push(() => {
    execFileSync('umount', ['-l', dir])
    rmSync(dir, { recursive: true, force: true })
  })
  mkdirSync(join(dir, 'site'))
  // The centre is away all the time: nothing of this is published there before the disk is full.
  const central = await startMosquitto()
  cleanups.push(() => central.stop())
  await central.kill()
  const clock = new VirtualClock({ pace: 4 })
  clock.start()
  cleanups.push(() => clock.stop())
  const site = await openInside({
    lanes: ['a', 'b'],
    clock,
    dir: join(dir, 'site'),
    file: { data: { min_free_mb: 32 } },
    world: { traffic: { every_s: 8, trouble: 0 } },
    gateway: { uplinkUrl: central.url },
  })
  cleanups.push(() => site.stop())
  const [collector, centre] = [new Collector(), new Collector()]
  await collector.start(site.brokerUrl, 'luong/v1/chaos')
  cleanups.push(() => Promise.all([collector.stop(), centre.stop()]))
  const decided = () => [...collector.events.values()].filter((e) => e.text.includes('passage.decided'))
  const passes = () => decided().filter((e) => e.text.includes('"outcome":"pass"')).length
  await until('trucks pass', () => passes() >= 2, 90_000)

  // Nearly full: what is under way is finished, nobody new is let in.
  let room = fill(dir, 24 * 1024 * 1024)
  await until('health says so', async () => (await site.health()).problems.some((p) => /journal: .*free/.test(p)), 20_000)
  const [from, before] = [decided().length, passes()]
  await until('trucks are referred', () => decided().length >= from + 2, 90_000)
  expect(decided().slice(-1)[0]!.text).toMatch(/"outcome":"refer"/)
  expect(passes() - before).toBeLessThanOrEqual(1)
  expect(decided().at(-1)!.text).toMatch(/free|disk|journal/i)

  // Full to the last byte: nothing can be written; what happens is kept in memory and written when there is room.
  room()
  room = fill(dir, 0)
  await until('the journal refuses', async () => (await site.health()).ok === false, 30_000)
  const head = site.gateway.journal.head().sequence
  // Whoever waits turns round: that is something to be recorded.
  const turnRound = async () => {
    for (const lane of site.world.lanes.values()) lane.sendBack(0)
    return (await site.metric(/recorder_backlog/)) > 0
  }
  await until('something waits to be written', turnRound, 60_000)
  expect(site.gateway.journal.head().sequence).toBe(head)

  room()
  await until('it is written after all', async () => (await site.health()).ok && site.gateway.journal.head().sequence > head, 60_000)
  // The ones referred are let through by an officer; the ones after them pass by themselves again.
  const waved = setInterval(() => {
    for (const lane of ['a', 'b'])
      if (site.gateway.lane(lane)?.state.phase === 'waiting')
        void site.messages
          .publish(
            'luong/v1/chaos/command',
            JSON.stringify({
              id: `o-${lane}-${Math.round(performance.now())}`,
              lane,
              do: 'open',
              by: 'officer',
              reason: 'disk was full',
              expires: new Date(clock.now() + 60_000).toISOString(),
            }),
            { qos: 1, retain: false },
          )
          .catch(() => {})
  }, 1_000)
  cleanups.push(() => clearInterval(waved))
  const again = passes()
  await until('trucks pass by themselves again', () => passes() > again, 120_000)
  clearInterval(waved)
  expect(site.world.truth.disasters).toEqual([])
  // Vehicles were refused to the desk; what was not published was not touched, and is all there.
  await central.restart()
  await centre.start(central.url, 'luong/v1/chaos')
  // Whatever was sent before it listened.
  const again_ = {
    id: 'all',
    do: 'resend-from',
    from: 1,
    by: 'centre',
    reason: 'audit',
    expires: new Date(clock.now() + 60_000).toISOString(),
  }
  // Each where it listens: only there it comes again.
  await site.messages.publish('luong/v1/chaos/command', JSON.stringify(again_), { qos: 1, retain: false })
  const asking = client(central.url)
  cleanups.push(() => asking.endAsync(true))
  await asking.publishAsync('luong/v1/chaos/command', JSON.stringify({ ...again_, id: 'all-up' }), { qos: 1 })
  await until('the centre has all', () => centre.last >= head && centre.gaps().length === 0, 60_000)
  expect(centre.complaints).toEqual([])
  await until('the collector has all', () => collector.gaps().filter((n) => n > 1).length === 0)
  expect(collector.complaints).toEqual([])
  await site.stopGateway()
  const report = await verifyJournal(site.data)
  expect(report.bad).toBeUndefined()
}

const disk = smallDisk(160)

if (disk !== null) it('fills up, is full, and has room again: trucks are referred, nothing is lost', () => fillsUp(disk))
else
  it('has too little room (a disk of its own cannot be mounted here, so the rest is left to the tests of the journal)', async () => {
    process.stdout.write('disk: mount -t tmpfs is refused on this machine: a disk that is full to the last byte was not tried\n')
    const site = await openInside({
      lanes: ['a'],
      file: { data: { min_free_mb: 1_000_000 } },
      world: { traffic: { every_s: 8, trouble: 0 } },
    })
    cleanups.push(() => site.stop())
    const passage = await until('a truck is decided on', () => site.gateway.lane('a')?.passage?.decision, 60_000)
    expect(passage.outcome).toBe('refer')
    expect((await site.health()).problems.join()).toMatch(/MB free/)
  })
