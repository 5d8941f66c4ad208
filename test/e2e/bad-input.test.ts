/** What comes over the brokers and is wrong: each refused in words, nothing moves, and the next truck passes as if nothing had been. */
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkerReaderPool } from '../../models/pool.ts'
import { pngBomb } from '../harness/bad-pictures.ts'
import { type Inside, openInside } from '../harness/chaos-inside.ts'
import { type RelayWrite, relayWrites } from '../harness/chaos-process.ts'
import { until } from '../harness/chaos-site.ts'
import { scenePainter } from '../sim/camera.ts'
import { rng } from '../sim/random.ts'
import { makeArrival } from '../sim/traffic.ts'
import { HABITS } from '../sim/truck.ts'

const BASE = 'luong/v1/chaos'
const LANE = { id: 'a', direction: 'import' as const, takes: ['loaded'], scale: false }

let site: Inside
let client: MqttClient
const writes: RelayWrite[] = []
const replies: { id: string; ok: boolean; error?: string }[] = []

beforeAll(async () => {
  // The real reader and drawn pictures.
  site = await openInside({
    lanes: ['a'],
    gateway: { pool: new WorkerReaderPool() },
    world: { traffic: false, painter: scenePainter(1) },
  })
  relayWrites(site.line.device, (w) => writes.push(w))
  client = await connectAsync(site.brokerUrl)
  await client.subscribeAsync(`${BASE}/command/reply`, { qos: 1 })
  client.on('message', (_, payload) => replies.push(JSON.parse(payload.toString())))
  await until('the lane is idle', () => phase() === 'idle')
}, 90_000)
afterAll(async () => {
  await client?.endAsync(true)
  await site?.stop()
})

const phase = () => site.gateway.lane('a')!.state.phase
const moves = () => writes.filter((w) => w.relay <= 3)
const send = (topic: string, body: unknown, retain = false) => {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return client.publishAsync(topic, payload, { qos: 1, retain })
}
const said = (words: RegExp) => until(`the log says ${words}`, () => site.log.find(words), 20_000)

/** A declared truck comes and passes: everything still works. */
async function aTruckPasses(no: number): Promise<void> {
  const arrival = makeArrival(no, LANE, Date.now(), rng(no, 'bad-input'), { trouble: 0, chinese: 0 }, HABITS.brisk)
  await send(`${BASE}/declaration/${arrival.declaration!.id}`, arrival.declaration, true)
  const before = site.world.truth.counts.passed
  const truth = site.world.send('a', arrival)
  const looked = performance.now()
  await until(
    `truck ${no} has passed`,
    () => {
      // A plate that could not be read is no matter of this test: the officer opens.
      const waiting = phase() === 'waiting' && performance.now() - looked > 2_000
      if (waiting) void send(`${BASE}/command`, order(`help-${no}-${Math.round(performance.now())}`, { do: 'open' }))
      return site.world.truth.counts.passed > before || truth.outcome === 'backed-out'
    },
    90_000,
  )
  await until('the lane is idle again', () => phase() === 'idle')
}

const order = (id: string, more: object) => ({
  id,
  lane: 'a',
  do: 'close',
  by: 'test',
  reason: 'test',
  expires: new Date(Date.now() + 30_000).toISOString(),
  ...more,
})

