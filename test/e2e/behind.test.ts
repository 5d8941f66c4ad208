/** A declared truck waits behind one whose plate is covered with mud: the arm must not open for the wrong one. */
import sharp from 'sharp'
import { afterEach, expect, it } from 'vitest'
import { until } from '../harness/chaos-site.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import { type CameraSide, type Painter, scenePainter } from '../sim/camera.ts'
import { frame, HD, type Still, still } from '../sim/draw/picture.ts'
import { rng } from '../sim/random.ts'
import { announce, makeArrival } from '../sim/traffic.ts'
import { HABITS, type Truck } from '../sim/truck.ts'

let site: RunningSite | null = null
afterEach(() => site?.stop())

/** The truck at the line with mud over its plates, at the rear all of it, and over its shoulder the other one, far smaller. */
function muddy(behind: Truck): Painter {
  const plain = scenePainter(1)
  const stills = new Map<string, Promise<Still>>()
  const seen = (truck: Truck, side: CameraSide) => {
    const key = `muddy ${truck.no} ${side}`
    const made = stills.get(key) ?? still({ plate: side === 'front' ? truck.front : null, side, night: false }, key, HD)
    stills.set(key, made)
    return made
  }
  return async (shot) => {
    const { truck } = shot.vehicle
    if (truck.no === behind.no) return plain(shot)
    const own = await seen(truck, shot.side)
    const picture = await frame(own, `muddy ${truck.no} ${shot.number}`)
    if (shot.side === 'rear') return picture
    const [tl, tr, br] = own.quad
    const mud = `<svg width="${HD.width}" height="${HD.height}"><rect x="${tl[0] - 16}" y="${Math.min(tl[1], tr[1]) - 16}"
      width="${(tr[0] - tl[0]) * 0.3 + 16}" height="${br[1] - tl[1] + 32}" rx="6" fill="#5b4a37"/></svg>`
    const other = await seen(behind, 'front')
    const [x, y] = other.quad[0].map(Math.round) as [number, number]
    const far = await sharp(await frame(other, 'behind'))
      .extract({ left: x - 150, top: y - 120, width: 500, height: 300 })
      .resize(200)
      .toBuffer()
    return sharp(picture)
      .composite([{ input: Buffer.from(mud) }, { input: far, left: 30, top: 60 }])
      .jpeg({ quality: 88 })
      .toBuffer()
  }
}

it('a covered plate is not replaced by that of the truck behind it, which passes when its turn comes', async () => {
  const lane = { id: 'lane', direction: 'import' as const, takes: ['loaded'], scale: true }
  const now = Date.parse('2026-11-21T03:00:00Z')
  const arrival = (no: number, habit: keyof typeof HABITS) =>
    makeArrival(no, lane, now, rng(no, 'behind'), { trouble: 0, chinese: 0, bodies: { rigid: 1, semi: 0, drawbar: 0 } }, HABITS[habit])
  const declared = arrival(2, 'normal')
  const covered = { ...arrival(1, 'reverser'), declaration: null }
  site = await startSite({ file: 'test/sim-tests/one-lane.yaml', pace: 20, epoch: now, realReader: muddy(declared.truck) })
  const { centre, gateway, world } = site
  await site.phases('idle')
  announce({ declare: (d) => void centre.publish(`declaration/${d.id}`, d, true), withdraw() {}, list() {} }, declared)
  await until('it is declared', () => gateway.declarations.size === 1)
  world.send('lane', covered)
  await until('it went away', () => centre.log.of('passage.aborted').length === 1)
  const [first] = centre.log.of('passage.decided')
  expect(first!.data.decision).toMatchObject({ outcome: 'refer' })
  expect(centre.log.of('passage.cleared')).toEqual([])
  world.send('lane', declared)
  await until('the declared one is through', () => centre.log.of('passage.cleared').length === 1)
  expect(centre.log.of('passage.cleared')[0]!.subject).toBe(declared.truck.front!.text)
  expect(world.truth.counts).toMatchObject({ passed: 1, backedOut: 1 })
})
