import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeReply, encodeRequest, type Request, rtuFrame, tcpFrame } from '../../../firmware-bridge/modbus/codec.ts'
import { ModbusMaster } from '../../../firmware-bridge/modbus/master.ts'
import { requestReader } from '../../../firmware-bridge/modbus/server.ts'
import { type MemoryLine, memoryLine } from '../../../firmware-bridge/transport/memory.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'

type Framing = 'rtu' | 'tcp'
const options = { timeoutMs: 200, who: 'board' }
const read = (unit: number, addr = 0): [number, Request & { fc: 2 }] => [unit, { fc: 2, addr, count: 8 }]

function bench(framing: Framing = 'rtu', baud?: number) {
  const clock = new VirtualClock({ epoch: 0, rounds: 1 })
  const line = memoryLine('bus', clock, baud === undefined ? {} : { baud })
  const master = new ModbusMaster({ transport: line.master, framing, clock })
  const heard: string[] = []
  line.device.onData((bytes) => heard.push(Buffer.from(bytes).toString('hex')))
  line.master.start()
  master.start()
  return { clock, line, master, heard }
}

/** Answers each request as `how` says: after a delay, or not at all. */
function answering(
  line: MemoryLine,
  clock: VirtualClock,
  framing: Framing,
  how: (r: Request, unit: number, n: number) => { after: number; frame: Uint8Array }[],
) {
  const reader = requestReader(framing, clock)
  let n = 0
  line.device.onData((bytes) => {
    for (const { unit, pdu } of reader(bytes)) {
      for (const { after, frame } of how(decodeRequest(pdu)!, unit, n++)) clock.after(after, () => line.device.send(frame))
    }
  })
}

/** The value of a board at a time, so that an answer tells when and to what it was given: changes with each request. */
const bitsOf = (n: number) => Array.from({ length: 8 }, (_, i) => ((n >> i) & 1) === 1)
const numberOf = (bits: readonly boolean[]) => bits.reduce((sum, bit, i) => sum + (bit ? 1 << i : 0), 0)

describe('a late answer', () => {
  it('is not taken for the next one either when a foreign frame ended the wait for it early', async () => {
    const { clock, line, master } = bench()
    answering(line, clock, 'rtu', (r, unit, n) => [
      { after: n === 0 ? 397 : 5, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(n === 0 ? 0x55 : 0xaa) })) },
    ])
    const first = master.read(...read(1, 0), options).catch((e: LuongError) => e.code)
    clock.after(50, () => line.device.send(rtuFrame(6, encodeReply({ fc: 2, addr: 0, count: 8 }, { bits: bitsOf(0x0f) }))))
    await clock.advance(60)
    expect(await first).toBe('FRAME_INVALID')
    const second = master.read(...read(1, 0), options)
    await clock.advance(2_000)
    expect(numberOf((await second).bits!)).toBe(0xaa)
  })

  it('is never taken for the next one', async () => {
    const { clock, line, master } = bench()
    // The first question is answered 100 ms after its time-out with 0x55, the second at once with 0xAA.
    answering(line, clock, 'rtu', (r, unit, n) => [
      { after: n === 0 ? 300 : 5, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(n === 0 ? 0x55 : 0xaa) })) },
    ])
    const first = master.read(...read(1, 0), options).catch((e: LuongError) => e.code)
    await clock.advance(201)
    expect(await first).toBe('DEVICE_TIMEOUT')
    const second = master.read(...read(1, 8), options)
    await clock.advance(1_000)
    expect(numberOf((await second).bits!)).toBe(0xaa)
    expect(master.counters.late_replies).toBe(1)
  })

  it('does not keep a command or another unit from the bus', async () => {
    const { clock, line, master } = bench()
    answering(line, clock, 'rtu', (r, unit, n) => [
      { after: n === 0 ? 230 : 50, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(1) })) },
    ])
    const first = master.read(...read(1), options).catch((e: LuongError) => e.code)
    await clock.advance(201)
    expect(await first).toBe('DEVICE_TIMEOUT')
    const sent = clock.mono()
    // Its answer and the late one are of different kinds: they cannot be mixed up.
    const write = master.write(1, { fc: 5, addr: 0, value: 0xff00 }, options, { deadline: sent + 1_000 })
    await clock.advance(70)
    await write
    expect(master.counters).toMatchObject({ late_replies: 1, bad_frames: 0 })
  })
})

