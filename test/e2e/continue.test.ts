/** An older backup is all that is left of a box: `luong continue` lets it speak again, above every number that the centre may have. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { consume } from '../../docs/examples/consumer.ts'
import { openSeal } from '../../gateway/journal/seal.ts'
import { type BoxesRig, type BoxProcess, boxesRig, connected, says, stopped } from '../harness/boxes.ts'
import { until } from '../harness/chaos-site.ts'
import { luong } from '../harness/program.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let rig: BoxesRig
/** Sequences that the documented consumer has done. */
const done: number[] = []
beforeEach(async () => {
  rig = await boxesRig('again', undo)
  done.length = 0
  const consumer = consume(rig.mosquitto.url, (_, event) => done.push(Number(event.sequence)))
  undo.push(() => consumer.endAsync(true))
  await until('the consumer is there', () => consumer.connected)
})

const WHO = ['--by', 'Trần Thị Hoa', '--reason', 'the disk died; backup of the morning']
const goOn = (b: BoxProcess, data: string, ...more: string[]) => luong('continue', b.file, '--data', data, ...WHO, ...more)
const verify = (data: string, ...more: string[]) => luong('journal', data, '--verify', ...more)

/** A box that was backed up, went on, and is gone for good; what is left is in the folder `left`. */
async function lost(): Promise<{ old: BoxProcess; left: string; end: number }> {
  const old = await rig.box(join(rig.dir, 'old'))
  await connected(old)
  await rig.mark('m-1')
  expect((await luong('backup', old.data, join(rig.dir, 'early.db'))).code).toBe(0)
  for (const id of ['m-2', 'm-3', 'm-4']) await rig.mark(id)
  const refused = await goOn(old, old.data)
  expect(refused.code).toBe(2)
  expect(refused.err).toMatch(/a box speaks for again at this moment: boot [0-9a-f]{16}/)
  await stopped(old)
  await until('its end is heard', () => rig.centre.log.status?.online === false && rig.centre.log.head !== null)
  const left = join(rig.dir, 'left')
  const restored = await luong('restore', join(rig.dir, 'early.db'), left)
  expect(restored.out).toMatch(/run `luong continue` before the gateway starts/)
  return { old, left, end: rig.centre.log.last }
}

