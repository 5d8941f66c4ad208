import { describe, expect, it } from 'vitest'
import type { Camera, Frame, Scale, Weight } from '../../../firmware-bridge/driver.ts'
import { Presences } from '../../../firmware-bridge/presences.ts'
import { Listeners } from '../../../gateway/kernel/listeners.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'
import { type Findings, Identifier } from '../../../gateway/site/identifier.ts'
import type { LaneReader } from '../../../gateway/site/sightings.ts'
import type { PlateRead, ReadResult } from '../../../models/plate.ts'

function plate(text: string, p = 0.97): PlateRead {
  const chars = [...text].map((char) => ({ char, p, others: [] }))
  return {
    text,
    country: 'vn',
    lines: 1,
    colour: 'yellow',
    confidence: p ** chars.length,
    weakest: p,
    accepted: true,
    quad: [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
    chars,
  }
}

/** A lane with two cameras; what is read of a picture is written in it. */
function rig(options: { scale?: Weight | null; readers?: readonly LaneReader[] } = {}) {
  const weights = new Listeners<[Weight | null]>()
  let weight = options.scale ?? null
  const clock = new VirtualClock({ epoch: 0 })
  const cameras = new Map<string, Listeners<[Frame]>>([
    ['front', new Listeners<[Frame]>()],
    ['rear', new Listeners<[Frame]>()],
  ])
  const camera = (id: string): Camera => ({ onFrame: (fn) => cameras.get(id)!.add(fn) })
  const scale: Scale | null = options.scale === undefined ? null : { read: () => weight, onWeight: (fn) => weights.add(fn) }
  const submitted: string[] = []
  let slow = 0
  const identifier = new Identifier({
    lane: 'a',
    cameras: [
      { id: 'front', position: 'front', camera: camera('front') },
      { id: 'rear', position: 'rear', camera: camera('rear') },
    ],
    scale,
    readers: options.readers ?? [],
    pool: {
      submit: (key, image) =>
        new Promise<ReadResult>((resolve) => {
          submitted.push(key)
          const text = Buffer.from(image).toString()
          const answer = { plates: text === '' ? [] : [plate(text)], width: 1, height: 1, ms: { decode: 0, detect: 0, read: 0 } }
          clock.after(slow, () => resolve(answer))
        }),
    },
    // Reading takes this clock's time here, so the clock must not wait for it.
    clock: { now: () => clock.now(), mono: () => clock.mono(), after: (ms, fn) => clock.after(ms, fn), track: (work) => work },
    log: silentLog,
    vote: { minFrames: 2, minWeakest: 0.6 },
    settleMs: 1_500,
  })
  identifier.start()
  const send = (id: string, text: string, at: number) =>
    clock.after(at, () => cameras.get(id)!.emit({ camera: id, image: Buffer.from(text), at: clock.mono() }))
  const begin = (limit: number) =>
    new Promise<Findings & { at: number }>((resolve) => identifier.begin(limit, (f) => resolve({ ...f, at: clock.mono() })))
  const weigh = (next: Weight, at: number) =>
    clock.after(at, () => {
      weight = next
      weights.emit(next)
    })
  return { clock, identifier, send, begin, submitted, weigh, slow: (ms: number) => (slow = ms) }
}

describe('identifier', () => {
  it('says who it is as soon as front and rear are sure', async () => {
    const r = rig()
    for (const t of [100, 400]) r.send('front', '24C12345', t)
    for (const t of [150, 500]) r.send('rear', '24R01234', t)
    r.clock.start()
    const f = await r.begin(8_000)
    expect(f.at).toBeLessThan(600)
    expect(f.plates.map((p) => [p.text, p.position, p.sure])).toEqual([
      ['24C12345', 'front', true],
      ['24R01234', 'rear', true],
    ])
    expect(f.pictures.map((p) => p.camera)).toEqual(['front', 'rear'])
    r.clock.stop()
  })

  it('waits for the rear plate only for a while', async () => {
    const r = rig()
    for (const t of [100, 400]) r.send('front', '24C12345', t)
    r.clock.start()
    const f = await r.begin(8_000)
    expect(f.at).toBeGreaterThanOrEqual(1_900)
    expect(f.at).toBeLessThan(2_100)
    r.clock.stop()
  })

  it('says what it has when its time is up, with the pictures for the officer', async () => {
    const r = rig()
    r.send('front', '', 100)
    r.clock.start()
    const f = await r.begin(6_400)
    expect(f).toMatchObject({ at: 6_400, plates: [], pictures: [{ camera: 'front' }] })
    r.clock.stop()
  })

  it('goes on while the truck stands still: a plate that becomes readable late is still read', async () => {
    const r = rig()
    for (let t = 100; t < 4_000; t += 300) r.send('front', '', t)
    for (let t = 4_000; t < 8_000; t += 300) r.send('front', '24C12345', t)
    r.clock.start()
    const f = await r.begin(20_000)
    // Pictures without a plate count against it, so it takes as many with it again.
    expect(f.plates[0]).toMatchObject({ text: '24C12345' })
    r.clock.stop()
  })

  it('reads one picture of a camera at a time and takes the newest next', async () => {
    const r = rig()
    r.slow(1_000)
    for (let t = 0; t < 3_000; t += 100) r.send('front', '24C12345', t)
    r.clock.start()
    await r.begin(2_950)
    expect(r.submitted.length).toBeLessThanOrEqual(3)
    r.clock.stop()
  })

  it('waits for a stable weight, and never takes an unstable one', async () => {
    const unstable: Weight = { kg: 31_000, stable: false, overload: false, at: 0, raw: '' }
    const r = rig({ scale: unstable })
    for (const t of [100, 400]) r.send('front', '24C12345', t)
    r.clock.start()
    expect(await r.begin(8_000)).toMatchObject({ weight_kg: null, at: 8_000 })
    r.clock.stop()
    // The truck comes to rest on the scale long after both plates were read.
    const late = rig({ scale: unstable })
    for (const t of [100, 400]) for (const id of ['front', 'rear']) late.send(id, '24C12345', t)
    late.weigh({ ...unstable, stable: true }, 4_200)
    late.clock.start()
    expect(await late.begin(8_000)).toMatchObject({ weight_kg: 31_000, at: 4_200 })
    late.clock.stop()
    const s = rig({ scale: { ...unstable, stable: true } })
    for (const t of [100, 400]) s.send('front', '24C12345', t)
    s.clock.start()
    expect((await s.begin(8_000)).weight_kg).toBe(31_000)
    s.clock.stop()
    // Nobody stands on it: that is no empty truck.
    const bare = rig({ scale: { ...unstable, kg: 0, stable: true } })
    for (const t of [100, 400]) bare.send('front', '24C12345', t)
    bare.clock.start()
    expect((await bare.begin(8_000)).weight_kg).toBeNull()
    bare.clock.stop()
  })

  describe('with a tag reader and a scanner', () => {
    const EPC = 'E28068940000500012345678'
    function readers(clock: () => VirtualClock) {
      const made = new Map<string, Presences>()
      const lazy = (id: string): Presences => {
        if (!made.has(id)) made.set(id, new Presences(clock(), 2_000))
        return made.get(id)!
      }
      const one = (id: string, kind: 'tag' | 'code'): LaneReader => ({
        id,
        kind,
        reader: { present: () => lazy(id).present(), onPresence: (fn) => lazy(id).onPresence(fn) },
      })
      const see = (id: string, text: string, rssi: number | null = null) => lazy(id).see({ text, rssi, antenna: null })
      return { all: [one('uhf', 'tag'), one('qr', 'code')], see }
    }
    function make() {
      const { all, see } = readers(() => r.clock)
      const r = rig({ readers: all })
      for (const t of [100, 400]) r.send('front', '24C12345', t)
      for (const t of [150, 500]) r.send('rear', '24R01234', t)
      return { ...r, see: (at: number, ...read: Parameters<typeof see>) => void r.clock.after(at, () => see(...read)), now: see }
    }

    it('takes what is there already and what comes, strongest tag first, and waits for nothing more', async () => {
      const r = make()
      r.now('uhf', EPC, -60)
      r.see(50, 'uhf', 'AAAA0001', -40)
      r.see(90, 'uhf', EPC, -50)
      r.see(200, 'qr', 'TK-1')
      r.clock.start()
      const f = await r.begin(8_000)
      expect(f.at).toBeLessThan(700)
      expect(f.tags).toEqual([
        { text: 'AAAA0001', reader: 'uhf', count: 1, rssi: -40 },
        { text: EPC, reader: 'uhf', count: 2, rssi: -50 },
      ])
      expect(f.codes).toEqual([{ text: 'TK-1', reader: 'qr', count: 1, rssi: null }])
      r.clock.stop()
    })

    it('waits for a tag, but only for a while: not every truck has one', async () => {
      const r = make()
      r.see(1_200, 'uhf', EPC)
      r.clock.start()
      const f = await r.begin(8_000)
      expect([f.at, f.tags.length]).toEqual([1_200, 1])
      r.clock.stop()
      const none = make()
      none.clock.start()
      const g = await none.begin(8_000)
      expect(g.at).toBeGreaterThanOrEqual(1_900)
      expect(g.at).toBeLessThan(2_100)
      expect([g.tags, g.codes]).toEqual([[], []])
      none.clock.stop()
    })

    it('knows a tag that has gone meanwhile, and none of the truck before', async () => {
      const r = make()
      r.now('uhf', 'BBBB0002')
      r.see(2_100, 'uhf', EPC)
      r.clock.start()
      await new Promise<void>((resolve) => r.clock.after(2_050, resolve))
      r.slow(5_000)
      for (const t of [100, 400, 900]) r.send('front', '24C12345', t)
      expect((await r.begin(6_000)).tags.map((t) => t.text)).toEqual([EPC])
      r.clock.stop()
    })

    it('keeps a bounded number of tags', async () => {
      const r = make()
      for (let i = 0; i < 40; i++) r.now('uhf', `EE${i}`)
      r.clock.start()
      expect((await r.begin(8_000)).tags).toHaveLength(16)
      r.clock.stop()
    })
  })
})
