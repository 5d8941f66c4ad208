import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { entriesAfter, openReader } from '../../../gateway/journal/reader.ts'
import { verifyJournal } from '../../../gateway/journal/verify.ts'
import { workerUrl } from '../../../gateway/kernel/worker-url.ts'
import { event, opened, tempFolder } from './fixtures.ts'

/** More with LUONG_CRASHES=200. */
const ROUNDS = Number(process.env.LUONG_CRASHES ?? 20)
const child = fileURLToPath(workerUrl(import.meta.url, './crash-child.js'))

let folder: ReturnType<typeof tempFolder>
beforeEach(() => {
  folder = tempFolder()
})
afterEach(() => folder.remove())

/** Runs the child, kills it `ms` after it was ready, and returns what it said. */
async function crash(round: number, ms: number): Promise<string[]> {
  const running = spawn(process.execPath, [child, folder.dir, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  running.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  running.stdout.once('data', () => setTimeout(() => running.kill('SIGKILL'), ms))
  const [, signal] = await once(running, 'close')
  expect(signal).toBe('SIGKILL')
  // A last line that was cut off is no acknowledgement.
  return said.slice(0, said.lastIndexOf('\n')).split('\n').slice(1)
}

it(`loses nothing that was acknowledged, and numbers without gaps, over ${ROUNDS} × kill -9`, {
  timeout: 30_000 + ROUNDS * 3_000,
}, async () => {
  const acknowledged = new Map<number, string>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await crash(round, Math.random() * 80)) {
      const [passage, ...sequences] = line.split(' ')
      for (const sequence of sequences.map(Number)) {
        expect(acknowledged.has(sequence), `sequence ${sequence} was given twice`).toBe(false)
        acknowledged.set(sequence, passage!)
      }
    }
    const report = await verifyJournal(folder.dir)
    expect(report.bad).toBe(undefined)
    expect(report.events).toBeGreaterThanOrEqual(Math.max(0, ...acknowledged.keys()))
  }
  const reader = openReader(folder.dir)
  const stored = new Map<number, string | null>()
  const perPassage = new Map<string | null, number>()
  for (const row of entriesAfter(reader.queries, 0)) {
    if (row.sequence !== null) stored.set(row.sequence, row.passage)
    perPassage.set(row.passage, (perPassage.get(row.passage) ?? 0) + 1)
  }
  reader.close()
  expect(acknowledged.size).toBeGreaterThan(ROUNDS)
  for (const [sequence, passage] of acknowledged) expect(stored.get(sequence)).toBe(passage)
  // All or nothing: an append is three entries.
  expect([...perPassage.values()].every((n) => n === 3)).toBe(true)
})

it('keeps a second gateway out, and is free at once after kill -9', async () => {
  const running = spawn(process.execPath, [child, folder.dir, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(running.stdout, 'data')
  await expect(opened(folder.dir)).rejects.toMatchObject({
    code: 'DATA_IN_USE',
    message: expect.stringContaining(`(process ${running.pid})`),
  })
  running.kill('SIGKILL')
  await once(running, 'exit')
  const journal = await opened(folder.dir)
  await journal.append([event('arrived', 'AFTER')])
  await journal.close()
  expect((await verifyJournal(folder.dir)).ok).toBe(true)
})
