/** Orders that are not what they seem, to a running gateway with a truck at its line, over a Mosquitto with users and an access list. */
import { connect, connectAsync, type MqttClient } from 'mqtt'
import { afterEach, expect, it } from 'vitest'
import { openInside } from '../harness/chaos-inside.ts'
import { until } from '../harness/chaos-site.ts'
import { passwordFile } from '../harness/mosquitto.ts'
import { type Standing, standing } from '../harness/standing.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const BASE = 'luong/v1/chaos'
const USERS = { gate: 'g-pass', world: 'w-pass', centre: 'c-pass', second: 's-pass', thief: 't-pass' }
/** `second` is another one who may give orders; `thief` may look at everything and say nothing. */
const ACL = `user gate
topic readwrite #
user world
topic readwrite camera/#
user centre
topic readwrite ${BASE}/#
user second
topic readwrite ${BASE}/#
user thief
topic read #
`

async function site(): Promise<Standing> {
  const passwords = await passwordFile(Object.entries(USERS).map(([name, password]) => ({ name, password })))
  return standing({
    undo,
    users: USERS,
    mosquitto: {
      config: ['allow_anonymous false', 'password_file DIR/passwords', 'acl_file DIR/acl'],
      files: { passwords, acl: ACL },
    },
  })
}

async function as(s: Standing, user: keyof typeof USERS): Promise<MqttClient> {
  const client = await connectAsync(s.url(user), { protocolVersion: 4 })
  undo.push(() => client.endAsync(true))
  return client
}

const order = (id: string, more: object = {}) =>
  JSON.stringify({
    id,
    lane: 'a',
    do: 'open',
    by: 'Officer Lan',
    reason: 'papers seen',
    expires: new Date(Date.now() + 600_000).toISOString(),
    ...more,
  })

const send = (client: MqttClient, bytes: string | Buffer, retain = false) =>
  client.publishAsync(`${BASE}/command`, bytes, { qos: 1, retain })
/** What was written to the arm's relays. */
const moves = (s: Standing) => s.writes.filter((w) => w.relay <= 3).length
const replies = (s: Standing, id: string) => s.centre.log.replies.filter((r) => r.id === id)
const journalled = (s: Standing, id: string) =>
  s.centre.log
    .bySequence()
    .filter((e) => e.data.id === id && e.type.startsWith('luong.command.'))
    .map((e) => `${e.type.split('.')[2]} by ${e.data.by}: ${e.data.why ?? 'done'}`)
const repliesCome = (s: Standing, id: string, n: number) => until(`${n} replies to ${id}`, () => replies(s, id).length >= n)
const waits = (s: Standing) => s.centre.log.states.get('a')?.phase === 'waiting'

