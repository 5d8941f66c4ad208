/** A box that looks before it speaks: who answers, whose head is there, what it says itself. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { genuine, openSeal, type Seal } from '../../../gateway/journal/seal.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import type { Claim } from '../../../gateway/uplink/schema/claim.ts'
import type { Status } from '../../../gateway/uplink/schema/up.ts'
import { type Held, Sole, type SoleOptions } from '../../../gateway/uplink/sole.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, client, until } from './helpers.ts'

const AT = '2026-11-22T08:00:00.000+07:00'
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const hashOf = (entry: number) => createHash('sha256').update(`${entry}`).digest('hex')
const topic = (name: string) => `${BASE.root}/${BASE.site}/${name}`

let broker: MqttClient
let sole: Sole
let make: (more?: Partial<SoleOptions>) => Sole
let seal: Seal
const said: Claim[] = []
/** How far the clock of the boxes is ahead of ours, ms. */
let ahead = 0
/** What is to be known over a restart. */
let kept: Held | null = null
beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luong-sole-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  seal = openSeal(dir)
  const mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  broker = client(mosquitto.url)
  undo.push(() => broker.endAsync(true))
  said.length = 0
  broker.on('message', (_, payload) => said.push(JSON.parse(payload.toString())))
  await broker.subscribeAsync(topic('claim'), { qos: 1 })
  kept = null
  ahead = 0
  make = (more) =>
    new Sole({
      ...BASE,
      boot: 'mine',
      key: seal.fingerprint,
      head: () => ({ sequence: 5, entry: 10, hash: hashOf(10) }),
      hashOf: async (entry) => (entry <= 10 ? hashOf(entry) : null),
      continued: null,
      genuine,
      stamp: () => AT,
      connection: { url: mosquitto.url },
      clientId: 'luong-uplink',
      remembered: kept,
      remember: (held) => {
        kept = held
      },
      clock: { ...systemClock, mono: () => systemClock.mono() + ahead },
      log: silentLog,
      ...more,
    })
  sole = make()
})

/** Another box, which answers whoever asks. */
async function other() {
  const box = { there: true }
  await keep('status', status(true))
  broker.on('message', () => {
    if (box.there && said.at(-1)?.state === 'asks') void keep('status', status(true))
  })
  return box
}

