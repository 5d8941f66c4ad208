/** The uplink with the real journal behind it and a real broker in front. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { EventEntry, Journal } from '../../../gateway/journal/journal.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { Inbox } from '../../../gateway/uplink/inbox.ts'
import { parkedInJournal } from '../../../gateway/uplink/parked.ts'
import { Publisher } from '../../../gateway/uplink/publisher.ts'
import { EVENT_DATA, type EventData, type EventType, event, eventDataSchema } from '../../../gateway/uplink/schema/event.ts'
import { SeenCommands } from '../../../gateway/uplink/seen.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, Consumer, client, until } from './helpers.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const always = { clock: { synced: null, offset_ms: null }, historical: false }
const config = `sha256:${'a'.repeat(64)}`
const passage = '01JDB5XCV0ABCDEFGHJKMNPQRS'
const at = '2026-11-21T08:15:30.123+07:00'
const plate = {
  text: '24C12345',
  country: 'vn',
  colour: 'white',
  lines: 2,
  position: 'front',
  confidence: 0.9,
  weakest: 0.95,
  frames: 3,
  sure: true,
} as const
const passageData: EventData<'luong.passage.cleared.v1'> = {
  passage,
  lane: 'import-1',
  direction: 'import',
  outcome: 'cleared',
  plates: [plate],
  declaration: 'D-1',
  identity: { match: 'exact', candidates: ['D-1'], disagreements: [], tag: 'same' },
  decision: { rule: 'declared', outcome: 'pass', reasons: [{ vi: 'đã khai', zh: '已申报', en: 'declared' }], config },
  weight_kg: 17_340,
  tags: [{ text: 'E28068940000500012345678', reader: 'uhf-1', count: 31, rssi: -55 }],
  codes: [{ text: 'TK-2026/1', reader: 'qr-1', count: 1, rssi: null }],
  times: { arrived: at, decided: at, opened: at, cleared: at, duration_ms: 9_100 },
  evidence: [{ path: '2026/11/21/x.jpg', sha256: 'b'.repeat(64) }],
  ...always,
}
const EXAMPLES: { [K in keyof typeof EVENT_DATA as K extends `luong.${infer G}.${string}.v1` ? G : never]: EventData } = {
  passage: passageData,
  lane: { lane: 'import-1', ...always, why: 'limit switch' },
  alarm: { alarm: 'tailgating', lane: 'import-1', passage, plate: '24C12345', ...always },
  command: { id: 'c-1', do: 'open', lane: 'import-1', by: 'Lan', reason: 'papers seen', ...always },
  site: { boot: 'b1', version: '0.1.0', config, ...always },
  journal: { from: 7, to: 10_006, key: '0123456789abcdef', by: 'Lan', reason: 'the disk died', ...always },
  clock: { by_ms: 3_600_000, before: at, restamp: true, was: false, ...always },
}
const PLAN: EventData = { lane: 'import-1', plan: 'evening', direction: 'export', closed: false, change: 'done', ...always }
const entryOf = (type: EventType): EventEntry => {
  const group = type.split('.')[1] as keyof typeof EXAMPLES
  const data = type === 'luong.lane.plan.v1' ? PLAN : EXAMPLES[group]
  return { kind: 'event', type, at: Date.parse(at), data, ...('lane' in data && data.lane ? { lane: data.lane } : {}), subject: '24C12345' }
}

async function journal(dir: string): Promise<Journal> {
  const j = createJournal({ dir, site: 'kim-thanh' })
  await j.open()
  return j
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-uplink-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

describe('events', () => {
  it('of every type, as the journal renders them, fit their schema, and others do not', async () => {
    const j = await journal(await folder())
    cleanups.push(() => j.close())
    const types = Object.keys(EVENT_DATA) as EventType[]
    for (const type of types) expect(eventDataSchema(type)?.safeParse(entryOf(type).data).success, type).toBe(true)
    await j.append(types.map(entryOf))
    await j.append([{ kind: 'event', type: 'luong.peer.expected.v1', at: 0, data: { peer: 'huu-nghi', plate: '24C12345', ...always } }])
    const stored = await j.events(0, 100)
    expect(stored.length).toBe(types.length + 1)
    for (const s of stored) {
      const parsed = event.safeParse(JSON.parse(s.json))
      expect(parsed.success, `${s.type}: ${parsed.error && z.prettifyError(parsed.error)}`).toBe(true)
    }
    const good = JSON.parse(stored[3]?.json ?? '') as Record<string, unknown>
    for (const bad of [
      { ...good, extra: 1 },
      { ...good, type: 'luong.passage.vanished.v1' },
      { ...good, sequence: 4 },
      { ...good, data: { ...(good.data as object), weight_kg: '17 t' } },
      { ...good, data: { ...(good.data as object), outcome: 'pass' } },
    ]) {
      expect(event.safeParse(bad).success).toBe(false)
    }
    expect(eventDataSchema('luong.passage.vanished.v1')).toBeNull()
    expect(eventDataSchema('constructor')).toBeNull()
  })
})

describe('uplink with the journal', () => {
  it('publishes over restarts of both sides without a gap; resend-from by command sends the same bytes', async () => {
    const dir = await folder()
    const mosquitto = await startMosquitto()
    cleanups.push(() => mosquitto.stop())
    const seen = new Consumer()
    const centre = client(mosquitto.url)
    cleanups.push(() => centre.endAsync(true))
    const replies: { id: string; ok: boolean; error?: string }[] = []
    centre.on('message', (t, payload) => {
      if (t.endsWith('/reply')) replies.push(JSON.parse(payload.toString()))
      else seen.take(t, payload)
    })
    await new Promise((resolve) => centre.once('connect', resolve))
    await centre.subscribeAsync(['luong/v1/+/lane/+/event', 'luong/v1/+/command/reply'], { qos: 1 })

    const run = async (work: (parts: { j: Journal; publisher: Publisher }) => Promise<void>) => {
      const j = await journal(dir)
      const clock = systemClock
      const log = silentLog
      const link = new BrokerConnection({
        name: 'central',
        url: mosquitto.url,
        clientId: 'site',
        protocol: 'auto',
        clock,
        log,
        backoff: new Backoff(20, 100),
      })
      const publisher = new Publisher({ ...BASE, target: 'central', link, source: j, parked: parkedInJournal(j, 'central'), clock, log })
      const known = new SeenCommands(j, clock)
      await known.load()
      const inbox = new Inbox({
        ...BASE,
        clock,
        log,
        seen: known,
        handlers: {
          onDeclaration: () => {},
          onListEntry: () => {},
          onCommand: async (c) => {
            if (c.do === 'resend-from') publisher.resendFrom(c.from)
            return { ok: true }
          },
        },
      })
      inbox.attach(link)
      link.start()
      await publisher.start()
      await until(
        () => link.up,
        () => link.stats(),
      )
      await work({ j, publisher })
      await publisher.stop()
      await link.stop()
      await j.close()
    }
    const append = (j: Journal, n: number) => Promise.all(Array.from({ length: n }, () => j.append([entryOf('luong.passage.cleared.v1')])))

    await run(async ({ j }) => {
      await append(j, 100)
      await until(
        () => seen.complete === 100,
        () => seen.complete,
      )
    })
    await run(async ({ j, publisher }) => {
      await until(() => publisher.stats().lag === 0)
      await mosquitto.kill()
      await append(j, 100)
      await mosquitto.restart()
      await until(
        () => publisher.stats().lag === 0 && centre.connected,
        () => publisher.stats(),
      )
    })
    await run(async () => {
      // The broker's death took what the centre had not fetched yet: a gap, or nothing at the end; so it asks.
      const resend = {
        id: 'r-1',
        do: 'resend-from',
        from: seen.complete + 1,
        by: 'centre',
        reason: 'gap',
        expires: new Date(Date.now() + 60_000).toISOString(),
      }
      if (seen.complete < 200) {
        await until(() => centre.connected)
        await centre.publishAsync('luong/v1/kim-thanh/command', JSON.stringify(resend), { qos: 1 })
        await until(() => replies.length > 0)
      }
      await until(
        () => seen.complete === 200,
        () => seen.complete,
      )
      await centre.publishAsync('luong/v1/kim-thanh/command', JSON.stringify({ ...resend, id: 'r-2', from: 1 }), { qos: 1 })
      await until(
        () => replies.some((r) => r.id === 'r-2') && seen.arrivals.length >= 400,
        () => seen.arrivals.length,
      )
      await centre.publishAsync('luong/v1/kim-thanh/command', JSON.stringify({ ...resend, id: 'r-3', from: 999 }), { qos: 1 })
      await until(() => replies.some((r) => r.id === 'r-3'))
      expect(replies.find((r) => r.id === 'r-3')).toMatchObject({ ok: false, error: expect.stringContaining('sequences 1 to 200') })
    })
    expect(seen.texts.size).toBe(200)
    expect(seen.changed).toEqual([])
  })
})
