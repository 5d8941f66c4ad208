/** The way to the other half over real brokers and journals: kill -9, a broker that dies, messages that are wrong. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { Journal } from '../../../gateway/journal/journal.ts'
import { openReader } from '../../../gateway/journal/reader.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import type { PeerChannel } from '../../../gateway/peer/channel.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { until } from '../../harness/chaos-site.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { plainEnv } from '../../harness/plain-env.ts'
import { channelOf, cleared } from './channel.ts'

const undo: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-peer-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function half(site: 'a' | 'b', url: string): Promise<{ journal: Journal; channel: PeerChannel }> {
  const journal = createJournal({ dir: await folder(), site, minFreeMb: 16 })
  await journal.open()
  undo.push(() => journal.close())
  const { link, channel } = channelOf(site, url, journal)
  await channel.start()
  link.start()
  undo.push(() => link.stop())
  undo.push(() => channel.stop())
  return { journal, channel }
}

/** Plates of all events of a type, in order. */
async function plates(journal: Pick<Journal, 'events'>, type: string): Promise<string[]> {
  const all = await journal.events(0, 10_000)
  return all.filter((e) => e.type === type).map((e) => (JSON.parse(e.json) as { subject: string }).subject)
}

const passageId = (n: number) => `01J${String(n).padStart(23, '0')}`

it('kill -9 of one side, again and again, and a broker that dies: each vehicle is handed over once, in order', async () => {
  const broker = await startMosquitto()
  undo.push(() => broker.stop())
  const b = await half('b', broker.url)
  const dir = await folder()
  const sent: string[] = []
  const [left, kept] = [[] as string[], 'luong.peer.expected.v1']
  let child: ChildProcess | undefined
  undo.push(() => child?.kill('SIGKILL'))
  let n = 0
  for (let round = 0; round < 6; round++) {
    child = spawn(process.execPath, ['dist/test/gateway/peer/kill-child.js', dir, broker.url], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: plainEnv(),
    })
    const gone = new Promise((done) => child!.once('exit', done))
    const said = createInterface({ input: child.stdout! })
    said.on('line', (line) => line === 'ready' || left.push(line))
    const before = left.length
    let ready = false
    said.once('line', () => {
      ready = true
    })
    await until('the child is ready', () => ready)
    for (let i = 0; i < 12; i++) {
      const plate = `24C${String(++n).padStart(5, '0')}`
      sent.push(plate)
      child.stdin!.write(`${plate} ${passageId(n)}\n`)
    }
    // Some rounds end in the midst of it, some after all of it.
    if (round === 2) await broker.kill()
    await until('some have left', () => left.length - before >= [1, 6, 9, 12][round % 4]!)
    child.kill('SIGKILL')
    await gone
    if (round === 2) await broker.restart()
  }
  // The last run finds what those before have left.
  child = spawn(process.execPath, ['dist/test/gateway/peer/kill-child.js', dir, broker.url], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: plainEnv(),
  })
  const journalled = () => {
    const reader = openReader(dir)
    try {
      return reader.queries
        .events(0, 10_000)
        .filter((e) => e.type === 'luong.passage.cleared.v1')
        .map((e) => (JSON.parse(e.json) as { subject: string }).subject)
    } finally {
      reader.close()
    }
  }
  await until('all have come', async () => (await plates(b.journal, kept)).length >= journalled().length, 120_000)
  expect(await plates(b.journal, kept)).toEqual(journalled())
  expect(journalled()).toEqual(expect.arrayContaining(left))
  expect(sent).toEqual(expect.arrayContaining(journalled()))
  expect(b.channel.stats()).toMatchObject({ expected: journalled().length })
}, 240_000)

it('what is wrong is counted and refused, and changes nothing', async () => {
  const broker = await startMosquitto()
  undo.push(() => broker.stop())
  const [a, b] = [await half('a', broker.url), await half('b', broker.url)]
  await until('they have met', () => a.channel.up && b.channel.up)
  await a.journal.append([cleared('export', '24C00001', passageId(1))])
  await until('it is expected', () => b.channel.stats().expected === 1)
  const wrong = new BrokerConnection({ name: 'wrong', url: broker.url, clientId: 'wrong', clock: systemClock, log: silentLog })
  wrong.start()
  undo.push(() => wrong.stop())
  await until('it is connected', () => wrong.up)
  const hello = { kind: 'hello', id: 'x', from: 'a', at: new Date().toISOString(), nonce: '0'.repeat(16), stream: 'f'.repeat(16) }
  const bad: [string, string | Uint8Array][] = [
    ['hello', 'nonsense'],
    ['hello', new Uint8Array([0xff, 0xfe])],
    ['hello', ''],
    ['hello', JSON.stringify({ ...hello, kind: 'dance' })],
    ['ack', JSON.stringify(hello)],
    ['hello', JSON.stringify({ ...hello, from: 'b' })],
    ['hello', JSON.stringify({ ...hello, stream: 'short' })],
    ['hello', JSON.stringify({ ...hello, id: 'y'.repeat(20_000) })],
  ]
  for (const [kind, payload] of bad) await wrong.publish(`luong/v1/a/peer/b/${kind}`, payload, { qos: 1, retain: false })
  await until('all were refused', () => b.channel.stats().refused === bad.length)
  // Retained messages are old ones.
  await wrong.publish('luong/v1/a/peer/b/hello', JSON.stringify(hello), { qos: 1, retain: true })
  await a.journal.append([cleared('export', '24C00002', passageId(2))])
  await until('it goes on', () => b.channel.stats().expected === 2)
  expect(await b.channel.command({ kind: 'acknowledge', about: 'nothing', by: 'Lan', answer: 'x' })).toMatch(/no message/)
  await b.channel.stop()
  expect(await b.channel.command({ kind: 'message', id: 'm', by: 'Lan', text: 'x' })).toBe('the gateway is stopping')
})
