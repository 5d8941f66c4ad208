/** The UHF readers over a line: presences, signal strength, several tags, trouble that the reader reports. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Presence } from '../../../firmware-bridge/driver.ts'
import * as chafonCodec from '../../../firmware-bridge/drivers/chafon/codec.ts'
import { settings as chafon } from '../../../firmware-bridge/drivers/chafon/schema.ts'
import { settings as r200 } from '../../../firmware-bridge/drivers/r200/schema.ts'
import type { Rig } from '../../contract/rig.ts'
import { soloRig } from './rigs.ts'

const TAG = 'E28068940000500012345678'
const OTHER = '30751FEB705C5904E3D50D70'
const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

async function make(driver: string, differs: Record<string, unknown> = {}, ms = 1_000) {
  const rig = await soloRig('bytes', { driver, ...differs })
  rigs.push(rig)
  const said: string[] = []
  rig.device.tag!.onPresence((p: Presence, there) => said.push(`${there ? '+' : '-'}${p.text}`))
  await rig.begin(ms)
  const counters = () => rig.device.health().counters as Record<string, number>
  return { rig, said, counters, place: (...epcs: string[]) => rig.sim.tag!.place(epcs), present: () => rig.device.tag!.present() }
}

describe.each<[string, string, Record<string, unknown>]>([
  ['r200, single looks', 'r200', {}],
  ['r200, looking by itself', 'r200', { mode: 'multi' }],
  ['chafon 18', 'chafon', {}],
  ['chafon 288', 'chafon', { family: '288', antennas: [1, 2, 4] }],
  ['chafon 18, active', 'chafon', { mode: 'active' }],
  ['chafon 288, active', 'chafon', { mode: 'active', family: '288' }],
])('%s', (_, driver, differs) => {
  test('a truck comes, stands and goes: one presence', async () => {
    const { rig, said, place, present, counters } = await make(driver, differs)
    expect(rig.device.health().state).toBe('ok')
    expect(present()).toEqual([])
    place(TAG)
    await rig.clock.advance(20_000)
    expect(present()).toMatchObject([{ text: TAG }])
    expect(present()[0]!.count).toBeGreaterThan(20)
    expect(present()[0]!.last).toBeGreaterThan(rig.clock.mono() - 2_000)
    place()
    await rig.clock.advance(3_000)
    expect(present()).toEqual([])
    expect(said).toEqual([`+${TAG}`, `-${TAG}`])
    expect(counters()).toMatchObject({ presences: 1, bad_frames: 0, skipped_bytes: 0, timeouts: 0, foreign: 0 })
  })

  test('many tags at once are all seen', async () => {
    const { rig, place, present } = await make(driver, differs)
    const epcs = Array.from({ length: 20 }, (_, i) => `E2${i.toString(16).padStart(22, '0').toUpperCase()}`)
    place(...epcs)
    await rig.clock.advance(3_000)
    expect(new Set(present().map((p) => p.text))).toEqual(new Set(epcs))
  })
})

test('r200: what is asked, what is kept', async () => {
  const { rig, place, present } = await make('r200')
  expect(new Set(rig.sent)).toEqual(new Set(['wire bb00220000227e']))
  rig.sim.fault!('silent')
  rig.noise(Buffer.from('BB02220011C9340030751FEB705C5904E3D50D703A76EF7E', 'hex'))
  await rig.clock.advance(10)
  const raw = 'BB02220011C9340030751FEB705C5904E3D50D703A76EF7E'
  expect(present()).toMatchObject([{ text: OTHER, rssi: -55, antenna: null, count: 1, raw }])
  place()
})

test('r200 looking by itself is started once, started again when it stops, and told to stop at the end', async () => {
  const { rig, counters } = await make('r200', { mode: 'multi' }, 5_000)
  expect(rig.sent).toEqual(['wire bb0027000322ffff4a7e'])
  rig.sim.fault!('silent')
  await rig.clock.advance(1_200)
  rig.sim.fault!('none')
  await rig.clock.advance(1_000)
  expect(rig.sent.length).toBeGreaterThan(1)
  expect(counters().timeouts).toBeGreaterThan(0)
  await rig.device.stop()
  await rig.clock.advance(50)
  expect(rig.sent.at(-1)).toBe('wire bb00280000287e')
})

test('a reader that does not answer is asked again after its time, not before', async () => {
  const { rig, counters } = await make('r200', { poll_ms: 100, answer_ms: 1_000 }, 10)
  rig.sim.fault!('silent')
  await rig.clock.advance(10_000)
  expect(rig.sent.length).toBeGreaterThan(8)
  expect(rig.sent.length).toBeLessThan(13)
  expect(counters().timeouts).toBeGreaterThan(7)
  expect(rig.device.health()).toMatchObject({ state: 'down', why: expect.stringContaining('nothing heard from the reader for 3 s') })
})

test('a false beginning of a long frame does not hold back what follows it', async () => {
  const { rig, place, present } = await make('chafon')
  place(TAG)
  rig.noise(Uint8Array.from([0xff]))
  await rig.clock.advance(1_500)
  expect(present()).toMatchObject([{ text: TAG }])
})

test('weak reads are counted and left out', async () => {
  const r = await make('r200', { min_rssi: -40 })
  r.place(TAG)
  await r.rig.clock.advance(2_000)
  expect(r.present()).toEqual([])
  expect(r.counters().weak).toBeGreaterThan(5)
  const c = await make('chafon', { family: '288', min_rssi: 107 })
  c.place(TAG)
  await c.rig.clock.advance(2_000)
  expect(c.present()).toMatchObject([{ text: TAG, rssi: 107, antenna: 1 }])
})

test('what the reader reports is said in words, and over with the next good answer', async () => {
  for (const [driver, words] of [
    ['r200', 'frequency hopping failed'],
    ['chafon', 'antenna is missing or broken'],
  ] as const) {
    const { rig } = await make(driver)
    rig.sim.fault!('exception')
    await rig.clock.advance(2_000)
    expect(rig.device.health()).toMatchObject({ state: 'degraded', why: expect.stringContaining(words) })
    rig.sim.fault!('none')
    await rig.clock.advance(2_000)
    expect(rig.device.health().state).toBe('ok')
  }
})

test('chafon: each antenna in turn, another reader is not listened to, tags that do not add up are said', async () => {
  const { rig, counters, present } = await make('chafon', { family: '288', address: 3, antennas: [2, 4] })
  expect(rig.sent.slice(0, 2).map((s) => s.slice(5, 29))).toEqual(['0d0301040001000000008102', '0d0301040001000000008302'])
  const tags = chafonCodec.encodeTags('288', 1, [{ epc: OTHER, rssi: 9 }])
  rig.noise(chafonCodec.encodeAnswer(7, 1, 1, tags))
  await rig.clock.advance(5)
  expect(counters().foreign).toBe(1)
  expect(present()).toEqual([])
  rig.noise(chafonCodec.encodeAnswer(3, 1, 1, [...tags, 0]))
  await rig.clock.advance(5)
  expect(rig.device.health()).toMatchObject({ state: 'degraded', why: expect.stringContaining('do not add up; is the family right?') })
})

test('chafon in active mode writes nothing', async () => {
  const { rig } = await make('chafon', { mode: 'active' }, 20_000)
  expect(rig.sent).toEqual([])
})

test('settings are bounded, and what can never work together is refused', () => {
  expect(r200.safeParse({ driver: 'r200', link: 'w' }).success).toBe(true)
  for (const bad of [{ poll_ms: 1 }, { mode: 'auto' }, { min_rssi: 5 }, { hold_ms: 1 }, { power: 26 }])
    expect(r200.safeParse({ driver: 'r200', link: 'w', ...bad }).success, JSON.stringify(bad)).toBe(false)
  expect(chafon.safeParse({ driver: 'chafon', link: 'w' }).success).toBe(true)
  for (const bad of [
    { antennas: [2] },
    { min_rssi: 50 },
    { family: '86' },
    { family: '288', antennas: [1, 1] },
    { family: '288', antennas: [5] },
    { family: '288', antennas: [] },
    { family: '288', scan_ms: 250 },
    { family: '288', scan_ms: 3_000 },
    { address: 256 },
  ])
    expect(chafon.safeParse({ driver: 'chafon', link: 'w', ...bad }).success, JSON.stringify(bad)).toBe(false)
})
