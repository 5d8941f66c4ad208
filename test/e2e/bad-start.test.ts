/** What keeps a site from starting: said in words, exit code 1, and whatever was there before is left as it was. */
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { verifyJournal } from '../../gateway/journal/verify.ts'
import { luong, type RunningGateway, runGateway } from '../harness/chaos-process.ts'
import { until, writeSite } from '../harness/chaos-site.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A data folder of a site that ran and stopped, to be copied. */
let kept = ''
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'luong-start-'))
  const gateway = runGateway(await site(dir))
  await gateway.ready()
  expect(await gateway.kill('SIGTERM')).toBe(0)
  kept = join(dir, 'data')
  return () => rm(dir, { recursive: true, force: true })
})

function site(dir: string, more: { id?: string; mqttPort?: number; httpPort?: number } = {}): Promise<string> {
  return writeSite({
    dir,
    ...(more.id ? { id: more.id } : {}),
    lanes: ['a'],
    // Nobody listens there: the lane stays unknown, which is enough here.
    bus: { kind: 'tcp', host: '127.0.0.1', port: 9 },
    broker: { embedded: { port: more.mqttPort ?? 0 } },
    ...(more.httpPort === undefined ? {} : { httpPort: more.httpPort }),
  })
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-start-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function ended(gateway: RunningGateway): Promise<{ code: number | null; said: string }> {
  cleanups.push(() => gateway.kill('SIGKILL'))
  return { code: await gateway.exited, said: gateway.said() }
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => new Promise((done) => server.close(done)))
  return (server.address() as { port: number }).port
}

describe('a site that cannot start', () => {
  it('broker port in use: names it; the next start on a free port finds everything as it was', async () => {
    const dir = await folder()
    const port = await takenPort()
    const { code, said } = await ended(runGateway(await site(dir, { mqttPort: port })))
    expect(code).toBe(1)
    expect(said).toMatch(new RegExp(`PORT_IN_USE.*${port}`))
    const again = runGateway(await site(dir))
    cleanups.push(() => again.kill('SIGKILL'))
    await again.ready()
    expect(await again.kill('SIGTERM')).toBe(0)
    expect((await verifyJournal(join(dir, 'data'))).ok).toBe(true)
  })

  it('http port in use', async () => {
    const dir = await folder()
    const port = await takenPort()
    const { code, said } = await ended(runGateway(await site(dir, { httpPort: port })))
    expect(code).toBe(1)
    expect(said).toMatch(new RegExp(`PORT_IN_USE.*${port}.*http`))
  })

  it('the demo says so too when a port that was asked for is taken', async () => {
    const port = await takenPort()
    const ran = await luong(['start', '--mqtt-port', String(port), '--http-port', '0', '--data', join(await folder(), 'data')])
    expect(ran.code).toBe(1)
    expect(ran.err).toMatch(new RegExp(`${port} on 127\\.0\\.0\\.1 is taken.*\\n.*Stop the program`))
  })

  it('data folder of another site', async () => {
    const dir = await folder()
    await cp(kept, join(dir, 'data'), { recursive: true })
    const before = await readFile(join(dir, 'data/journal.db'))
    const { code, said } = await ended(runGateway(await site(dir, { id: 'other' })))
    expect(code).toBe(1)
    expect(said).toMatch(/holds the journal of site \\"chaos\\", not of \\"other\\"/)
    expect(await readFile(join(dir, 'data/journal.db'))).toEqual(before)
  })

  it.each([
    ['bytes changed in the middle', async (file: string) => writeFile(file, mangled(await readFile(file)))],
    ['empty', (file: string) => truncate(file, 0)],
  ] as const)('corrupt database (%s): refuses, touches nothing, says what to do', async (_, spoil) => {
    const dir = await folder()
    await cp(kept, join(dir, 'data'), { recursive: true })
    const file = join(dir, 'data/journal.db')
    await spoil(file)
    const before = await readFile(file)
    const { code, said } = await ended(runGateway(await site(dir)))
    expect(said).toMatch(/JOURNAL_CORRUPT.*(damaged|empty)/)
    expect(said).toMatch(/luong restore|evidence/)
    expect(code).toBe(1)
    expect(await readFile(file)).toEqual(before)
  })

  it('two gateways on one data folder: the second leaves, the first goes on', async () => {
    const dir = await folder()
    const path = await site(dir)
    const first = runGateway(path)
    cleanups.push(() => first.kill('SIGKILL'))
    await first.ready()
    const { code, said } = await ended(runGateway(path))
    expect(code).toBe(1)
    expect(said).toMatch(new RegExp(`DATA_IN_USE.*in use by another gateway \\(process ${first.pid}\\)`))
    expect(first.gone()).toBe(false)
    expect(await first.kill('SIGTERM')).toBe(0)
  })

  it('data folder that is a file, or below one', async () => {
    const dir = await folder()
    await writeFile(join(dir, 'data'), 'a file')
    const { code, said } = await ended(runGateway(await site(dir)))
    expect(code).toBe(1)
    expect(said).toMatch(/JOURNAL_UNAVAILABLE.*cannot write in/)
  })

  it('read-only data folder', async () => {
    const dir = await folder()
    await mkdir(join(dir, 'data'), { mode: 0o500 })
    await chmod(join(dir, 'data'), 0o500)
    const path = await site(dir)
    // Root may write anywhere: there the folder is one that nobody may write in.
    const args = process.getuid?.() === 0 ? ['--data', '/proc/luong'] : []
    const { code, said } = await ended(runGateway(path, args))
    expect(code).toBe(1)
    expect(said).toMatch(/JOURNAL_UNAVAILABLE.*cannot write in/)
  })

  it('output that nobody reads any more does not end a site', async () => {
    const dir = await folder()
    const gateway = runGateway(await site(dir))
    cleanups.push(() => gateway.kill('SIGKILL'))
    await gateway.ready()
    gateway.deafen()
    // Something to say: the bus that is not there, and a reload.
    process.kill(gateway.pid, 'SIGHUP')
    await new Promise((done) => setTimeout(done, 1_500))
    process.kill(gateway.pid, 'SIGHUP')
    await new Promise((done) => setTimeout(done, 500))
    expect(gateway.gone()).toBe(false)
    process.kill(gateway.pid, 'SIGTERM')
    await until('it stops', () => gateway.gone(), 20_000)
    expect(await gateway.exited).toBe(0)
  })
})

/** A page in the middle overwritten. */
function mangled(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0x5a, 4_096, Math.min(copy.length, 20_000))
  return copy
}