/** A broker that takes connections and never says a word. */
async function silent() {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    // Without this it would never hear of the end.
    socket.resume()
    socket.once('close', () => open.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  undo.push(() => server.close())
  const address = server.address()
  return { open, url: `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` }
}

const keep = (name: string, value: object) => broker.publishAsync(topic(name), JSON.stringify(value), { qos: 1, retain: true })
const status = (online: boolean, boot = 'other'): Status => ({
  site: BASE.site,
  online,
  boot,
  version: '0.1.0',
  config: `sha256:${'0'.repeat(64)}`,
  clock: { synced: null, offset_ms: null },
  sequence: 7,
  at: AT,
})
const head = (entry: number, hash = hashOf(entry)) => seal.sign({ site: BASE.site, boot: 'other', sequence: 5, entry, hash, at: AT })

it('goes on where nobody is, where the last run ended, and where nobody answers any more', async () => {
  expect(await sole.admit(null, {})).toBeNull()
  await keep('status', status(false))
  await keep('head', head(10))
  expect(await sole.admit(null, {})).toBeNull()
  expect(said).toEqual([])
  await keep('status', status(true))
  expect(await sole.admit(null, {})).toBeNull()
  await until(() => said.length >= 2)
  expect(said.map((c) => c.state)).toEqual(['asks', 'settled'])
  // After a long connection it does not look again: nothing is asked.
  expect(await sole.admit(3600_000, {})).toBeNull()
  expect(said).toHaveLength(2)
})

it('stands back from a box that answers, as a stranger; goes on when that is gone; is no stranger later', async () => {
  await keep('status', status(true))
  let there = true
  broker.on('message', () => {
    if (there && said.at(-1)?.state === 'asks') void keep('status', status(true))
  })
  expect(await sole.admit(null, {})).toMatch(/another box speaks for this site: boot other, sequence 7/)
  expect([sole.held?.kind, sole.stranger]).toEqual(['second-box', true])
  await until(() => said.length >= 2)
  expect(said.map((c) => c.state)).toEqual(['asks', 'held'])
  expect(said[1]).toMatchObject({ boot: 'mine', key: seal.fingerprint, sequence: 5, why: sole.held?.why })
  there = false
  expect(await sole.admit(null, {})).toBeNull()
  expect([sole.held, sole.stranger]).toEqual([null, false])
  ahead += 60_000
  there = true
  expect(await sole.admit(10, {})).toMatch(/another box/)
  expect([sole.held?.kind, sole.stranger]).toEqual(['second-box', false])
})

it('another box that answers weighs more than a head: two boxes must not move the same arms', async () => {
  await keep('status', status(true))
  await keep('head', head(11))
  broker.on('message', () => {
    if (said.at(-1)?.state === 'asks') void keep('status', status(true))
  })
  expect(await sole.admit(null, {})).toMatch(/another box/)
  expect([sole.held?.kind, sole.stranger]).toEqual(['second-box', true])
})

it('once held back by a box it asks again, also when the broker has forgotten everything', async () => {
  await keep('status', status(true))
  let there = true
  broker.on('message', () => {
    if (there && said.at(-1)?.state === 'asks') void keep('status', status(true))
  })
  expect(await sole.admit(null, {})).toMatch(/another box/)
  await broker.publishAsync(topic('status'), '', { qos: 1, retain: true })
  expect(await sole.admit(null, {})).toMatch(/another box/)
  there = false
  await broker.publishAsync(topic('status'), '', { qos: 1, retain: true })
  expect(await sole.admit(null, {})).toBeNull()
})

it.each([
  ['that goes on where this journal ends', () => head(11), /this journal ends at entry 10/],
  ['with another past', () => head(9, hashOf(1)), /this journal has another entry there/],
])('stands back, but not as a stranger, from a head %s, until the centre removes it', async (_, make, why) => {
  await keep('head', make())
  expect(await sole.admit(null, {})).toMatch(why)
  expect([sole.held?.kind, sole.stranger]).toEqual(['journal-behind', false])
  await broker.publishAsync(topic('head'), '', { qos: 1, retain: true })
  expect(await sole.admit(null, {})).toBeNull()
  await until(() => said.length >= 2)
  expect(said.map((c) => c.state)).toEqual(['held', 'settled'])
})

it('goes on beside a head of what is lost, once the journal goes on above its sequence, and not beside a later one', async () => {
  const box = make({ continued: 6 })
  await keep('head', head(11))
  expect(await box.admit(null, {})).toBeNull()
  await keep('head', seal.sign({ site: BASE.site, boot: 'other', sequence: 6, entry: 11, hash: hashOf(11), at: AT }))
  expect(await box.admit(null, {})).toMatch(/this journal ends at entry 10/)
})

it('is not held up by a head that nobody signed, or by what is no message', async () => {
  await keep('head', { ...head(11), sequence: 6 })
  await broker.publishAsync(topic('status'), 'hello', { qos: 1, retain: true })
  expect(await sole.admit(null, {})).toBeNull()
})

describe('the first look, before any lane opens', () => {
  it('has an answer; the connection that follows does not ask the same again', async () => {
    const box = await other()
    expect(await sole.first({})).toBe(true)
    expect([sole.held?.kind, sole.stranger]).toEqual(['second-box', true])
    expect(await sole.admit(null, {})).toMatch(/another box speaks/)
    expect(said.map((c) => c.state)).toEqual(['asks', 'held'])
    // Each further connection does.
    box.there = false
    expect(await sole.admit(null, {})).toBeNull()
  })

  it('is not waited for where the centre is not reached; the connection that follows goes on with it', async () => {
    const far = await silent()
    const blind = make({ connection: { url: far.url } })
    expect(await blind.first({})).toBe(false)
    expect([blind.held, blind.stranger]).toEqual([null, false])
    const admitted = blind.admit(null, {})
    expect(far.open.size).toBe(1)
    await blind.stop()
    expect(await admitted).toBe('stopped')
  })
})

describe('another box was there first', () => {
  it('so it is also for the next run, while the centre is not reached, until a look finds that it has gone', async () => {
    const box = await other()
    await sole.first({})
    expect(kept).toEqual(sole.held)
    const far = await silent()
    const blind = make({ connection: { url: far.url } })
    expect(blind.stranger).toBe(true)
    expect(await blind.first({})).toBe(false)
    await blind.stop()
    expect(blind.stranger).toBe(true)
    expect(blind.held?.why).toMatch(/another box speaks for this site: boot other, .*; whether that still holds is not known: stopped/)
    const next = make()
    expect(next.stranger).toBe(true)
    box.there = false
    expect(await next.first({})).toBe(true)
    expect([next.stranger, next.held, kept]).toEqual([false, null, null])
  })

  it.each([
    ['was not, when this one has spoken for the site for a minute', 60_000, false],
    ['may have been, when both looked at the same moment and saw nobody', 1_000, true],
  ])('or %s', async (_, ms, stranger) => {
    expect(await sole.admit(null, {})).toBeNull()
    ahead += ms
    await other()
    expect(await sole.admit(10, {})).toMatch(/another box/)
    expect([sole.held?.kind, sole.stranger, kept !== null]).toEqual(['second-box', stranger, stranger])
  })
})

describe('a stop', () => {
  it('ends a look that waits for a broker that says nothing: nothing of it is left', async () => {
    const far = await silent()
    const looking = make({ connection: { url: far.url } })
    const admitted = looking.admit(null, {})
    await until(() => far.open.size === 1)
    await looking.stop()
    expect(await admitted).toBe('stopped')
    await until(() => far.open.size === 0)
    expect(await looking.admit(null, {})).toBe('stopped')
    expect(far.open.size).toBe(0)
  })

  it('ends a look that waits for an answer, which is not taken for none', async () => {
    await keep('status', status(true))
    const admitted = sole.admit(null, {})
    await until(() => said.some((c) => c.state === 'asks'))
    await sole.stop()
    expect(await admitted).toMatch(/stopped|aborted/)
    expect(said.map((c) => c.state)).toEqual(['asks'])
  })
})

it('says why when the broker is not reached', async () => {
  for (const step of undo.splice(1).reverse()) await step()
  expect(await sole.admit(null, {})).toMatch(/uplink, looking/)
}, 60_000)
