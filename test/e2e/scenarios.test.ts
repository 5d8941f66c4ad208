import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { type Event, type EventLog, kindOf } from '../harness/event-log.ts'
import { type RunningSite, startSite } from '../harness/site.ts'
import { tagOf } from '../sim/truck.ts'
import type { Truth } from '../sim/truth.ts'

/** The one-lane site without its weighbridge, on which a tailgater would stand as well. */
let file = ''
/** The same with a tag reader and a scanner. */
let readers = ''
let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-scenes-'))
  file = join(dir, 'site.yaml')
  const tree = parse(await readFile('test/sim-tests/one-lane.yaml', 'utf8'))
  delete tree.links.weigh
  delete tree.devices.scale
  delete tree.lanes.lane.scale
  await writeFile(file, stringify({ ...tree, rules: [resolve('config/rules/basic.yaml')] }))
  readers = join(dir, 'readers.yaml')
  Object.assign(tree.links, { uhf: { kind: 'memory' }, qr: { kind: 'memory' } })
  Object.assign(tree.devices, { uhf: { driver: 'r200', link: 'uhf' }, qr: { driver: 'qr-line', link: 'qr' } })
  Object.assign(tree.lanes.lane, { tag: 'uhf', code: 'qr' })
  await writeFile(readers, stringify({ ...tree, rules: [resolve('config/rules/basic.yaml')] }))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const running: RunningSite[] = []
afterEach(async () => {
  for (const site of running.splice(0)) await site.stop()
})

interface Played {
  readonly log: EventLog
  readonly truth: Truth
  /** What was published about passages and alarms, in order, `alarm.raised:tailgating`. */
  readonly story: readonly string[]
}

/** Plays a scene to its end on one lane. What must hold in every scene is checked here. */
async function play(scene: string, realReader = false, on = file): Promise<Played> {
  const site = await startSite({ file: on, scene, pace: 40, realReader })
  running.push(site)
  await site.over()
  const { log } = site.centre
  const { truth } = site.world
  expect(log.faults()).toEqual([])
  // No arm ever came down on a truck. Who drives under a closed arm is not the gateway's doing.
  expect(truth.disasters.filter((d) => d.kind === 'arm-on-vehicle')).toEqual([])
  const story = log
    .bySequence()
    .map((e) => (e.data.alarm === undefined ? kindOf(e) : `${kindOf(e)}:${e.data.alarm}`))
    .filter((kind) => /^(passage|alarm|lane)/.test(kind))
  // Whoever went through was counted through, whoever did not was not.
  const through = log.of('passage.aborted').filter((e) => /drove through without/.test(e.data.why ?? '')).length
  expect(log.of('passage.cleared').length + through, `counted through: ${story}`).toBe(truth.counts.passed)
  for (const alarm of log.of('alarm.raised')) {
    const raised = log.of('alarm.raised').filter((e) => e.data.alarm === alarm.data.alarm).length
    const cleared = log.of('alarm.cleared').filter((e) => e.data.alarm === alarm.data.alarm).length
    expect(cleared, `${alarm.data.alarm} raised and cleared: ${story}`).toBe(raised)
  }
  return { log, truth, story }
}

/** The only event of a kind. */
function one(log: EventLog, kind: string): Event {
  const found = log.of(kind)
  expect(found, kind).toHaveLength(1)
  return found[0]!
}

/** The decision of a passage event, with a reason in each language of the gate. */
function decisionOf(event: Event) {
  const { decision } = event.data
  expect(decision, `${event.type} carries the decision`).toBeDefined()
  for (const reason of decision!.reasons) {
    expect(reason.vi).toMatch(/\S{2,}/)
    expect(reason.zh).toMatch(/\p{Script=Han}/u)
    expect(reason.en).toMatch(/[a-z]{3,}/i)
    for (const text of Object.values(reason)) expect(text).not.toMatch(/\{\w+\}/)
  }
  return decision!
}

