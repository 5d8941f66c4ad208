/** One site, two boxes: copies of a data folder, an old one that went on, a move. Programs of their own, a real broker between them and the centre. */
import { cpSync, existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connected, says, startBox, stopped } from '../harness/boxes.ts'
import { until } from '../harness/chaos-site.ts'
import { Collector } from '../harness/collector.ts'
import { type Mosquitto, startMosquitto } from '../harness/mosquitto.ts'
import { luong } from '../harness/program.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let dir: string
let mosquitto: Mosquitto
let centre: Collector
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-clone-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  mosquitto = await startMosquitto()
  undo.push(() => mosquitto.stop())
  centre = new Collector({ url: mosquitto.url, site: 'twice' })
  await centre.start()
  undo.push(() => centre.stop())
})

const box = (data: string) => startBox({ dir, data, site: 'twice', uplink: mosquitto.url, undo })
const bootsHeard = () => centre.log.of('site.started').map((e) => (e.data as { boot?: string }).boot)
const alarms = (kind: 'raised' | 'cleared') => centre.log.of(`alarm.${kind}`).map((e) => e.data.alarm)
/** Something that is recorded and published. */
const mark = (id: string) => centre.command({ do: 'close-lane', lane: 'nowhere', id })

it('a copy started beside the box stands back and says so, on both sides and to the centre; nothing is lost or told twice; nor may it follow with a journal that ends earlier', async () => {
  const original = await box(join(dir, 'original'))
  await connected(original)
  await until('its start is heard', () => bootsHeard().length === 1)
  cpSync(original.data, join(dir, 'copy'), { recursive: true })
  const copy = await box(join(dir, 'copy'))
  await says(copy, /alarm second-box: another box speaks for this site: boot [0-9a-f]{16}/)
  await says(original, /alarm second-box: another box claims this site: boot [0-9a-f]{16}, key [0-9a-f]{16}/)
  await until('the centre hears the alarm', () => alarms('raised').includes('second-box'))
  await until('the centre sees who stands back', () => centre.log.claims.some((c) => c.state === 'held'))
  expect(await mark('m-1')).toMatchObject({ ok: false })
  expect(centre.log.status).toMatchObject({ online: true, boot: bootsHeard()[0] })
  expect(bootsHeard()).toHaveLength(1)
  // The original ends. Its journal has gone on since it was copied, so the copy may still not speak.
  await stopped(original)
  await says(copy, /alarm journal-behind: the centre has a head signed at/)
  expect(centre.log.faults()).toEqual([])
  expect(centre.log.of('site.started')).toHaveLength(1)
}, 300_000)

it('killed, copied, and started from the copy alone: it goes on where it was', async () => {
  const first = await box(join(dir, 'first'))
  await connected(first)
  await mark('m-1')
  await first.run.kill()
  cpSync(first.data, join(dir, 'second'), { recursive: true })
  const second = await box(join(dir, 'second'))
  await connected(second)
  await mark('m-2')
  await until('both starts are heard', () => bootsHeard().length === 2)
  await stopped(second)
  await until('the stop is heard', () => centre.log.of('site.stopped').length === 1)
  expect(centre.log.faults()).toEqual([])
  expect(alarms('raised')).not.toContain('second-box')
}, 300_000)

it('moved by backup, restore and identity.pem: sequences and key go on; an older backup stands back until the centre lets it', async () => {
  const old = await box(join(dir, 'old'))
  await connected(old)
  await mark('m-1')
  expect((await luong('backup', old.data, join(dir, 'early.db'))).code).toBe(0)
  await mark('m-2')
  await stopped(old)
  const key = centre.log.head?.key
  expect(key).toBeDefined()
  expect((await luong('backup', old.data, join(dir, 'last.db'))).code).toBe(0)
  expect((await luong('restore', join(dir, 'last.db'), join(dir, 'new'))).code).toBe(0)
  cpSync(join(old.data, 'identity.pem'), join(dir, 'new', 'identity.pem'))
  const moved = await box(join(dir, 'new'))
  await connected(moved)
  await mark('m-3')
  await stopped(moved)
  await until('the second stop is heard', () => centre.log.of('site.stopped').length === 2)
  expect(centre.log.faults()).toEqual([])
  expect(centre.log.head?.key).toBe(key)

  expect((await luong('restore', join(dir, 'early.db'), join(dir, 'behind'))).code).toBe(0)
  const heard = centre.log.last
  const behind = await box(join(dir, 'behind'))
  await says(behind, /alarm journal-behind: the centre has a head signed at .*, this journal ends at entry \d+/)
  expect(centre.log.last).toBe(heard)
  expect(existsSync(join(behind.data, 'identity.pem'))).toBe(true)
  // The centre takes it as it is: it forgets the head.
  await centre.publish('head', '', true)
  await connected(behind)
  await until('it speaks for the site', () => centre.log.status?.online === true)
}, 300_000)