describe('every answer belongs to its request', () => {
  const rare = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: one })
  const when = fc.integer({ min: 0, max: 300 })
  const trouble = fc.record({
    delay: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) }, fc.integer({ min: 0, max: 480 })),
    drop: rare(fc.constant(true)),
    twice: rare(fc.constant(true)),
    half: rare(fc.constant(true)),
    flip: rare(fc.integer({ min: 0, max: 47 })),
    foreign: rare(fc.record({ unit: fc.integer({ min: 3, max: 6 }), value: fc.integer({ min: 0, max: 255 }), at: when })),
    noise: rare(fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }), at: when })),
  })
  const asks = fc.record({
    unit: fc.integer({ min: 1, max: 2 }),
    fcode: fc.constantFrom(1 as const, 2 as const, 5 as const),
    wait: fc.integer({ min: 0, max: 120 }),
    trouble,
  })

  it.each<Framing>(['rtu', 'tcp'])(
    '%s: with delays, drops, duplicates, halves, flipped bits, noise and foreign frames',
    { timeout: 60_000 },
    async (framing) => {
      let resolved = 0
      let failed = 0
      await fc.assert(
        fc.asyncProperty(fc.array(asks, { minLength: 3, maxLength: 25 }), async (list) => {
          const { clock, line, master } = bench(framing)
          // Each request the device gets raises its value: which request an answer was made for can be read from it.
          const served = new Map<string, { value: number; at: number }>()
          let count = 0
          const reader = requestReader(framing, clock)
          line.device.onData((bytes) => {
            for (const { unit, pdu, transaction } of reader(bytes)) {
              const r = decodeRequest(pdu)!
              const t = list[count % list.length]!.trouble
              count = (count + 1) & 0xff
              served.set(`${unit} ${r.fc} ${r.addr}`, { value: count, at: clock.mono() })
              const wrap = (u: number, p: Uint8Array) => (framing === 'rtu' ? rtuFrame(u, p) : tcpFrame(transaction!, u, p))
              const whole = wrap(unit, encodeReply(r, { bits: bitsOf(count) }))
              let frame = t.half ? whole.slice(0, whole.length >> 1) : whole
              // On TCP bits do not flip: the checksum of TCP sees to that.
              if (framing === 'rtu' && t.flip !== null) frame = frame.map((b, i) => (i === t.flip! >> 3 ? b ^ (1 << (t.flip! & 7)) : b))
              if (!t.drop) clock.after(t.delay, () => line.device.send(t.twice ? Buffer.concat([frame, frame]) : frame))
              if (framing === 'tcp') continue
              const { foreign, noise } = t
              // A foreign master's slave: units that are not the one asked.
              if (foreign && foreign.unit !== unit) {
                const other = rtuFrame(foreign.unit + 2, encodeReply({ fc: 2, addr: 0, count: 8 }, { bits: bitsOf(foreign.value) }))
                clock.after(foreign.at, () => line.device.send(other))
              }
              if (noise) clock.after(noise.at, () => line.device.send(noise.bytes))
            }
          })
          const work: Promise<void>[] = []
          for (const ask of list) {
            const asked = clock.mono()
            if (ask.fcode === 5) {
              const addr = ask.unit
              work.push(
                master.write(ask.unit, { fc: 5, addr, value: 0xff00 }, options, { deadline: asked + 2_000 }).then(
                  (answer) => {
                    expect(served.get(`${ask.unit} 5 ${addr}`)!.at).toBeGreaterThanOrEqual(asked)
                    expect(answer.at).toBeGreaterThanOrEqual(asked)
                  },
                  (error) => expect(error).toBeInstanceOf(LuongError),
                ),
              )
            } else {
              const { fcode, unit } = ask
              work.push(
                master.read(unit, { fc: fcode, addr: 0, count: 8 }, options).then(
                  (answer) => {
                    resolved++
                    const last = served.get(`${unit} ${fcode} 0`)!
                    // The value of exactly the last time this was asked, which was after we asked for it.
                    expect(numberOf(answer.bits!)).toBe(last.value)
                    expect(last.at).toBeGreaterThanOrEqual(asked)
                  },
                  (error) => {
                    failed++
                    expect(error).toBeInstanceOf(LuongError)
                  },
                ),
              )
            }
            await clock.advance(ask.wait)
          }
          await clock.advance(60_000)
          await Promise.all(work)
          // It recovers: with the trouble gone, a question is answered; a stream cut in the middle of a frame may cost one.
          for (const ask of list) ask.trouble = { drop: null, twice: null, half: null, flip: null, foreign: null, noise: null, delay: 5 }
          const again: unknown[] = []
          for (let i = 0; i < 2; i++) {
            await clock.advance(1_000)
            master.read(...read(1), options).then(
              (a) => again.push(a.bits!.length),
              (e) => again.push(e),
            )
            await clock.advance(1_000)
          }
          expect(again.at(-1)).toBe(8)
          master.stop()
        }),
        { numRuns: 150 },
      )
      console.log(`${framing}: ${resolved} reads answered, ${failed} failed, none wrong`)
      expect(resolved).toBeGreaterThan(200)
      expect(failed).toBeGreaterThan(50)
    },
  )
})