const TURNED_AWAY = ['passage.arrived', 'passage.identified', 'passage.decided', 'passage.referred', 'passage.aborted']
const LET_THROUGH = ['passage.arrived', 'passage.identified', 'passage.decided', 'passage.cleared']

test('trucks with the declared tag pass, and their events carry it; a code shown at the line goes with its passage', async () => {
  const site = await startSite({ file: readers, pace: 40, traffic: { trouble: 0, passages: 3, every_s: 30 } })
  running.push(site)
  site.world.onEvent(({ what, vehicle }) => {
    if (what === 'stops') site.world.devices.get('qr').code!.scan(`TK-${vehicle.no}`)
  })
  await site.over()
  const { log } = site.centre
  expect(log.faults()).toEqual([])
  expect(log.of('passage.cleared')).toHaveLength(3)
  for (const { data } of log.of('passage.cleared')) {
    const no = Number(data.declaration!.replace('SIM-', ''))
    expect(data.identity).toMatchObject({ match: 'exact', tag: 'same', disagreements: [] })
    expect(data.tags).toMatchObject([{ text: tagOf(no), reader: 'uhf' }])
    expect(data.tags![0]!.count).toBeGreaterThan(1)
    // Shown while the lane still looked, or too late: never with another truck.
    if (data.codes) expect(data.codes).toMatchObject([{ text: `TK-${no}`, reader: 'qr' }])
  }
})

describe('a truck that may not pass waits at the closed arm until it backs out', () => {
  test('no declaration', async () => {
    const { log, story, truth } = await play('no-declaration')
    expect(story).toEqual(TURNED_AWAY)
    const referred = one(log, 'passage.referred')
    expect(decisionOf(referred)).toMatchObject({ rule: 'not-declared', outcome: 'refer' })
    expect(decisionOf(referred).reasons[0]?.en).toContain('24C31807')
    expect(referred).toMatchObject({
      subject: '24C31807',
      data: { declaration: null, outcome: 'referred', identity: { match: 'undeclared' } },
    })
    expect(truth.counts).toMatchObject({ arrived: 1, passed: 0, backedOut: 1 })
  })

  test('detained: an alarm as long as it stands there', async () => {
    const { log, story, truth } = await play('detained')
    expect(story.filter((s) => s.startsWith('passage'))).toEqual(TURNED_AWAY)
    expect(decisionOf(one(log, 'passage.decided'))).toMatchObject({ rule: 'detained', outcome: 'refer' })
    expect(one(log, 'alarm.raised')).toMatchObject({ subject: 'detained-vehicle', data: { alarm: 'detained-vehicle', plate: '29H58213' } })
    expect(story.indexOf('alarm.raised:detained-vehicle')).toBeLessThan(story.indexOf('passage.aborted'))
    expect(one(log, 'alarm.cleared').data.passage).toBe(one(log, 'alarm.raised').data.passage)
    expect(truth.counts).toMatchObject({ passed: 0, backedOut: 1 })
  })

  test.each([
    ['pictures that say what is on them', false],
    ['drawn pictures, read for real', true],
  ])('another trailer than the declared one: both plates are named (%s)', async (_, realReader) => {
    const { log, story } = await play('swapped-trailer', realReader)
    expect(story).toEqual(TURNED_AWAY)
    const referred = one(log, 'passage.referred')
    expect(decisionOf(referred)).toMatchObject({ rule: 'disagreement', outcome: 'refer' })
    expect(referred.data.identity?.disagreements).toContainEqual({ code: 'trailer', expected: '24RM04466', seen: '24RM00817' })
    expect(decisionOf(referred).reasons[0]?.en).toMatch(/24RM04466.*24RM00817|24RM00817.*24RM04466/)
  })

  test('another tag than the declared one: both are named', async () => {
    const { log, story } = await play('swapped-tag', false, readers)
    expect(story).toEqual(TURNED_AWAY)
    const referred = one(log, 'passage.referred')
    expect(decisionOf(referred)).toMatchObject({ rule: 'disagreement', outcome: 'refer' })
    expect(referred.data.identity).toMatchObject({
      match: 'exact',
      tag: 'other',
      disagreements: [{ code: 'tag', expected: 'E280689400005000000000AA', seen: 'E28068940000500000000BAD' }],
    })
    expect(referred.data.tags).toMatchObject([{ text: 'E28068940000500000000BAD', reader: 'uhf', rssi: -55 }])
    expect(decisionOf(referred).reasons[0]?.en).toContain('tag E280689400005000000000AA ≠ E28068940000500000000BAD')
  })

  test('a dead camera: unread, referred in time', async () => {
    const { log, story } = await play('camera-dead')
    expect(story).toEqual(TURNED_AWAY)
    const referred = one(log, 'passage.referred')
    expect(decisionOf(referred)).toMatchObject({ rule: 'plate-unread', outcome: 'refer' })
    expect(referred.data).toMatchObject({ plates: [], declaration: null, identity: { match: 'unread' } })
  })
})

