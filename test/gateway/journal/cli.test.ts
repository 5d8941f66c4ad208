import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Journal } from '../../../gateway/journal/journal.ts'
import { openSeal } from '../../../gateway/journal/seal.ts'
import { workerUrl } from '../../../gateway/kernel/worker-url.ts'
import type { LaneInput, LaneSettings } from '../../../gateway/lane/model.ts'
import { initial, step } from '../../../gateway/lane/step.ts'
import { AT, event, input, opened, tempFolder, truck } from './fixtures.ts'

const child = fileURLToPath(workerUrl(import.meta.url, './cli-child.js'))
const HOUR = 3_600_000

let folder: ReturnType<typeof tempFolder>
let data: string
let running: Journal

const start = (...args: string[]): ChildProcess => spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

async function luong(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const process = start(...args)
  let [out, err] = ['', '']
  process.stdout!.on('data', (chunk) => {
    out += chunk
  })
  process.stderr!.on('data', (chunk) => {
    err += chunk
  })
  const [code] = (await once(process, 'close')) as [number | null]
  return { code, out, err }
}

const settings: LaneSettings = { approach: true, curtain: true, exit: true, limits: true, idleAspect: 'red' }

/** A lane's record as the runner writes it: the state before, then each input with what the core answered. */
function recorded(passage: string, spoil = false) {
  let state = initial(settings)
  const inputs: LaneInput[] = [
    { kind: 'start', at: 0, unfinished: false, closed: false, direction: 'import' },
    ...(['approach', 'presence', 'curtain', 'exit'] as const).map((role): LaneInput => ({ kind: 'sensor', at: 1, role, value: false })),
    { kind: 'barrier', at: 2, position: 'closed' },
    { kind: 'sensor', at: 3, role: 'approach', value: true },
  ]
  const entries = inputs.map((body) => {
    const [next, actions] = step(state, body, settings)
    state = next
    return input(body.at === 3 ? passage : undefined, body, [...actions])
  })
  const before = entries.slice(0, -1)
  const last = entries.at(-1)!
  return [
    input(undefined, { kind: 'settings', settings }),
    ...before,
    spoil ? { ...last, actions: [{ do: 'open', passage: 9 }] } : last,
    event('arrived', passage),
    event('aborted', passage),
  ]
}

/** The same from a state that was noted when the passage began. */
function checkpointed(passage: string) {
  const state = { ...initial(settings) }
  const body: LaneInput = { kind: 'start', at: 5, unfinished: false, closed: false, direction: 'export' }
  const [next, actions] = step(state, body, settings)
  const after: LaneInput = { kind: 'sensor', at: 6, role: 'approach', value: true }
  return [
    input(passage, { kind: 'checkpoint', state, settings }),
    input(passage, body, [...actions]),
    input(passage, after, [...step(next, after, settings)[1]]),
    event('arrived', passage),
    event('aborted', passage),
  ]
}

beforeAll(async () => {
  folder = tempFolder()
  data = join(folder.dir, 'data')
  running = await opened(data)
  await running.append(recorded('SAME'))
  await running.append(checkpointed('POINT'))
  await running.append(recorded('OTHER', true))
  for (let i = 0; i < 12; i++) await running.append(truck(`T${i}`, `24C1000${i}`, AT + i * HOUR))
  await running.append(truck('Y', '24C99999', AT - 24 * HOUR))
})
afterAll(async () => {
  await running.close()
  folder.remove()
})

