import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { topicMatches } from '../../../firmware-bridge/transport/topic.ts'
import type { Declaration, ListEntry } from '../../../gateway/identity/declaration.ts'
import { ORDERS } from '../../../gateway/identity/orders.ts'
import { type Clock, systemClock } from '../../../gateway/kernel/clock.ts'
import { Inbox, type InboxHandlers, MAX_DOWN_BYTES } from '../../../gateway/uplink/inbox.ts'
import { MAX_OWED } from '../../../gateway/uplink/owed.ts'
import { type Command, command, type Reply } from '../../../gateway/uplink/schema/down.ts'
import { SeenCommands } from '../../../gateway/uplink/seen.ts'
import { BASE, TestLog, until } from './helpers.ts'

const NOW = Date.parse('2026-11-21T08:00:00+07:00')
const iso = (ms: number) => new Date(ms).toISOString()
const B = `${BASE.root}/${BASE.site}`

/** A link in memory: says what was published, lets the test deliver. */
class Link {
  readonly name = 'test'
  up = true
  readonly sent: { topic: string; payload: string; retain: boolean }[] = []
  readonly #handlers: { filter: string; fn: (m: never) => unknown }[] = []
  readonly #state: ((up: boolean) => void)[] = []
  readonly subscribed: string[] = []
  failNext = false
  async publish(topic: string, payload: Uint8Array | string, { retain }: { qos: 0 | 1; retain: boolean }) {
    if (this.failNext) {
      this.failNext = false
      throw new Error('link lost')
    }
    this.sent.push({ topic, payload: String(payload), retain })
  }
  subscribe(filter: string, fn: (m: never) => unknown) {
    const entry = { filter, fn }
    this.subscribed.push(filter)
    this.#handlers.push(entry)
    return () => {
      this.#handlers.splice(this.#handlers.indexOf(entry), 1)
    }
  }
  onState(fn: (up: boolean) => void) {
    this.#state.push(fn)
    return () => {}
  }
  setUp(up: boolean) {
    this.up = up
    for (const fn of this.#state) fn(up)
  }
  async deliver(topic: string, payload: unknown, flags: { retained?: boolean; repeated?: boolean } = {}) {
    const bytes = payload instanceof Uint8Array ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    const message = { topic, payload: bytes, retained: flags.retained ?? false, repeated: flags.repeated ?? false }
    for (const { filter, fn } of [...this.#handlers]) if (topicMatches(filter, topic)) await fn(message as never)
    await new Promise((resolve) => setImmediate(resolve))
  }
  get replies(): Reply[] {
    return this.sent.filter((m) => m.topic === `${B}/command/reply`).map((m) => JSON.parse(m.payload))
  }
}

class Documents {
  readonly rows = new Map<string, { key: string; value: unknown; at: number }>()
  fail = false
  async putDocument(_: string, key: string, value: unknown | null) {
    if (this.fail) throw new Error('disk full')
    if (value === null) this.rows.delete(key)
    else this.rows.set(key, { key, value, at: NOW })
  }
  async documents() {
    return [...this.rows.values()]
  }
}

let link: Link
let log: TestLog
let documents: Documents
let inbox: Inbox
let now: number
let done: {
  declarations: [string, Declaration | null][]
  entries: [string, string, ListEntry | null][]
  commands: Command[]
  via: object[]
  rejected: [string, string][]
  platform: (number | undefined)[]
}
let answer: InboxHandlers['onCommand']
const clock: Clock = { ...systemClock, now: () => now }

async function start() {
  const seen = new SeenCommands(documents, clock)
  await seen.load()
  inbox = new Inbox({
    ...BASE,
    clock,
    log,
    seen,
    handlers: {
      onDeclaration: (id, d) => void done.declarations.push([id, d]),
      onListEntry: (list, key, e) => void done.entries.push([list, key, e]),
      onCommand: (c, via) => {
        done.commands.push(c)
        done.via.push(via)
        return answer(c, via)
      },
      onRejected: (f, why) => void done.rejected.push([f.id, why]),
      onPlatform: (at) => void done.platform.push(at),
    },
  })
  inbox.attach(link)
}

beforeEach(async () => {
  link = new Link()
  log = new TestLog()
  documents = new Documents()
  done = { declarations: [], entries: [], commands: [], via: [], rejected: [], platform: [] }
  now = NOW
  answer = async () => ({ ok: true })
  await start()
})

const DECLARATION = {
  id: 'D-1',
  plate: '24C-123.45',
  direction: 'import',
  valid_from: '2026-11-21T00:00:00+07:00',
  valid_to: '2026-11-22T00:00:00+07:00',
}
const OPEN = { id: 'c-1', do: 'open', lane: 'import-1', by: 'Lan', reason: 'papers seen', expires: iso(NOW + 60_000) }

describe('declarations and lists', () => {
  it('hands over what fits, retained or not, and withdraws on an empty payload', async () => {
    await link.deliver(`${B}/declaration/D-1`, DECLARATION, { retained: true })
    await link.deliver(`${B}/list/detained/29LD12345`, { key: '29LD12345', reason: 'customs' })
    await link.deliver(`${B}/declaration/D-1`, '')
    await link.deliver(`${B}/list/detained/29LD12345`, '')
    expect(done.declarations).toEqual([
      ['D-1', expect.objectContaining({ plate: '24C12345', traffic: 'loaded', channel: 'green' })],
      ['D-1', null],
    ])
    expect(done.entries).toEqual([
      ['detained', '29LD12345', { key: '29LD12345', reason: 'customs' }],
      ['detained', '29LD12345', null],
    ])
  })

  it('hears the platform in what comes just now and in its sign of life, not in what a broker had kept', async () => {
    await link.deliver(`${B}/declaration/D-1`, DECLARATION, { retained: true })
    await link.deliver(`${B}/list/detained/29LD12345`, { key: '29LD12345' }, { retained: true })
    expect(done.platform).toEqual([])
    await link.deliver(`${B}/declaration/D-1`, DECLARATION)
    await link.deliver(`${B}/list/detained/29LD12345`, '')
    await link.deliver(`${B}/platform`, { at: '2026-11-21T07:55:00+07:00' }, { retained: true })
    expect(done.platform).toEqual([undefined, undefined, NOW - 5 * 60_000])
    await link.deliver(`${B}/platform`, '')
    await link.deliver(`${B}/platform`, { at: 'now' })
    await link.deliver(`${B}/declaration/D-2`, { id: 'D-2' })
    expect(done.platform).toHaveLength(3)
    expect(inbox.stats().invalid).toBe(2)
  })

  it('refuses what does not fit, naming topic and reason, and changes nothing', async () => {
    const bad: [string, unknown, RegExp][] = [
      ['declaration/D-2', DECLARATION, /id in the payload is "D-1", in the topic "D-2"/],
      ['declaration/D-1', '{"id":', /not JSON/],
      ['declaration/D-1', Uint8Array.of(0xff, 0xfe), /not UTF-8/],
      ['declaration/D-1', 'null', /expected object/i],
      ['declaration/D-1', { ...DECLARATION, colour: 'red' }, /unrecognized key.*colour/i],
      ['declaration/D-1', { ...DECLARATION, weight_kg: -1 }, /weight_kg/],
      ['declaration/D-1', { ...DECLARATION, goods: 'x'.repeat(MAX_DOWN_BYTES) }, /bytes; at most/],
      ['declaration/D-1', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, /expected object/i],
      ['list/detained/A', { key: 'B' }, /key in the payload/],
    ]
    for (const [topic, payload, why] of bad) {
      await link.deliver(`${B}/${topic}`, payload)
      expect(log.lines.at(-1)?.fields).toMatchObject({ topic: `${B}/${topic}`, why: expect.stringMatching(why), code: 'PAYLOAD_INVALID' })
    }
    expect(done.declarations).toEqual([])
    expect(done.entries).toEqual([])
    expect(inbox.stats().invalid).toBe(bad.length)
  })

  it('survives random bytes and random JSON on every topic that comes down', async () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).filter((b) => b.length > 0),
      fc.jsonValue().map((v) => Buffer.from(JSON.stringify(v))),
      fc
        .record({ id: fc.constantFrom('D-1', 'c-1'), do: fc.string(), __proto__: fc.jsonValue() })
        .map((v) => Buffer.from(JSON.stringify(v))),
    )
    const topic = fc.constantFrom('declaration/D-1', 'list/detained/A', 'command')
    await fc.assert(
      fc.asyncProperty(topic, payload, fc.boolean(), async (t, p, retained) => {
        await link.deliver(`${B}/${t}`, p, { retained })
      }),
      { numRuns: 500 },
    )
    expect(done).toMatchObject({ declarations: [], entries: [], commands: [] })
    expect(inbox.stats().invalid + inbox.stats().rejected).toBeGreaterThanOrEqual(500)
    // A flood of nonsense does not become a flood of log.
    expect(log.lines.length).toBeLessThan(100)
  })
})

