import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { type PoolSettings, WorkerReaderPool } from '../../models/pool.ts'
import { platePicture } from '../harness/plate-picture.ts'

const error = (code: string, words = /./) => expect.objectContaining({ code, message: expect.stringMatching(words) })
const pools: WorkerReaderPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((p) => p.close()))
})
function pool(settings: Partial<PoolSettings> = {}): WorkerReaderPool {
  const made = new WorkerReaderPool({ backoffMs: 1, graceMs: 200, ...settings })
  pools.push(made)
  return made
}

/** A worker that does what the first byte of the picture says: what the real one does only when something is broken. */
const obeying = new URL(
  `data:text/javascript,${encodeURIComponent(`
import { parentPort, workerData } from 'node:worker_threads'
const result = { plates: [], width: 1, height: 1, ms: { decode: 0, detect: 0, read: 0 } }
parentPort.on('message', ({ type, id, image }) => {
  if (type === 'end') return parentPort.close()
  const what = String.fromCharCode(image[0])
  if (what === 'x') process.exit(7)
  if (what === 't') throw new Error('torn')
  if (what === 'h') for (;;) {}
  if (what === 's') return
  parentPort.postMessage({ type: 'result', id, result: { ...result, width: image.length } })
})
parentPort.postMessage({ type: 'ready' })
`)}`,
)
const order = (what: string) => Buffer.from(what)

describe('with the real models', () => {
  it('reads, refuses bad pictures without harm, leaves the picture with its owner, and counts', async () => {
    const p = pool({ workers: 1, queue: 4 })
    await p.start()
    const image = await platePicture({ text: '24C12345', country: 'vn', colour: 'white', lines: 1 })
    const before = Buffer.from(image)
    const answers = await Promise.allSettled([
      p.submit('a', image, { crop: true }),
      p.submit('a', Buffer.from('no picture at all')),
      p.submit('b', image.subarray(0, image.length >> 1)),
      p.submit('b', image, { crop: true }),
    ])
    expect(answers.map((a) => (a.status === 'fulfilled' ? a.value.plates[0]?.text : (a.reason as LuongError).code))).toEqual([
      '24C12345',
      'IMAGE_INVALID',
      'IMAGE_INVALID',
      '24C12345',
    ])
    expect((answers[1] as PromiseRejectedResult).reason).toEqual(error('IMAGE_INVALID', /^a: not a JPEG/))
    expect(image.equals(before)).toBe(true)
    const stats = p.stats()
    expect(stats).toMatchObject({ workers: 1, queued: 0, done: 2, failed: 2, dropped: 0 })
    expect(stats.total.p50).toBeGreaterThan(0)
    expect(stats.total.p99).toBeGreaterThanOrEqual(stats.total.p50)
  })

  it('closed while it loads or reads, it ends in good order', async () => {
    const image = await platePicture({ text: '24C12345', country: 'vn', colour: 'white', lines: 1 })
    const loading = pool({ graceMs: 20_000 })
    const started = loading.start().catch((e: LuongError) => e.code)
    await loading.close()
    expect(['STOPPED', 'READER_FAILED']).toContain(await started)
    const reading = pool({ graceMs: 20_000 })
    await reading.start()
    const read = expect(reading.submit('a', image)).rejects.toEqual(error('STOPPED'))
    await reading.close()
    await read
  })

  it('says what is wrong with the models', async () => {
    const p = pool({ reader: { reader: {}, manifest: '/no/such/manifest.json' } })
    await expect(p.start()).rejects.toEqual(error('MODEL_INVALID', /manifest\.json/))
    await expect(p.submit('a', order('o'))).rejects.toEqual(error('STOPPED'))
  })
})

