/** Row 5: what the other half handed over passes; what it did not, what differs, what is late and what nobody can ask about is referred. */
import { describe, expect, it } from 'vitest'
import { peerFacts } from '../../gateway/peer/facts.ts'
import { passage, TwoHalves } from '../gateway/peer/world.ts'
import { expectDecided, gate, type Vehicle } from './rig.ts'

const MIN = 60_000

/** A vehicle leaves Youyiguan (b) for Vietnam as `handed`, and stands at Hữu Nghị (a) as `vehicle`. */
async function crosses(
  handed: { plate: string; trailer?: string; tags?: string[] } | null,
  vehicle: Vehicle,
  options: { wait?: number; cut?: boolean } = {},
) {
  const two = new TwoHalves()
  two.connect()
  if (handed) {
    const { plate, tags, ...more } = handed
    const share = tags ? { tag: tags[0] } : {}
    two.give(two.b, passage('cleared', 'import', plate, { half: two.b, at: two.at }, { ...more, share }))
  }
  two.pass(options.wait ?? 5 * MIN)
  if (options.cut) {
    two.disconnect()
    two.pass(20 * MIN)
  }
  const g = await gate('huu-nghi')
  g.declare({})
  const settings = { ...two.a.settings, peer: 'youyiguan' }
  return g.arrive('import-1', vehicle, (identity, direction) => peerFacts(two.a.state, settings, two.a.now(two.at), identity, direction))
}

describe('a vehicle from the other side', () => {
  it('passes as it was handed over', async () => {
    const d = await crosses({ plate: '24C12345' }, {})
    expectDecided(d, 'pass', 'declared', '24C12345')
    expect(d.alarms).toEqual([])
  })

  it('that was handed over passes also when the link is cut since', async () => {
    expectDecided(await crosses({ plate: '24C12345' }, {}, { cut: true }), 'pass', 'declared')
  })

  it('that nobody handed over is referred, with an alarm', async () => {
    const d = await crosses({ plate: '24C99999' }, {})
    expectDecided(d, 'refer', 'pair-unexpected', '24C12345', 'youyiguan')
    expect(d.alarms).toEqual(['peer-unexpected'])
  })

  it('that nobody can ask about is referred, without one', async () => {
    const d = await crosses(null, {}, { cut: true })
    expectDecided(d, 'refer', 'pair-cut', '24C12345', 'youyiguan')
    expect(d.alarms).toEqual([])
  })

  it.each([
    ['another trailer', { plate: '24C12345', trailer: '24RM04466' }, { rear: '24RM00817' }, '24RM04466 ≠ 24RM00817'],
    ['other plates', { plate: '24C77777', tags: ['E2801'] }, { tags: ['E2801'] }, '24C77777 ≠ 24C12345'],
  ])('with %s is referred, with an alarm that says what was swapped', async (_, handed, vehicle, words) => {
    const d = await crosses(handed, vehicle)
    expectDecided(d, 'refer', 'pair-swapped', words)
    expect(d.alarms).toEqual(['peer-swapped'])
  })

  it('that was longer on the way than allowed is referred', async () => {
    expectDecided(await crosses({ plate: '24C12345' }, {}, { wait: 45 * MIN }), 'refer', 'pair-late', '45')
  })

  it('detained there or here never passes, handed over or not', async () => {
    const g = await gate('huu-nghi')
    g.declare({})
    g.list('detained', '24C12345')
    expectDecided(await g.arrive('import-1'), 'refer', 'detained')
  })
})

it('a vehicle on its way to the other side needs nobody there', async () => {
  const two = new TwoHalves()
  const g = await gate('huu-nghi')
  g.declare({ direction: 'export' })
  const d = await g.arrive('export-1', {}, (identity, direction) =>
    peerFacts(two.a.state, two.a.settings, two.a.now(0), identity, direction),
  )
  expectDecided(d, 'pass', 'declared')
})

it('a site without another half is not concerned', async () => {
  const g = await gate('kim-thanh')
  g.declare({})
  const d = await g.arrive('import-1')
  expectDecided(d, 'pass', 'declared')
  expect(g.rules.rules.map((r) => r.id)).toEqual(expect.arrayContaining(['pair-swapped', 'pair-cut', 'pair-unexpected', 'pair-late']))
})