describe('commands', () => {
  it('carries out a good one and replies exactly once', async () => {
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(done.commands).toEqual([OPEN])
    expect(link.replies).toEqual([{ id: 'c-1', ok: true }])
    expect(link.sent[0]?.retain).toBe(false)
  })

  it('takes over a link only what may be ordered over it: the rest is answered, recorded, and uses up no id', async () => {
    const narrow = new Link()
    inbox.attach(narrow, ['resend-from'])
    await narrow.deliver(`${B}/command`, OPEN)
    await until(() => narrow.replies.length === 1)
    expect(narrow.replies[0]).toEqual({ id: 'c-1', ok: false, error: expect.stringMatching(/^not permitted: open .*only resend-from/) })
    expect(done.rejected).toEqual([['c-1', expect.stringMatching(/not permitted/)]])
    const { lane: _, ...base } = OPEN
    await narrow.deliver(`${B}/command`, { ...base, id: 'c-2', do: 'resend-from', from: 1 })
    await until(() => narrow.replies.length === 2)
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(done.commands.map((c) => c.id)).toEqual(['c-2', 'c-1'])
    // Whoever carries it out knows who asked.
    expect([done.via[0] === narrow, done.via[1] === link]).toEqual([true, true])
  })

  it('names every command that there is, for those who may order only some', () => {
    const named = command.options.flatMap((option) => {
      const { shape } = option as { shape: { do: { options?: string[]; value?: string } } }
      return shape.do.options ?? [shape.do.value!]
    })
    expect(named.sort()).toEqual([...ORDERS].sort())
  })

  it('says why it was refused by the lane', async () => {
    answer = async () => ({ ok: false, error: 'no vehicle stands there' })
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(link.replies[0]).toEqual({ id: 'c-1', ok: false, error: 'no vehicle stands there' })
  })

  it('rejects repeated ids, also after a restart', async () => {
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 2)
    expect(link.replies[1]).toEqual({ id: 'c-1', ok: false, error: expect.stringMatching(/^repeated/) })
    link = new Link()
    await start()
    await link.deliver(`${B}/command`, { ...OPEN, expires: iso(NOW + 120_000) })
    await until(() => link.replies.length === 1)
    expect(link.replies[0]?.error).toMatch(/^repeated/)
    expect(done.commands.length).toBe(1)
    expect(done.rejected.map(([id]) => id)).toEqual(['c-1', 'c-1'])
  })

  it('is silent when the broker repeats what was already answered', async () => {
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    await link.deliver(`${B}/command`, OPEN, { repeated: true })
    expect(link.replies.length).toBe(1)
    expect(done.commands.length).toBe(1)
  })

  it('carries out only one of two copies that arrive together', async () => {
    await Promise.all([link.deliver(`${B}/command`, OPEN), link.deliver(`${B}/command`, OPEN)])
    await until(() => link.replies.length === 2)
    expect(done.commands.length).toBe(1)
    expect(link.replies.map((r) => r.ok).sort()).toEqual([false, true])
  })

  it('rejects expired ones, ones too far ahead, retained ones and bad ones, each with its reason', async () => {
    const cases: [unknown, { retained?: boolean }, RegExp][] = [
      [{ ...OPEN, expires: iso(NOW - 1) }, {}, /^expired at .*clock of this site shows/],
      [{ ...OPEN, expires: iso(NOW + 25 * 3600_000) }, {}, /more than 24 hours ahead/],
      [OPEN, { retained: true }, /retained/],
      [{ ...OPEN, lane: undefined }, {}, /lane/],
      [{ ...OPEN, do: 'explode' }, {}, /do/],
      [{ ...OPEN, do: 'set-direction' }, {}, /direction/],
      [{ ...OPEN, do: 'resend-from', from: 1 }, {}, /lane/i],
      [{ ...OPEN, extra: 1 }, {}, /extra/],
      [{ ...OPEN, expires: 'soon' }, {}, /expires/],
    ]
    for (const [payload, flags, why] of cases) {
      link.sent.length = 0
      await link.deliver(`${B}/command`, payload, flags)
      await until(() => link.replies.length === 1)
      expect(link.replies[0]).toEqual({ id: 'c-1', ok: false, error: expect.stringMatching(why) })
    }
    expect(done.commands).toEqual([])
    // None of these used up the id.
    link.sent.length = 0
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(link.replies[0]?.ok).toBe(true)
  })

  it('does not answer what has no usable id', async () => {
    for (const payload of ['{', '[]', { ...OPEN, id: 7 }, { ...OPEN, id: 'a b' }, 'x']) await link.deliver(`${B}/command`, payload)
    expect(link.replies).toEqual([])
    expect(inbox.stats()).toMatchObject({ invalid: 5, commands: 0 })
  })

  it('does not act on what it could not record, and takes the same id again later', async () => {
    documents.fail = true
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(link.replies[0]).toMatchObject({ ok: false, error: expect.stringContaining('disk full') })
    expect(done.commands).toEqual([])
    documents.fail = false
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 2)
    expect(link.replies[1]).toEqual({ id: 'c-1', ok: true })
  })

  it('acts one after the other, drops what expires while waiting, and says when it is busy', async () => {
    let release = () => {}
    answer = () => new Promise((resolve) => (release = () => resolve({ ok: true })))
    for (let i = 0; i < 66; i++) await link.deliver(`${B}/command`, { ...OPEN, id: `c-${i}` })
    await until(() => link.replies.length === 2)
    expect(link.replies.map((r) => r.error)).toEqual([expect.stringMatching(/^busy/), expect.stringMatching(/^busy/)])
    expect(done.commands.length).toBe(1)
    now += 61_000
    answer = async () => ({ ok: true })
    release()
    await until(() => link.replies.length === 66)
    expect(done.commands.length).toBe(1)
    expect(link.replies.filter((r) => r.ok).map((r) => r.id)).toEqual(['c-0'])
    expect(link.replies.filter((r) => r.error?.includes('while waiting')).length).toBe(63)
  })

  it('turns a failing handler into a reply', async () => {
    answer = async () => {
      throw new Error('journal gone')
    }
    await link.deliver(`${B}/command`, OPEN)
    await until(() => link.replies.length === 1)
    expect(link.replies[0]).toEqual({ id: 'c-1', ok: false, error: 'journal gone' })
  })

  it('keeps replies while the link is down, bounded', async () => {
    link.up = false
    await link.deliver(`${B}/command`, OPEN)
    await until(() => inbox.stats().repliesWaiting === 1)
    for (let i = 0; i < 300; i++) await link.deliver(`${B}/command`, { ...OPEN, id: `late-${i}`, expires: iso(NOW - 1) })
    expect(inbox.stats()).toMatchObject({ repliesWaiting: 256, repliesDropped: 45 })
    link.setUp(true)
    await until(() => link.replies.length === 256)
    expect(inbox.stats().repliesWaiting).toBe(0)
  })

  it('sends a reply again that was lost with the link', async () => {
    link.failNext = true
    await link.deliver(`${B}/command`, OPEN)
    await until(() => inbox.stats().repliesWaiting === 1)
    link.setUp(true)
    await until(() => link.replies.length === 1)
    expect(link.replies).toEqual([{ id: 'c-1', ok: true }])
  })
})

