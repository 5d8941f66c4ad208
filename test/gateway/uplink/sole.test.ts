/** A box that looks before it speaks: who answers, whose head is there, what it says itself. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { genuine, openSeal, type Seal } from '../../../gateway/journal/seal.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import type { Claim } from '../../../gateway/uplink/schema/claim.ts'
import type { Status } from '../../../gateway/uplink/schema/up.ts'
import { Sole } from '../../../gateway/uplink/sole.ts'
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
let seal: Seal
const said: Claim[] = []
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
  sole = new Sole({
    ...BASE,
    boot: 'mine',
    key: seal.fingerprint,
    head: () => ({ sequence: 5, entry: 10, hash: hashOf(10) }),
    hashOf: async (entry) => (entry <= 10 ? hashOf(entry) : null),
    genuine,
    stamp: () => AT,
    connection: { url: mosquitto.url },
    clientId: 'luong-uplink',
    clock: systemClock,
    log: silentLog,
  })
})

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

it('is not held up by a head that nobody signed, or by what is no message', async () => {
  await keep('head', { ...head(11), sequence: 6 })
  await broker.publishAsync(topic('status'), 'hello', { qos: 1, retain: true })
  expect(await sole.admit(null, {})).toBeNull()
})

it('says why when the broker is not reached', async () => {
  for (const step of undo.splice(1).reverse()) await step()
  expect(await sole.admit(null, {})).toMatch(/uplink, looking/)
}, 60_000)
