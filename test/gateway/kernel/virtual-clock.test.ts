import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { sleep, withDeadline } from '../../../gateway/kernel/clock.ts'
import { scaledClock, VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'

const clocks: VirtualClock[] = []
const make = (options: ConstructorParameters<typeof VirtualClock>[0] = {}) => {
  const clock = new VirtualClock({ epoch: 1_000_000, ...options })
  clocks.push(clock)
  return clock
}
afterEach(async () => {
  for (const clock of clocks.splice(0)) await clock.stop()
})
const real = (ms: number) => new Promise((r) => setTimeout(r, ms))

describe('virtual clock, by hand', () => {
  test('stands still until it is moved', async () => {
    const clock = make()
    let fired = 0
    clock.after(0, () => fired++)
    await real(20)
    expect([fired, clock.mono(), clock.now()]).toEqual([0, 0, 1_000_000])
    await clock.advance(0)
    expect(fired).toBe(1)
    await clock.advance(250)
    expect([clock.mono(), clock.now()]).toEqual([250, 1_000_250])
  })

  test('any set of timers fires in order of time, then creation, each at its own time; cancelled ones never', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(500), fc.boolean()), { maxLength: 300 }), async (plan) => {
        const clock = make({ rounds: 0 })
        const seen: [number, number][] = []
        const timers = plan.map(([ms], i) => clock.after(ms, () => seen.push([clock.mono(), i])))
        for (const [i, [, cancel]] of plan.entries()) if (cancel) timers[i]!.cancel()
        await clock.advance(500)
        const expected = plan
          .map(([ms, cancel], i) => ({ ms, cancel, i }))
          .filter((p) => !p.cancel)
          .sort((a, b) => a.ms - b.ms || a.i - b.i)
          .map((p) => [p.ms, p.i])
        expect(seen).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('timers made and cancelled by timers keep their place', async () => {
    const clock = make()
    const seen: string[] = []
    const victim = clock.after(20, () => seen.push('victim'))
    clock.after(10, () => {
      seen.push(`a${clock.mono()}`)
      victim.cancel()
      victim.cancel()
      clock.after(5, () => seen.push(`b${clock.mono()}`))
      clock.after(0, () => seen.push(`c${clock.mono()}`))
      clock.after(-3, () => seen.push(`d${clock.mono()}`))
    })
    await clock.advance(100)
    expect(seen).toEqual(['a10', 'c10', 'd10', 'b15'])
  })

  test('many cancelled timers do not pile up or disturb the order', async () => {
    const clock = make({ rounds: 0 })
    const seen: number[] = []
    for (let i = 0; i < 5_000; i++) {
      const t = clock.after(1_000 + ((i * 7919) % 500), () => seen.push(clock.mono()))
      if (i % 50 !== 0) t.cancel()
    }
    await clock.advance(2_000)
    expect(seen).toHaveLength(100)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  test('a timer that throws is reported and the next one fires', async () => {
    const errors: unknown[] = []
    const clock = make({ onError: (e) => errors.push(e) })
    let after = 0
    clock.after(1, () => {
      throw new Error('boom')
    })
    clock.after(2, () => after++)
    await clock.advance(5)
    expect([errors.map(String), after]).toEqual([['Error: boom'], 1])
  })

  test('refuses to be moved by hand while it runs, and a pace of nothing', async () => {
    const clock = make()
    clock.start()
    await expect(clock.advance(1)).rejects.toThrow('running')
    expect(() => make({ pace: 0 })).toThrow(RangeError)
    expect(() => {
      clock.pace = Number.NaN
    }).toThrow(RangeError)
  })
})

describe('virtual clock, as fast as possible', () => {
  test('an hour of sleeps passes in far less than an hour', async () => {
    const clock = make()
    clock.start()
    for (let i = 0; i < 60; i++) await sleep(clock, 60_000)
    expect(clock.mono()).toBe(3_600_000)
  })

  test('never runs past tracked work', async () => {
    const clock = make()
    const seen: string[] = []
    clock.after(10, () => {
      void clock.track(real(40)).then(() => seen.push(`work done at ${clock.mono()}`))
    })
    clock.after(11, () => seen.push('later timer'))
    clock.start()
    await withDeadline(clock, sleep(clock, 100), 1_000, () => new Error('late'))
    expect(seen).toEqual(['work done at 10', 'later timer'])
  })

  test('work tracked by the outcome of tracked work holds it too, and rejections count as settled', async () => {
    const clock = make()
    const seen: string[] = []
    clock.after(5, () => {
      clock
        .track(real(5).then(() => Promise.reject(new Error('no'))))
        .catch(() => clock.track(real(5)))
        .then(() => seen.push(`chain ${clock.mono()}`))
    })
    clock.after(6, () => seen.push('timer'))
    clock.start()
    await sleep(clock, 20)
    expect(seen).toEqual(['chain 5', 'timer'])
    expect(clock.held).toBe(0)
  })

  test('track returns the same promise', async () => {
    const clock = make()
    const work = Promise.resolve(7)
    expect(clock.track(work)).toBe(work)
  })

  test('streams in memory get through between two timers', async () => {
    const clock = make()
    const a = new PassThrough()
    const b = new PassThrough()
    const heard: number[] = []
    a.pipe(b).on('data', () => heard.push(clock.mono()))
    for (let i = 1; i <= 50; i++) clock.after(i, () => a.write('x'))
    clock.start()
    await sleep(clock, 60)
    expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  test('tracked round trips over a socket and to a worker take no time', async () => {
    const clock = make()
    const server = createServer((s) => s.pipe(s)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
    await once(socket, 'connect')
    const worker = new Worker(`const{parentPort:p}=require('node:worker_threads');p.on('message',m=>p.postMessage(m))`, { eval: true })
    await once(worker, 'online')
    clock.start()
    for (let i = 0; i < 20; i++) {
      const before = clock.mono()
      socket.write('ping')
      await clock.track(once(socket, 'data'))
      worker.postMessage('ping')
      await clock.track(once(worker, 'message'))
      expect(clock.mono()).toBe(before)
      await sleep(clock, 10)
    }
    expect(clock.mono()).toBe(200)
    socket.destroy()
    server.close()
    await worker.terminate()
  })

  test('work that never settles is let go at the limit, and said so', async () => {
    const overdue: number[] = []
    const clock = make({ holdLimit: 30, onOverdue: (n) => overdue.push(n) })
    void clock.track(new Promise(() => {}))
    void clock.track(new Promise(() => {}))
    clock.start()
    await sleep(clock, 10)
    expect(overdue.reduce((a, b) => a + b, 0)).toBe(2)
    expect(clock.held).toBe(0)
  })

  test('stop settles with work unsettled, keeps the timers, and start goes on', async () => {
    const clock = make()
    let fired = 0
    let release = () => {}
    clock.after(10, () => fired++)
    void clock.track(
      new Promise<void>((r) => {
        release = r
      }),
    )
    clock.start()
    clock.start()
    await real(10)
    await clock.stop()
    release()
    await real(10)
    expect([fired, clock.mono()]).toEqual([0, 0])
    clock.start()
    await sleep(clock, 20)
    expect(fired).toBe(1)
  })

  test('a timer made from outside wakes an idle clock', async () => {
    const clock = make()
    clock.start()
    await real(10)
    await sleep(clock, 5_000)
    expect(clock.mono()).toBe(5_000)
  })

  test('the same program gives the same history', async () => {
    const history = async () => {
      const clock = make()
      const seen: string[] = []
      const work = (name: string, ms: number, n: number) => {
        if (n === 0) return
        clock.after(ms, () => {
          seen.push(`${name}@${clock.mono()}`)
          void clock.track(real(n % 3)).then(() => work(name, ms, n - 1))
        })
      }
      work('a', 7, 12)
      work('b', 11, 9)
      clock.start()
      await sleep(clock, 200)
      return seen
    }
    expect(await history()).toEqual(await history())
  })
})

describe('virtual clock, at a finite pace', () => {
  test('is never faster than the pace, and flows between timers', async () => {
    const clock = make({ pace: 20 })
    const began = performance.now()
    clock.start()
    await sleep(clock, 1_000)
    expect(performance.now() - began).toBeGreaterThanOrEqual(48)
    expect(clock.mono()).toBeGreaterThanOrEqual(1_000)
    const at = clock.mono()
    await real(5)
    expect(clock.mono()).toBeGreaterThan(at)
  })

  test('never shows a time beyond the next timer', async () => {
    const clock = make({ pace: 1_000 })
    const seen: number[] = []
    for (let i = 1; i <= 20; i++) clock.after(i * 1_000, () => seen.push(clock.mono()))
    clock.start()
    const until = performance.now() + 15
    while (performance.now() < until); // a busy machine: the timers come late
    expect(clock.mono()).toBeLessThanOrEqual(1_000)
    await sleep(clock, 25_000)
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 1_000))
  })

  test('does not catch up in a burst after tracked work held it', async () => {
    const clock = make({ pace: 1 })
    clock.start()
    await clock.track(real(300))
    expect(clock.mono()).toBeLessThan(100)
    const began = performance.now()
    await sleep(clock, 60)
    expect(performance.now() - began).toBeGreaterThanOrEqual(55)
  })

  test('what a timer sets going takes no time, however busy the machine is', async () => {
    const clock = make({ pace: 1_000 })
    const seen: number[] = []
    const answered = new Promise<void>((resolve) => {
      clock.after(10, () => {
        void Promise.resolve().then(() => {
          const end = performance.now() + 20
          while (performance.now() < end);
          seen.push(clock.mono())
          clock.after(5, resolve)
        })
      })
      // A timer far beyond it would let 20 s go by otherwise.
      clock.after(60_000, () => seen.push(-1))
    })
    clock.start()
    await answered
    seen.push(clock.mono())
    await clock.stop()
    expect(seen).toEqual([10, 15])
  })

  test('mono never goes back when the pace changes', async () => {
    const clock = make({ pace: 50 })
    clock.start()
    let last = clock.mono()
    for (const pace of [1, 100, Number.POSITIVE_INFINITY, 5]) {
      await real(5)
      clock.pace = pace
      expect(clock.mono()).toBeGreaterThanOrEqual(last)
      last = clock.mono()
    }
  })
})

describe('scaled clock', () => {
  test('runs faster than the machine, does not wait for tracked work, and refuses a pace of nothing', async () => {
    const clock = scaledClock(1_000)
    const never = new Promise<void>(() => {})
    expect(clock.track(never)).toBe(never)
    const [began, wall] = [performance.now(), Date.now()]
    await sleep(clock, 20_000)
    expect(clock.mono()).toBeGreaterThanOrEqual(19_000)
    expect(clock.now() - wall).toBeGreaterThanOrEqual(19_000)
    expect(performance.now() - began).toBeLessThan(19_000)
    let fired = false
    clock
      .after(1_000, () => {
        fired = true
      })
      .cancel()
    await real(10)
    expect(fired).toBe(false)
    expect(() => scaledClock(0)).toThrow(RangeError)
  })
})