it('goes on above the numbers of what is lost; consumers lose nothing else, ask for nothing, and the journal says who and why', async () => {
  const { old, left, end } = await lost()
  const bare = await goOn(old, left)
  expect(bare).toMatchObject({ code: 2, err: expect.stringMatching(/has no identity.pem[\s\S]*Put back the copy/) })
  openSeal(left)
  expect((await goOn(old, left)).err).toMatch(/is not the key that signed the centre's head/)
  cpSync(join(old.data, 'identity.pem'), join(left, 'identity.pem'))
  expect((await luong('continue', old.file, '--data', left, '--by', 'Hoa')).code).toBe(2)
  expect((await goOn(old, left, '--next', '3')).err).toMatch(/the journal ends at \d+ itself/)
  expect((await goOn(old, left, '--next', '99999999999999')).err).toMatch(/too far above/)
  const plan = await goOn(old, left, '--dry-run')
  expect(plan).toMatchObject({ code: 0, out: expect.stringMatching(/would go on with sequence 10\d{3}[\s\S]*Nothing was done/) })
  const untouched = (await verify(left)).out
  expect(untouched).not.toMatch(/restored:/)

  const told = JSON.parse((await goOn(old, left, '--json')).out)
  expect(told).toMatchObject({ done: true, unsent: 0, sequence: told.to + 1 })
  expect(told.from).toBeLessThanOrEqual(end)
  expect(told.to).toBeGreaterThan(end + 9_000)
  // A second time there is nothing to do, and nothing that was decided is left out for it.
  for (const more of [[], ['--leave-unsent']])
    expect((await goOn(old, left, ...more)).err).toMatch(
      new RegExp(`already goes on at ${told.sequence}, above the centre's signed head[\\s\\S]*Start the gateway`),
    )
  const again = await rig.box(left)
  await connected(again)
  expect(await rig.mark('m-5')).toMatchObject({ ok: false })
  await until('the consumer has done it', () => done.some((n) => n > told.sequence))
  // The first event of the new numbers, as it was decided.
  const [said, ...others] = rig.centre.log.of('journal.continued')
  expect(others).toEqual([])
  expect(said).toMatchObject({
    sequence: `${told.sequence}`,
    data: { from: told.from, to: told.to, by: 'Trần Thị Hoa', reason: 'the disk died; backup of the morning', historical: false },
  })
  const { head } = said!.data as unknown as { head: object }
  expect(head).toMatchObject({ sequence: end })
  const after = rig.centre.log.bySequence().filter((e) => Number(e.sequence) > told.sequence)
  expect(after[0]).toMatchObject({ sequence: `${told.sequence + 1}`, type: 'luong.site.started.v1' })
  expect(rig.centre.log.faults()).toEqual([])
  expect(rig.alarms('raised')).toEqual([])
  // The documented consumer: everything once; it asked for nothing, since nothing is missing that could come.
  expect(done.length).toBe(new Set(done).size)
  expect([...done].sort((a, b) => a - b)).toEqual(rig.centre.log.bySequence().map((e) => Number(e.sequence)))
  expect(rig.centre.log.of('command.accepted').filter((e) => e.data.do === 'resend-from')).toEqual([])
  expect(rig.centre.log.head?.key).toBe(openSeal(old.data).key)
  await stopped(again)

  // For the auditor: it verifies, and says where and why; a head of what is lost does not hold, and why not.
  const audit = await verify(left)
  expect(audit.code).toBe(0)
  expect(audit.out).toMatch(
    new RegExp(`restored: sequences ${told.from} to ${told.to} are lost .*by Trần Thị Hoa: the disk died; backup of the morning`),
  )
  const report = JSON.parse((await verify(left, '--json')).out)
  expect(report).toMatchObject({ ok: true, continued: [{ from: told.from, to: told.to, by: 'Trần Thị Hoa' }] })
  expect(report.events).toBeLessThan(100)
  await writeFile(join(rig.dir, 'head.json'), JSON.stringify(head))
  const against = await verify(left, '--against', join(rig.dir, 'head.json'))
  expect(against.code).toBe(1)
  expect(against.out).toMatch(/it is of what this journal does not hold: sequences .* by Trần Thị Hoa/)
  // Nothing is left to do, and the old box cannot come back.
  expect((await goOn(again, left)).err).toMatch(/nothing is lost/)
  const ghost = await rig.box(old.data)
  await says(ghost, /alarm journal-behind/)
  expect(rig.centre.log.faults()).toEqual([])
}, 300_000)

it('where the gateway ran before: what it recorded under known numbers never gets out, also when it is asked for', async () => {
  const { old, left } = await lost()
  cpSync(join(old.data, 'identity.pem'), join(left, 'identity.pem'))
  const held = await rig.box(left)
  await says(held, /alarm journal-behind/)
  expect((await goOn(old, left, '--leave-unsent')).err).toMatch(/in use by another gateway/)
  await stopped(held)
  const refused = await goOn(old, left)
  expect(refused.err).toMatch(/\d events were recorded here since the restore, under numbers that the centre knows for others/)
  const told = JSON.parse((await goOn(old, left, '--leave-unsent', '--json')).out)
  expect(told.unsent).toBeGreaterThan(1)
  const again = await rig.box(left)
  await connected(again)
  await rig.mark('m-5')
  // All of it once more, from the first one: what came before has the same bytes, and the ones that stayed behind do not come.
  const copies = rig.centre.log.duplicates
  expect(await rig.centre.command({ do: 'resend-from', from: 1, id: 'all' })).toMatchObject({ ok: true })
  await until('it came again', () => rig.centre.log.duplicates >= copies + told.from - 1)
  await rig.mark('m-6')
  expect(rig.centre.log.faults()).toEqual([])
  expect(rig.centre.log.of('journal.continued')).toHaveLength(1)
  expect(rig.alarms('raised')).toEqual([])
  expect(existsSync(join(left, 'journal.db'))).toBe(true)
  await stopped(again)
  expect((await verify(left)).code).toBe(0)
  expect((await luong('journal', left, '--from', `${told.from}`, '--json')).out).toContain(`"id":"again:${told.from}"`)
}, 300_000)

it('by hand: a head in a file that was changed, or of another site, is no head; a number from the centre will do', async () => {
  const { old, left, end } = await lost()
  cpSync(join(old.data, 'identity.pem'), join(left, 'identity.pem'))
  const file = join(rig.dir, 'head.json')
  const head = rig.centre.log.head!
  const forged = { ...head, sequence: 1_000_000 }
  await writeFile(file, JSON.stringify(forged))
  expect((await goOn(old, left, '--head', file)).err).toMatch(/the signature of the head is not by its key/)
  await writeFile(file, JSON.stringify(openSeal(left).sign({ ...head, site: 'elsewhere' })))
  expect((await goOn(old, left, '--head', file)).err).toMatch(/the head is of site elsewhere/)
  await writeFile(file, readFileSync(file).subarray(0, 20))
  expect((await goOn(old, left, '--head', file)).err).toMatch(/this is no sealed head/)
  await rig.mosquitto.kill()
  expect((await goOn(old, left)).err).toMatch(/the centre's broker was not reached[\s\S]*Give --head with the last signed head/)
  // Too low: the box still stands back, so that no number is given twice; then high enough.
  expect((await goOn(old, left, '--next', `${end}`)).code).toBe(0)
  await rig.mosquitto.restart()
  await until('the broker has the head again', () => rig.centre.publish('head', head, true).then(() => true))
  const low = await rig.box(left)
  await until('it waits', async () =>
    /journal-behind|uplink/.test(JSON.stringify(await (await fetch(`http://127.0.0.1:${low.http}/health`)).json())),
  )
  await stopped(low)
  // The number was too low: it may be decided again, and what carries it is never sent.
  expect((await goOn(old, left)).err).toMatch(/\d events? w(as|ere) recorded here since[\s\S]*already goes on at \d+/)
  const told = JSON.parse((await goOn(old, left, '--leave-unsent', '--json')).out)
  expect(told).toMatchObject({ done: true, sequence: told.to + 1 })
  const again = await rig.box(left)
  await connected(again)
  await until('it is heard', () => rig.centre.log.last > told.sequence)
  expect(rig.centre.log.of('journal.continued').map((e) => Number(e.sequence))).toEqual([told.sequence])
  expect(rig.centre.log.faults()).toEqual([])
}, 300_000)