describe('luong journal, beside a running gateway', () => {
  it('shows a line for each event', async () => {
    const { code, out } = await luong('journal', data)
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines).toHaveLength(running.head().sequence)
    expect(lines[6]).toMatch(/^2026-11-21 08:15:30\.124 {2}#7 {7}import-1 {4}passage\.arrived {5}-$/)
    expect(lines[9]).toBe(
      '2026-11-21 08:15:39.123  #10      import-1    passage.cleared     24C10000    rule declared · Declared and in date · outcome cleared',
    )
  })

  it('gives events byte for byte as published, from a sequence on', async () => {
    const { code, out } = await luong('journal', data, '--json', '--from', '9')
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toEqual((await running.events(8, 1_000)).map((e) => e.json))
  })

  it('shows one passage with its inputs and actions', async () => {
    const { code, out } = await luong('journal', data, '--passage', 'SAME')
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/import-1 {4}< sensor approach on {2}> .*identify/)
    expect(out).toMatch(/passage\.arrived/)
    const json = await luong('journal', data, '--passage', 'SAME', '--json')
    expect(JSON.parse(json.out.split('\n')[0]!)).toMatchObject({ lane: 'import-1', passage: 'SAME', input: { kind: 'sensor' } })
  })

  it('verifies', async () => {
    const { code, out } = await luong('journal', data, '--verify')
    expect([code, out]).toEqual([0, expect.stringContaining(`the journal is whole: ${running.head().entry} entries`)])
    const json = await luong('journal', data, '--verify', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, head: running.head() })
  })

  it('holds the journal against a head that was signed before', async () => {
    const seal = openSeal(folder.dir)
    const file = join(folder.dir, 'head.json')
    const now = { site: 'kim-thanh', boot: 'b1', at: '2026-11-21T09:00:00.000+07:00', ...running.head() }
    const check = async (head: object) => {
      writeFileSync(file, JSON.stringify(head))
      return luong('journal', data, '--verify', '--against', file)
    }
    const good = await check(seal.sign(now))
    expect([good.code, good.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`signed head of 2026-11-21.* key ${seal.fingerprint}\\): held`)),
    ])
    const json = await luong('journal', data, '--verify', '--json', '--against', file)
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, against: { ok: true, fingerprint: seal.fingerprint } })
    const wrong: [object, RegExp][] = [
      [{ ...seal.sign(now), sequence: 1 }, /the head itself was changed/],
      [seal.sign({ ...now, entry: now.entry + 5 }), /its end was cut off/],
      [seal.sign({ ...now, hash: 'ab'.repeat(32) }), /was written anew/],
      [seal.sign({ ...now, site: 'huu-nghi' }), /of site huu-nghi, this journal is of kim-thanh/],
    ]
    for (const [head, why] of wrong) {
      const { code, out } = await check(head)
      expect([code, out], `${why}`).toEqual([1, expect.stringMatching(why)])
    }
    const { code, err } = await check({ sequence: 1 })
    expect([code, err]).toEqual([1, expect.stringContaining(`${file}: this is no sealed head`)])
  }, 60_000)

  it('follows new events until interrupted', async () => {
    const process = start('journal', data, '--follow')
    let out = ''
    const said = (what: string) =>
      new Promise<void>((resolve) => {
        const look = () => (out.includes(what) ? resolve() : undefined)
        process.stdout!.on('data', look)
        look()
      })
    process.stdout!.on('data', (chunk) => {
      out += chunk
    })
    await said('24C99999')
    await running.append([event('arrived', 'NEW', { subject: '24C77777' }), event('aborted', 'NEW')])
    await said('24C77777')
    process.kill('SIGINT')
    expect((await once(process, 'close'))[0]).toBe(0)
    expect(out).not.toContain('24C10000 ')
  })

  it('ends quietly when nobody reads on', async () => {
    const process = start('journal', data)
    process.stdout!.destroy()
    expect((await once(process, 'close'))[0]).toBe(0)
  })
})

