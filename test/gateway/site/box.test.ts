/** A box and a second one: what its lanes do before it knows, and what it says while it cannot know. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import { zoneOf } from '../../../gateway/journal/zone.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { Box } from '../../../gateway/site/box.ts'
import { Recorder } from '../../../gateway/site/recorder.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { type Mosquitto, startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, client, until } from '../uplink/helpers.ts'
import { smallSite } from './small-site.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let dir: string
let mosquitto: Mosquitto
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luong-box-'))
  undo.push(() => rmSync(dir, { recursive: true, force: true }))
  mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
})

const OTHER = {
  site: 'loi-mo',
  online: true,
  boot: 'other',
  version: '0.1.0',
  config: `sha256:${'0'.repeat(64)}`,
  clock: { synced: null, offset_ms: null },
  sequence: 7,
  at: '2026-11-22T08:00:00.000+07:00',
}

it('opens for nobody before the first look has its answer', async () => {
  const status = 'luong/v1/loi-mo/status'
  const centre = client(mosquitto.url)
  undo.push(() => centre.endAsync(true))
  const say = () => centre.publishAsync(status, JSON.stringify(OTHER), { qos: 1, retain: true })
  let asked = 0
  centre.on('message', () => asked++)
  await centre.subscribeAsync('luong/v1/loi-mo/claim', { qos: 1 })
  await say()
  const gateway = await smallSite(dir, { uplink: { url: mosquitto.url } })
  undo.push(() => gateway.stop())
  const started = gateway.start()
  await until(() => asked > 0 && gateway.lane('lane') !== undefined && gateway.httpPort !== null)
  // All else is there by now.
  await new Promise((done) => setTimeout(done, 1_000))
  const lane = gateway.lane('lane')!
  expect(lane.state.started).toBe(false)
  await say()
  await started
  expect(lane.state.started).toBe(true)
  const answer = await lane.command({ id: 'c-1', do: 'open', by: 'Lan', reason: 'test', expired: false })
  expect(answer).toMatchObject({ ok: false, error: expect.stringContaining('another box speaks for this site') })
})

it('an alarm of a second box is not taken back because the link is down; it is when nobody was heard over one that is up', async () => {
  let ahead = 0
  const clock = { ...systemClock, mono: () => systemClock.mono() + ahead }
  const zone = zoneOf('Asia/Ho_Chi_Minh')
  const about = { clock, zone, log: silentLog, clockQuality: () => ({ synced: null, offset_ms: null }) as const }
  const journal = createJournal({ dir, site: BASE.site, minFreeMb: 1 })
  await journal.open()
  const recorder = new Recorder({ journal, clock, log: silentLog })
  undo.push(async () => {
    await recorder.close(1_000)
    await journal.close()
  })
  const box = new Box({ ...BASE, ...about, dataDir: dir, boot: 'mine', targets: [], journal: () => journal, recorder: () => recorder })
  await box.open()
  const connection = new BrokerConnection({
    ...{ name: 'uplink', url: mosquitto.url, clientId: 'mine', clock: systemClock, log: silentLog },
    backoff: new Backoff(20, 100),
  })
  undo.push(() => connection.stop())
  box.listen({ name: 'uplink', connection, present: async () => {} })
  connection.start()
  await until(() => connection.up)
  const second = client(mosquitto.url)
  undo.push(() => second.endAsync(true))
  const claim = { site: BASE.site, boot: 'other', state: 'held', key: '0'.repeat(16), sequence: 1, at: OTHER.at }
  await second.publishAsync(`${BASE.root}/${BASE.site}/claim`, JSON.stringify(claim), { qos: 1 })
  await until(() => box.problems().length === 1)
  box.tick()
  await mosquitto.kill()
  await until(() => !connection.up)
  for (let i = 0; i < 3; i++) {
    ahead += 200_000
    box.tick()
    expect(box.problems()).toMatchObject([expect.stringMatching(/alarm second-box: another box claims this site: boot other/)])
  }
  await mosquitto.restart()
  await until(() => connection.up)
  box.tick()
  expect(box.problems()).toHaveLength(1)
  ahead += 121_000
  box.tick()
  expect(box.problems()).toEqual([])
})