describe('commands', () => {
  const on: Request & { fc: 5 } = { fc: 5, addr: 0, value: 0xff00 }

  it('go before polls', async () => {
    const { clock, line, master, heard } = bench()
    answering(line, clock, 'rtu', (r, unit) => [{ after: 10, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(0) })) }])
    const polls = [1, 2, 3, 4].map((unit) => master.read(...read(unit), options))
    const write = master.write(9, on, options, { deadline: 1_000 })
    await clock.advance(500)
    await Promise.all([...polls, write])
    expect(heard[1]).toBe(Buffer.from(rtuFrame(9, encodeRequest(on))).toString('hex'))
  })

  it('past their deadline never reach the wire, also when the bus was busy', async () => {
    const { clock, master, heard } = bench()
    const poll = master.read(...read(1), options).catch(() => {})
    const write = master.write(1, on, options, { deadline: clock.mono() + 100 }).catch((e: LuongError) => e.code)
    await clock.advance(1_000)
    await poll
    expect(await write).toBe('COMMAND_EXPIRED')
    expect(heard).toHaveLength(1)
    expect(master.counters.expired).toBe(1)
  })

  it('ask their guard at the moment of sending', async () => {
    const { clock, line, master, heard } = bench()
    answering(line, clock, 'rtu', (r, unit) => [{ after: 50, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(0) })) }])
    let free = true
    const poll = master.read(...read(1), options)
    const write = master.write(1, on, options, { deadline: 1_000, guard: () => free }).catch((e: LuongError) => e.code)
    await clock.advance(20)
    free = false
    await clock.advance(500)
    await poll
    expect(await write).toBe('DEVICE_REFUSED')
    expect(heard).toHaveLength(1)
  })

  it('of one unit keep their order', async () => {
    const { clock, line, master, heard } = bench()
    answering(line, clock, 'rtu', (r, unit, n) => (n === 0 ? [] : [{ after: 5, frame: rtuFrame(unit, encodeReply(r, {})) }]))
    const works = [0, 1, 2].map((addr) =>
      master.write(1, { fc: 5, addr, value: 0xff00 }, options, { deadline: 5_000 }).catch((e: LuongError) => e.code),
    )
    // Of another kind: may not overtake either.
    works.push(master.write(1, { fc: 6, addr: 7, value: 1 }, options, { deadline: 5_000 }).catch((e: LuongError) => e.code))
    await clock.advance(3_000)
    await Promise.all(works)
    expect(heard.map((h) => h.slice(2, 8))).toEqual(['050000', '050001', '050002', '060007'])
  })

  it('are refused when too many wait, and all settle', async () => {
    const { clock, master } = bench()
    const works = Array.from({ length: 50 }, () =>
      master.write(1, on, options, { deadline: 60_000 }).then(
        () => 'ok',
        (e: LuongError) => e.code,
      ),
    )
    await clock.advance(120_000)
    const codes = await Promise.all(works)
    expect(codes.filter((c) => c === 'QUEUE_FULL')).toHaveLength(50 - 33)
    expect(codes.every((c) => ['QUEUE_FULL', 'DEVICE_TIMEOUT', 'COMMAND_EXPIRED'].includes(c))).toBe(true)
  })

  it('a wrong echo is no confirmation', async () => {
    const { clock, line, master } = bench()
    answering(line, clock, 'rtu', (_, unit) => [{ after: 5, frame: rtuFrame(unit, encodeReply({ ...on, addr: 1 }, {})) }])
    const write = master.write(1, on, options, { deadline: 1_000 }).catch((e: LuongError) => e.code)
    await clock.advance(2_000)
    expect(await write).toBe('FRAME_INVALID')
  })
})