describe('pictures that are none', () => {
  const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0])
  it.each([
    ['text', 'hello camera', /the message is text, not a picture/],
    ['nothing', '', /the message is empty/],
    ['50 MB "JPEG"', Buffer.concat([JPEG, Buffer.alloc(50_000_000, 0x41)]), /48829 KiB, more than max_kb/],
    ['a tiny PNG of 40000 × 40000', pngBomb(40_000, 40_000), /40000 × 40000 pixels, more than/],
    ['JSON without a picture', '{"when":"now"}', /the JSON holds no picture/],
    ['half a data URI', 'data:image/jpeg;base64,/9j/4AAQSkZ', /header|base64/],
  ])('%s is refused in words', async (_, body, words) => {
    await send('camera/a/front', body)
    let told: string | undefined
    await until('health tells', async () => {
      told = (await site.health()).problems.find((p) => p.includes('front-a'))
      return words.test(told ?? '')
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${told}`)
    })
    expect(told).toMatch(/device front-a is degraded: .*camera\/a\/front was ignored/)
  })

  it('all of them are counted, and health names the topic until a good picture comes', async () => {
    const { problems } = await site.health()
    expect(problems.join('\n')).toMatch(/device front-a is degraded: .*camera\/a\/front/)
    expect(await site.metric(/device_events_total.*front-a.*too_many_pixels/)).toBe(1)
    expect(moves()).toEqual([])
  })

  it('a JPEG that breaks off is given to the reader while a truck stands there, and only that picture is lost', async () => {
    const whole = await scenePainter(9)({
      lane: 'a',
      side: 'front',
      number: 0,
      near: 1,
      night: false,
      vehicle: { truck: makeArrival(900, LANE, 0, rng(9), {}).truck } as never,
    })
    const spoil = setInterval(() => void send('camera/a/front', Buffer.from(whole.subarray(0, 4_000))), 60)
    await aTruckPasses(1).finally(() => clearInterval(spoil))
    await said(/a picture could not be read/)
  })
})

describe('declarations and list entries', () => {
  const good = () => makeArrival(50, LANE, Date.now(), rng(50), { trouble: 0 }).declaration!
  it.each([
    ['not JSON', 'plate=24C12345', /not JSON/],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), /not UTF-8/],
    ['an unknown field', () => ({ ...good(), colour: 'blue' }), /colour/],
    ['another id than its topic', () => ({ ...good(), id: 'OTHER' }), /id in the payload is .*OTHER/],
    ['no plate', () => ({ ...good(), plate: undefined }), /plate/],
    ['a weight of nonsense', () => ({ ...good(), weight_kg: -5 }), /weight_kg/],
    ['too long', () => ({ ...good(), goods: 'x'.repeat(100_000) }), /100\d\d\d bytes; at most/],
  ])('%s: ignored, with the reason in the log', async (_, body, words) => {
    const before = site.gateway.declarations.size
    await send(`${BASE}/declaration/SIM-50`, typeof body === 'function' ? body() : body)
    await said(words)
    expect(site.gateway.declarations.size).toBe(before)
  })

  it('a list entry that does not fit its topic', async () => {
    await send(`${BASE}/list/detained/24C11111`, { key: '24C22222' })
    await said(/key in the payload is/)
    expect(await site.metric(/inbox_invalid_total/)).toBeGreaterThanOrEqual(8)
  })
})

describe('commands', () => {
  const answer = (id: string) => until(`a reply to ${id}`, () => replies.find((r) => r.id === id))
  it.each([
    ['an unknown field', 'c1', { loud: true }, /loud/],
    ['an unknown verb', 'c2', { do: 'explode' }, /do/],
    ['a lane that is not there', 'c3', { lane: 'z' }, /there is no lane z; there are a/],
    ['no one responsible', 'c4', { by: '' }, /by/],
    ['expired', 'c5', { do: 'open', expires: '2020-01-01T00:00:00Z' }, /expired at 2020/],
    ['valid for years', 'c6', { do: 'open', expires: '2099-01-01T00:00:00Z' }, /24 hours/],
    ['for a vehicle that is not there', 'c7', { do: 'open', passage: '01J00000000000000000000000' }, /is not the vehicle in lane a/],
    ['no vehicle to refuse', 'c8', { do: 'refuse' }, /no vehicle/],
  ])('%s: exactly one reply that says why, and nothing moves', async (_, id, more, words) => {
    const before = moves().length
    await send(`${BASE}/command`, order(id, more))
    expect(await answer(id)).toMatchObject({ ok: false, error: expect.stringMatching(words) })
    expect(replies.filter((r) => r.id === id)).toHaveLength(1)
    expect(moves().length).toBe(before)
  })

  it('repeated: carried out once', async () => {
    const body = order('twice', { do: 'close-lane' })
    await send(`${BASE}/command`, body)
    expect(await answer('twice')).toMatchObject({ ok: true })
    await send(`${BASE}/command`, body)
    await until('the second reply', () => replies.filter((r) => r.id === 'twice').length === 2)
    expect(replies.filter((r) => r.id === 'twice')[1]).toMatchObject({ ok: false, error: expect.stringMatching(/repeated/) })
    await send(`${BASE}/command`, order('reopen', { do: 'open-lane' }))
    expect(await answer('reopen')).toMatchObject({ ok: true })
    await until('the lane is open again', () => phase() === 'idle')
  })

  it('not JSON, or without an id: nobody to answer to, so it is logged', async () => {
    await send(`${BASE}/command`, 'open!')
    await send(`${BASE}/command`, { do: 'open', lane: 'a' })
    await said(/a command was rejected.*not JSON/)
  })
})

it('after all that a truck passes, the journal verifies and every event is there', async () => {
  await aTruckPasses(2)
  expect(site.world.truth.disasters).toEqual([])
  const events = await site.gateway.journal.events(0, 10_000)
  expect(events.map((e) => e.sequence)).toEqual(events.map((_, i) => i + 1))
  const rejected = events.filter((e) => e.type === 'luong.command.rejected.v1').length
  expect(rejected).toBeGreaterThanOrEqual(8)
})