describe('seen commands', () => {
  it('forgets after a month, not before', async () => {
    const seen = new SeenCommands(documents, clock)
    await seen.load()
    await seen.add('old', {})
    now += 29 * 24 * 3600_000
    await seen.add('new', {})
    expect(seen.has('old')).toBe(true)
    now += 2 * 24 * 3600_000
    await seen.add('newer', {})
    expect([seen.has('old'), seen.has('new'), [...documents.rows.keys()].sort()]).toEqual([false, true, ['new', 'newer']])
  })
})

describe('what the disk does not take', () => {
  const DECLARATION = {
    id: 'D-9',
    plate: '24C12345',
    direction: 'import',
    valid_from: '2026-11-20T00:00:00Z',
    valid_to: '2026-11-23T00:00:00Z',
  }
  const topic = (id: string) => `${B}/declaration/${id}`
  const told = (plate: string, id = 'D-9') => ({ ...DECLARATION, id, plate })

  /** An inbox whose disk is as the test says, and that tries again soon. */
  async function small() {
    const stored = new Map<string, string | null>()
    const disk = { full: true, tries: 0 }
    const seen = new SeenCommands(documents, clock)
    const quick: Clock = { ...clock, after: (ms, fn) => systemClock.after(ms / 200, fn) }
    const own = new Inbox({
      ...BASE,
      clock: quick,
      log,
      seen,
      handlers: {
        onDeclaration: async (id, d) => {
          disk.tries++
          await new Promise((resolve) => setImmediate(resolve))
          if (disk.full) throw new Error('disk full')
          stored.set(id, d?.plate ?? null)
        },
        onListEntry: () => {},
        onCommand: async () => ({ ok: true }),
      },
    })
    const line = new Link()
    const off = own.attach(line)
    return { own, line, off, stored, disk }
  }

  it('is stored when there is room, the newest of each topic, withdrawals too', async () => {
    const { own, line, off, stored, disk } = await small()
    await line.deliver(topic('D-9'), told('24C11111'))
    await line.deliver(topic('D-9'), told('24C22222'))
    await line.deliver(topic('D-8'), told('24C33333', 'D-8'))
    await line.deliver(topic('D-8'), new Uint8Array())
    await until(() => own.stats().owed === 2)
    const { tries } = disk
    await until(() => disk.tries > tries + 2)
    expect(stored.size).toBe(0)
    disk.full = false
    await until(() => own.stats().owed === 0)
    await until(() => stored.size === 2)
    expect([...stored].sort()).toEqual([
      ['D-8', null],
      ['D-9', '24C22222'],
    ])
    off()
  })

  it('does not come back over what was said later; nothing is tried when nobody listens any more', async () => {
    const { own, line, off, stored, disk } = await small()
    await line.deliver(topic('D-9'), told('24C11111'))
    await until(() => own.stats().owed === 1)
    disk.full = false
    await line.deliver(topic('D-9'), told('24C22222'))
    await until(() => own.stats().owed === 0)
    expect(stored.get('D-9')).toBe('24C22222')
    disk.full = true
    await line.deliver(topic('D-9'), told('24C33333'))
    await until(() => own.stats().owed === 1)
    off()
    const { tries } = disk
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(disk.tries).toBe(tries)
  })

  it('where it is more than can be kept, the broker is asked once more', async () => {
    const { own, line, off, stored, disk } = await small()
    for (let i = 0; i <= MAX_OWED; i++) await line.deliver(topic(`D-${i}`), told('24C11111', `D-${i}`))
    await until(() => own.stats().owed === MAX_OWED)
    const before = line.subscribed.length
    disk.full = false
    await until(() => stored.size === MAX_OWED)
    await until(() => line.subscribed.length > before)
    expect(line.subscribed.slice(before)).toEqual([`${B}/declaration/+`, `${B}/list/+/+`])
    // The handlers are there still.
    await line.deliver(topic(`D-${MAX_OWED}`), told('24C22222', `D-${MAX_OWED}`))
    await until(() => stored.get(`D-${MAX_OWED}`) === '24C22222')
    off()
  })
})