describe('the bus', () => {
  it('joins equal reads that wait, not one that is under way', async () => {
    const { clock, line, master, heard } = bench()
    answering(line, clock, 'rtu', (r, unit, n) => [{ after: 10, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(n) })) }])
    const works = [1, 2, 3].map(() => master.read(...read(1), options))
    await clock.advance(200)
    expect((await Promise.all(works)).map((a) => numberOf(a.bits!))).toEqual([0, 1, 1])
    expect(heard).toHaveLength(2)
  })

  it('rejects what waits when the link goes, and when it stops', async () => {
    const { clock, line, master } = bench()
    const codes = () => [1, 2, 3].map((unit) => master.read(...read(unit), options).catch((e: LuongError) => e.code))
    const first = codes()
    line.cut('unplugged')
    expect(await Promise.all(first)).toEqual(['LINK_DOWN', 'LINK_DOWN', 'LINK_DOWN'])
    expect(await Promise.all(codes())).toEqual(['LINK_DOWN', 'LINK_DOWN', 'LINK_DOWN'])
    line.restore()
    const second = codes()
    await clock.advance(1)
    master.stop()
    expect(await Promise.all(second)).toEqual(['STOPPED', 'STOPPED', 'STOPPED'])
    expect(await Promise.all(codes())).toEqual(['STOPPED', 'STOPPED', 'STOPPED'])
  })

  it('keeps the silence between frames', async () => {
    const { clock, line, master } = bench('rtu', 9600)
    const at: number[] = []
    line.device.onData(() => at.push(clock.mono()))
    let answeredAt = 0
    answering(line, clock, 'rtu', (r, unit) => [{ after: 3, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(0) })) }])
    master.read(...read(1), options).then((a) => {
      answeredAt = a.at
    })
    const second = master.read(...read(2), options)
    await clock.advance(300)
    await second
    // 8 bytes at 9600 take 8.3 ms on the wire before the device has them.
    expect(at[1]! - answeredAt).toBeGreaterThanOrEqual(5 + 8)
  })

  it('a dead board costs its neighbours its time-out only', async () => {
    const { clock, line, master } = bench()
    answering(line, clock, 'rtu', (r, unit) =>
      unit === 1 ? [] : [{ after: 5, frame: rtuFrame(unit, encodeReply(r, { bits: bitsOf(1) })) }],
    )
    const dead = master.read(...read(1), options).catch(() => {})
    const live = master.read(...read(2), options)
    await clock.advance(230)
    await dead
    expect((await live).at).toBeLessThan(230)
  })
})