describe('luong replay', () => {
  it('finds the same actions, from settings and from a checkpoint', async () => {
    expect(await luong('replay', data, '--passage', 'SAME')).toMatchObject({
      code: 0,
      out: 'passage SAME, lane import-1: 7 inputs replayed, the same actions\n',
    })
    expect(await luong('replay', data, '--passage', 'POINT')).toMatchObject({
      code: 0,
      out: 'passage POINT, lane import-1: 2 inputs replayed, the same actions\n',
    })
  })

  it('says where they differ', async () => {
    const { code, out } = await luong('replay', data, '--passage', 'OTHER')
    expect(code).toBe(1)
    expect(out).toMatch(/entry \d+: \{"kind":"sensor".*\n {2}recorded {2}\[\{"do":"open","passage":9\}\]\n {2}now {7}\[.*identify/)
    expect(out).toMatch(/7 inputs replayed, 1 with other actions\n$/)
    const json = (await luong('replay', data, '--passage', 'OTHER', '--json')).out.trimEnd().split('\n')
    expect(json.map((line) => JSON.parse(line).same)).toEqual([true, true, true, true, true, true, false])
  })

  it('says when there is nothing to replay', async () => {
    expect(await luong('replay', data, '--passage', 'NONE')).toMatchObject({
      code: 1,
      err: 'BAD_USAGE: no inputs are recorded for passage NONE\n',
    })
  })
})

describe('luong report', () => {
  it('counts the last day with traffic against the one before', async () => {
    const { code, out } = await luong('report', data, '--json')
    expect(code).toBe(0)
    const { period, before } = JSON.parse(out)
    expect(period).toMatchObject({
      from: '2026-11-21T00:00:00.000+07:00',
      to: '2026-11-22T00:00:00.000+07:00',
      outcomes: { cleared: 12 },
      lanes: { 'import-1': period.passages },
      passage_s: { mean: 9, p95: 9 },
    })
    expect(period.hours.slice(9, 20)).toEqual(Array(11).fill(1))
    expect(before).toMatchObject({ passages: 1, outcomes: { cleared: 1 }, read_rate: 1 })
    const text = (await luong('report', data)).out
    expect(text).toMatch(/^kim-thanh {2}2026-11-21 00:00 to 2026-11-22 00:00 \(Asia\/Ho_Chi_Minh\); before: from 2026-11-20 00:00\n/)
    expect(text).toMatch(/outcome cleared +12 +1 +\+1100 %/)
    expect(text).toMatch(/passage time, mean +9\.0 s/)
  })

  it('takes a period', async () => {
    const { out } = await luong('report', data, '--json', '--from', '2026-11-21T09:00', '--to', '2026-11-21T11:00+07:00')
    expect(JSON.parse(out).period).toMatchObject({ passages: 2, outcomes: { cleared: 2 } })
    expect(await luong('report', data, '--from', 'yesterday')).toMatchObject({
      code: 1,
      err: 'BAD_USAGE: --from yesterday: no such time\n',
    })
    expect(await luong('report', data, '--from', '2026-11-21', '--to', '2026-11-20')).toMatchObject({
      err: 'BAD_USAGE: --to must be after --from\n',
    })
  })
})

describe('luong backup and restore', () => {
  it('copies and fills', async () => {
    const file = join(folder.dir, 'b.luong')
    const copy = join(folder.dir, 'copy')
    const { code, out } = await luong('backup', data, file)
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/b\.luong: \d+ entries, \d+ events, 0 pictures; verified; head \d+ [0-9a-f]{64}\n$/),
    ])
    const restored = await luong('restore', file, copy)
    expect(restored.code).toBe(0)
    expect(restored.out).toContain(`The next event gets sequence ${running.head().sequence + 1}.`)
    expect((await luong('journal', copy, '--verify')).code).toBe(0)
  })
})

describe('folders that are no journal', () => {
  it('are named, and nothing is made of them', async () => {
    const none = join(folder.dir, 'none')
    const empty = join(folder.dir, 'empty')
    mkdirSync(empty)
    for (const command of [['journal'], ['journal', '--verify'], ['report'], ['replay', '--passage', 'P']]) {
      const [name, ...options] = command
      expect((await luong(name!, none, ...options)).err).toBe(`BAD_USAGE: ${none}: no such folder\n`)
    }
    expect((await luong('journal', empty)).err).toBe(`BAD_USAGE: ${empty}: there is no journal in it\n`)
    expect((await luong('backup', empty, join(folder.dir, 'x'))).err).toBe(`BAD_USAGE: ${empty}: there is no journal in it\n`)
    expect([none, join(empty, 'journal.db'), join(folder.dir, 'x')].map(existsSync)).toEqual([false, false, false])
    writeFileSync(
      join(empty, 'journal.db'),
      'no database at all, but long enough to have a header of one hundred bytes, which is what is looked at first',
    )
    expect((await luong('journal', empty)).err).toMatch(/^JOURNAL_CORRUPT: the journal in .* is damaged: file is not a database\n$/)
  })
})