describe('the queue', () => {
  it('drops the oldest of the same camera only', async () => {
    const p = pool({ worker: obeying, queue: 2, deadlineMs: 20_000 })
    await p.start()
    const running = p.submit('a', order('s'))
    const old = p.submit('a', order('o1'))
    const others = [p.submit('a', order('o2')), p.submit('b', order('o'))]
    const newest = p.submit('a', order('o3'))
    await expect(old).rejects.toEqual(error('QUEUE_FULL', /a: dropped/))
    expect(p.stats()).toMatchObject({ queued: 3, dropped: 1 })
    const settled = Promise.allSettled([running, ...others, newest])
    await p.close()
    expect((await settled).map((s) => (s as PromiseRejectedResult).reason.code)).toEqual(['STOPPED', 'STOPPED', 'STOPPED', 'STOPPED'])
    expect(p.stats().queued).toBe(0)
  })

  it('takes turns by age over the cameras', async () => {
    const p = pool({ worker: obeying, queue: 4 })
    await p.start()
    const done: string[] = []
    await Promise.all(['a', 'a', 'b', 'a', 'c'].map((key, i) => p.submit(key, order('o')).then(() => done.push(`${key}${i}`))))
    expect(done).toEqual(['a0', 'a1', 'b2', 'a3', 'c4'])
  })

  it('gives up a picture for which no reader is free in time', async () => {
    const p = pool({ worker: obeying, queue: 4, deadlineMs: 150, backoffMs: 60_000 })
    await p.start()
    const hung = p.submit('a', order('h'))
    const waiting = p.submit('b', order('o'))
    await expect(hung).rejects.toEqual(error('READER_FAILED', /a: plate reader hung/))
    await expect(waiting).rejects.toEqual(error('READER_FAILED', /b: no reader was free/))
    expect(p.stats()).toMatchObject({ workers: 0, failed: 2, queued: 0 })
  })
})

describe('a reader that breaks', () => {
  it.each([
    ['ends', 'x', /ended with code 7/],
    ['throws', 't', /crashed: torn/],
  ])('%s: its picture is given up, the next ones are read by a new one', async (_, what, words) => {
    const p = pool({ worker: obeying, queue: 4 })
    await p.start()
    const bad = p.submit('a', order(what))
    const next = [p.submit('a', order('ok')), p.submit('b', order('good'))]
    await expect(bad).rejects.toEqual(error('READER_FAILED', words))
    expect((await Promise.all(next)).map((r) => r.width)).toEqual([2, 4])
    expect(p.stats()).toMatchObject({ done: 2, failed: 1 })
  })

  it('hangs: is ended and replaced', async () => {
    const p = pool({ worker: obeying, queue: 4, deadlineMs: 2_000 })
    await p.start()
    await expect(p.submit('a', order('h'))).rejects.toEqual(error('READER_FAILED', /hung/))
    expect((await p.submit('a', order('ok'))).width).toBe(2)
  })

  it('cannot even start: start says so and everything is over', async () => {
    const p = pool({ worker: new URL('data:text/javascript,process.exit(3)') })
    await expect(p.start()).rejects.toEqual(error('READER_FAILED', /code 3/))
    await expect(p.start()).rejects.toEqual(error('STOPPED'))
  })

  it('does not say it is ready: start gives up', async () => {
    const p = pool({ worker: new URL('data:text/javascript,setInterval(()=>{},1000)'), startMs: 100 })
    await expect(p.start()).rejects.toEqual(error('READER_FAILED', /did not start/))
  })

  it('pauses longer after each crash in a row', async () => {
    const pauses: number[] = []
    const clock = {
      ...systemClock,
      after: (ms: number, fn: () => void) => {
        if (ms >= 1 && ms < 1_000) pauses.push(ms)
        return systemClock.after(ms, fn)
      },
    }
    const p = pool({ worker: obeying, queue: 8, backoffMs: 2, backoffMaxMs: 5, clock })
    await p.start()
    for (const what of ['x', 'x', 'x', 'x']) await expect(p.submit('a', order(what))).rejects.toBeInstanceOf(LuongError)
    await p.submit('a', order('ok'))
    await expect(p.submit('a', order('x'))).rejects.toBeInstanceOf(LuongError)
    expect(pauses).toEqual([2, 4, 5, 5, 2])
  })
})

it('close twice is fine, and before start', async () => {
  const p = pool({ worker: obeying })
  await p.close()
  await p.close()
  await expect(p.submit('a', order('o'))).rejects.toEqual(error('STOPPED'))
})