describe('drivers who do as they like', () => {
  test('tailgater: the first is cleared, the second is seen, counted and alarmed', async () => {
    const { log, story, truth } = await play('tailgater')
    expect(one(log, 'passage.cleared').subject).toBe('24C44120')
    expect(story).toContain('alarm.raised:tailgating')
    expect(log.of('passage.arrived')).toHaveLength(2)
    expect(one(log, 'passage.aborted').data.why).toMatch(/without an authorisation/)
    expect(truth.counts).toMatchObject({ arrived: 2, passed: 2 })
  })

  test('reverser: the first is aborted, the second gets a decision of its own', async () => {
    const { log, story } = await play('reverser')
    expect(story).toEqual([...TURNED_AWAY, ...LET_THROUGH])
    expect(one(log, 'passage.aborted').subject).toBe('21C65094')
    expect(one(log, 'passage.cleared').subject).toBe('24C12790')
    expect(decisionOf(one(log, 'passage.cleared'))).toMatchObject({ rule: 'declared', outcome: 'pass' })
    expect(one(log, 'passage.cleared').data.passage).not.toBe(one(log, 'passage.aborted').data.passage)
  })

  test('wrong way: an alarm, no passage, the arm stays down', async () => {
    const { log, story, truth } = await play('wrong-way')
    expect(story).toEqual(['alarm.raised:wrong-way', 'alarm.cleared:wrong-way'])
    expect(log.of('passage.arrived')).toEqual([])
    expect(truth.counts).toMatchObject({ passed: 0, wrongWay: 1 })
    expect(truth.disasters).toEqual([])
  })

  test('abandoned under the arm: an alarm while it stands there, cleared when it drives on', async () => {
    const { log, story, truth } = await play('abandoned')
    expect(story).toEqual([
      'passage.arrived',
      'passage.identified',
      'passage.decided',
      'alarm.raised:abandoned-vehicle',
      'passage.cleared',
      'alarm.cleared:abandoned-vehicle',
    ])
    expect(one(log, 'passage.cleared').subject).toBe('24C99472')
    expect(truth.disasters).toEqual([])
  })
})

describe('things that break', () => {
  test('power cut: unknown sensors raise an alarm, afterwards both trucks are through', async () => {
    const { log, story, truth } = await play('power-cut')
    expect(story).toContain('alarm.raised:sensor-unknown')
    expect(log.of('passage.cleared').map((e) => e.subject)).toEqual(['24C55831', '88C17365'])
    expect(truth.counts).toMatchObject({ passed: 2 })
    expect(truth.disasters).toEqual([])
  })

  test('stuck loop: the arm stays up, the sensor is reported, and it ends when the loop lets go', async () => {
    const { log, story, truth } = await play('loop-stuck')
    expect(story.filter((s) => s.startsWith('alarm.raised')).length, `an alarm: ${story}`).toBeGreaterThan(0)
    expect(one(log, 'passage.cleared').subject).toBe('24C20958')
    expect(truth.disasters).toEqual([])
  })
})