it('the same bytes again open nothing: not for the next truck, not after kill -9, not from another user, not retained', async () => {
  const s = await site()
  const [centre, second, thief] = [await as(s, 'centre'), await as(s, 'second'), await as(s, 'thief')]
  const bytes = order('o-1')
  await send(centre, bytes)
  await until('the first truck is through', () => s.told('passage.cleared').length === 1)
  expect(replies(s, 'o-1')).toEqual([{ id: 'o-1', ok: true }])
  await until('the lane is idle', () => s.centre.log.states.get('a')?.phase === 'idle')
  s.send()
  await until('the next truck is referred', () => s.told('passage.referred').length === 2 && waits(s))
  const before = moves(s)

  await send(centre, bytes)
  await repliesCome(s, 'o-1', 2)
  await send(second, bytes)
  await repliesCome(s, 'o-1', 3)
  // Who may only look is not even heard, whatever name he gives.
  await send(thief, bytes)
  await send(thief, order('t-1', { by: 'Officer Lan' }))
  await s.again()
  await until('the truck is referred anew', () => s.told('passage.referred').length === 3 && waits(s))
  for (const [n, client] of [centre, second].entries()) {
    await send(client, bytes)
    await repliesCome(s, 'o-1', 4 + n)
  }
  const refused = replies(s, 'o-1').slice(1)
  expect(refused).toHaveLength(4)
  for (const reply of refused)
    expect(reply).toMatchObject({ ok: false, error: expect.stringMatching(/^repeated: a command with this id was received before/) })

  // Kept by the broker, an order would act at every connection.
  await s.again(() => send(centre, order('kept'), true))
  await until('the truck is referred once more', () => s.told('passage.referred').length === 4 && waits(s))
  await repliesCome(s, 'kept', 1)
  expect(replies(s, 'kept')[0]).toMatchObject({ ok: false, error: expect.stringMatching(/^retained commands are not carried out/) })
  await until('it stands in the journal', () => journalled(s, 'kept').length > 0)
  expect(journalled(s, 'kept')[0]).toMatch(/^rejected by Officer Lan: retained/)
  await send(centre, '', true)

  expect(journalled(s, 'o-1')).toEqual([
    'accepted by Officer Lan: done',
    ...Array(4).fill('rejected by Officer Lan: repeated: a command with this id was received before and is not carried out again'),
  ])
  expect(journalled(s, 't-1')).toEqual([])
  expect(replies(s, 't-1')).toEqual([])
  expect(moves(s)).toBe(before)
  expect(waits(s)).toBe(true)
  expect(s.world.truth.disasters).toEqual([])
}, 240_000)

it('wrong ones open nothing, say why, and stand in the journal with the name that was given; what has no id is logged only', async () => {
  const s = await site()
  const centre = await as(s, 'centre')
  const before = moves(s)
  const soon = (ms: number) => new Date(Date.now() + ms).toISOString()
  /** Text in place of a value, so that it may be nested deeper than this program could write it. */
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const raw = (id: string, key: string, value: string) => order(id, { [key]: '@' }).replace('"@"', value)
  const cases: [id: string, more: object | string, why: RegExp][] = [
    ['expired', { expires: soon(-1) }, /^expired at .*; the clock of this site shows/],
    ['tomorrow', { expires: soon(25 * 3600_000) }, /^expires more than 24 hours ahead/],
    ['never', { expires: '9999-12-31T23:59:59Z' }, /^expires more than 24 hours ahead/],
    ['deep', raw('deep', 'reason', nested(5_000)), /^reason: /],
    ['deeper', raw('deeper', 'passage', nested(30_000)), /^passage: /],
    ['more', { extra: { a: 1 } }, /extra/],
    ['proto', raw('proto', '__proto__', '{"do":"open"}').replace('"do":"open","by"', '"do":"obey","by"'), /do/],
    ['nameless', { by: '' }, /^by: /],
    ['wordy', { reason: 'x'.repeat(50_000) }, /^reason: /],
  ]
  // Too large to be read, or without an id to answer to: nothing but a line in the log, with the reason.
  for (const bytes of [
    order('huge', { reason: 'x'.repeat(70_000) }),
    '['.repeat(60_000),
    Buffer.from([0xff, 0xfe]),
    '{"do":"open","lane":"a"}',
  ])
    await send(centre, bytes)
  await until('the log says why', () => /bytes; at most 65536 are read/.test(s.gateway.said()) && /not UTF-8/.test(s.gateway.said()))
  for (const [id, more, why] of cases) {
    await send(centre, typeof more === 'string' ? more : order(id, more))
    await repliesCome(s, id, 1)
    expect(replies(s, id), id).toEqual([{ id, ok: false, error: expect.stringMatching(why) }])
  }
  await until('all stand in the journal', () => s.told('command.rejected').length >= cases.length)
  for (const [id, , why] of cases) {
    const by = id === 'nameless' ? '(undefined)?' : 'Officer Lan'
    expect(journalled(s, id), id).toEqual([expect.stringMatching(new RegExp(`^rejected by ${by}: `))])
    expect(journalled(s, id)[0]?.split(': ').slice(1).join(': '), id).toMatch(why)
  }
  expect(replies(s, 'huge')).toEqual([])
  expect(s.told('command.accepted')).toEqual([])
  expect(s.told('command.rejected')).toHaveLength(cases.length)
  expect(moves(s)).toBe(before)
  expect(waits(s)).toBe(true)
  // It is not deaf: the next order is carried out.
  expect(await s.centre.command({ do: 'open', lane: 'a' })).toMatchObject({ ok: true })
  await until('it is through', () => s.told('passage.cleared').length === 1)
  expect(moves(s)).toBeGreaterThan(before)
  expect(s.centre.log.faults()).toEqual([])
}, 240_000)

