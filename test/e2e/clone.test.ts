/** One site, two boxes: copies of a data folder, an old one that went on, a move. Programs of their own, a real broker between them and the centre. */
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type BoxesRig, boxesRig, connected, says, stopped } from '../harness/boxes.ts'
import { until } from '../harness/chaos-site.ts'
import { luong } from '../harness/program.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let rig: BoxesRig
beforeEach(async () => {
  rig = await boxesRig('twice', undo)
})

const bootsHeard = () => rig.centre.log.of('site.started').map((e) => (e.data as { boot?: string }).boot)

it('a copy started beside the box stands back and says so, on both sides and to the centre; nothing is lost or told twice; nor may it follow with a journal that ends earlier', async () => {
  const original = await rig.box(join(rig.dir, 'original'))
  await connected(original)
  await until('its start is heard', () => bootsHeard().length === 1)
  cpSync(original.data, join(rig.dir, 'copy'), { recursive: true })
  const copy = await rig.box(join(rig.dir, 'copy'))
  await says(copy, /alarm second-box: another box speaks for this site: boot [0-9a-f]{16}/)
  await says(original, /alarm second-box: another box claims this site: boot [0-9a-f]{16}, key [0-9a-f]{16}/)
  await until('the centre hears the alarm', () => rig.alarms('raised').includes('second-box'))
  await until('the centre sees who stands back', () => rig.centre.log.claims.some((c) => c.state === 'held'))
  expect(await rig.mark('m-1')).toMatchObject({ ok: false })
  expect(rig.centre.log.status).toMatchObject({ online: true, boot: bootsHeard()[0] })
  expect(bootsHeard()).toHaveLength(1)
  // The original ends. Its journal has gone on since it was copied, so the copy may still not speak.
  await stopped(original)
  await says(copy, /alarm journal-behind: the centre has a head signed at/)
  expect(rig.centre.log.faults()).toEqual([])
  expect(rig.centre.log.of('site.started')).toHaveLength(1)
}, 300_000)

it('killed, copied, and started from the copy alone: it goes on where it was', async () => {
  const first = await rig.box(join(rig.dir, 'first'))
  await connected(first)
  await rig.mark('m-1')
  await first.run.kill()
  cpSync(first.data, join(rig.dir, 'second'), { recursive: true })
  const second = await rig.box(join(rig.dir, 'second'))
  await connected(second)
  await rig.mark('m-2')
  await until('both starts are heard', () => bootsHeard().length === 2)
  await stopped(second)
  await until('the stop is heard', () => rig.centre.log.of('site.stopped').length === 1)
  expect(rig.centre.log.faults()).toEqual([])
  expect(rig.alarms('raised')).not.toContain('second-box')
}, 300_000)

it('moved by backup, restore and identity.pem: sequences and key go on; an older backup stands back until the centre lets it', async () => {
  const old = await rig.box(join(rig.dir, 'old'))
  await connected(old)
  await rig.mark('m-1')
  expect((await luong('backup', old.data, join(rig.dir, 'early.db'))).code).toBe(0)
  await rig.mark('m-2')
  await stopped(old)
  const key = rig.centre.log.head?.key
  expect(key).toBeDefined()
  expect((await luong('backup', old.data, join(rig.dir, 'last.db'))).code).toBe(0)
  expect((await luong('restore', join(rig.dir, 'last.db'), join(rig.dir, 'new'))).code).toBe(0)
  cpSync(join(old.data, 'identity.pem'), join(rig.dir, 'new', 'identity.pem'))
  const moved = await rig.box(join(rig.dir, 'new'))
  await connected(moved)
  await rig.mark('m-3')
  await stopped(moved)
  await until('the second stop is heard', () => rig.centre.log.of('site.stopped').length === 2)
  expect(rig.centre.log.faults()).toEqual([])
  expect(rig.centre.log.head?.key).toBe(key)

  expect((await luong('restore', join(rig.dir, 'early.db'), join(rig.dir, 'behind'))).code).toBe(0)
  const heard = rig.centre.log.last
  const behind = await rig.box(join(rig.dir, 'behind'))
  await says(behind, /alarm journal-behind: the centre has a head signed at .*, this journal ends at entry \d+/)
  expect(rig.centre.log.last).toBe(heard)
  expect(existsSync(join(behind.data, 'identity.pem'))).toBe(true)
  // The centre takes it as it is: it forgets the head.
  await rig.centre.publish('head', '', true)
  await connected(behind)
  await until('it speaks for the site', () => rig.centre.log.status?.online === true)
}, 300_000)