it('a camera is no other camera, no centre and no gateway: it is cut off, named, counted, and nothing comes of it', async () => {
  process.env.LUONG_ORDERS = 'o-pass'
  undo.push(() => delete process.env.LUONG_ORDERS)
  const password = { env: 'LUONG_ORDERS' }
  const users = [
    { name: 'world', role: 'admin', password },
    { name: 'front', role: 'device', devices: ['front-a'], password },
  ]
  const s = await openInside({
    lanes: ['a'],
    file: { broker: { embedded: { port: 0, users } } },
    as: { username: 'world', password: 'o-pass' },
    world: { traffic: false },
  })
  undo.push(() => s.stop())
  await until('the lane is idle', () => s.gateway.lane('a')!.state.phase === 'idle')
  const { sequence } = s.gateway.journal.head()
  const frames = (camera: string) => s.metric(new RegExp(`device_events_total.*${camera}.*"(frames|no_picture)"`))
  const before = await frames('rear-a')
  const plate = { key: '24C11111', reason: 'wanted' }
  const forged: [topic: string, payload: string, retain?: boolean][] = [
    ['camera/a/rear', 'a picture of another camera'],
    [`${BASE}/command`, order('forged')],
    [`${BASE}/command`, order('kept'), true],
    [`${BASE}/list/detained/24C11111`, JSON.stringify(plate), true],
    [`${BASE}/declaration/D-1`, '{}', true],
    [`${BASE}/lane/a/event`, '{"specversion":"1.0"}'],
    [`${BASE}/status`, '{}', true],
    ['luong/v1/other/peer/chaos/hello', '{}'],
  ]
  for (const [n, [topic, payload, retain = false]] of forged.entries()) {
    const camera = connect(s.brokerUrl, { username: 'front', password: 'o-pass', reconnectPeriod: 0, protocolVersion: 4 })
    undo.push(() => camera.endAsync(true))
    await new Promise<void>((done) => camera.once('connect', () => done()))
    await camera.publishAsync('camera/a/front', 'mine', { qos: 1 })
    const closed = new Promise<void>((done) => camera.once('close', () => done()))
    camera.publish(topic, payload, { qos: 1, retain })
    await closed
    await until(`the log names ${topic}`, () => s.log.find(new RegExp(`publishing outside the rights.*"user":"front".*${topic}`)))
    await until('it is counted', async () => (await s.metric(/luong_broker_denied_total/)) === n + 1)
  }
  // Not one event.
  expect(s.gateway.journal.head().sequence).toBe(sequence)
  expect(await frames('rear-a')).toBe(before)
  expect([s.gateway.lists.size('detained'), s.gateway.declarations.size]).toEqual([0, 0])
  expect(s.gateway.lane('a')!.state.phase).toBe('idle')
  // Nothing was kept for who comes later either.
  const look = await connectAsync(s.brokerUrl, { username: 'world', password: 'o-pass' })
  undo.push(() => look.endAsync(true))
  const kept: string[] = []
  look.on('message', (topic, _, packet) => packet.retain && kept.push(topic))
  await look.subscribeAsync([`${BASE}/command`, `${BASE}/list/#`, `${BASE}/declaration/#`, `${BASE}/lane/a/state`], { qos: 1 })
  await until('what is kept has come', () => kept.length > 0)
  expect(kept).toEqual([`${BASE}/lane/a/state`])
}, 120_000)
