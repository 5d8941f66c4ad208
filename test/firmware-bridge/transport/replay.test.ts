import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryLine } from '../../../firmware-bridge/transport/memory.ts'
import { parseRecording, recording, replayTransport } from '../../../firmware-bridge/transport/replay.ts'
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts'

describe('recording and replay', () => {
  it('says again what was said, at the same times', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ wait: fc.integer({ min: 0, max: 500 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }), tx: fc.boolean() }),
          { maxLength: 20 },
        ),
        async (list) => {
          const clock = new VirtualClock({ epoch: 0, rounds: 1 })
          const line = memoryLine('bus', clock)
          const text: string[] = []
          const recorder = recording(line.master, { clock, sink: (l) => text.push(l) })
          const heard: [number, string][] = []
          recorder.onData((bytes) => heard.push([clock.mono(), Buffer.from(bytes).toString('hex')]))
          recorder.start()
          for (const { wait, bytes, tx } of list) {
            if (tx) await recorder.write(bytes)
            else line.device.send(bytes)
            await clock.advance(wait)
          }
          await clock.advance(1)
          const again = new VirtualClock({ epoch: 0, rounds: 1 })
          const replay = replayTransport({ name: 'replay', records: parseRecording(text.join('\n'), 'x.jsonl'), clock: again })
          const repeated: [number, string][] = []
          replay.onData((bytes) => repeated.push([again.mono(), Buffer.from(bytes).toString('hex')]))
          replay.start()
          await again.advance(60_000)
          expect(repeated).toEqual(heard)
          expect(text.length).toBe(list.length)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('records no more than its limit, and says so', async () => {
    const clock = new VirtualClock({ epoch: 0, rounds: 1 })
    const line = memoryLine('bus', clock)
    const text: string[] = []
    const recorder = recording(line.master, { clock, sink: (l) => text.push(l), maxBytes: 10 })
    recorder.start()
    for (let i = 0; i < 10; i++) await recorder.write(new Uint8Array(4))
    expect(text).toHaveLength(4)
    expect(JSON.parse(text.at(-1)!).dir).toBe('end')
  })

  it.each([
    ['{"t":0,"dir":"rx"}', 'rec.jsonl:2: hex must be bytes in hex'],
    ['{"t":0,"dir":"rx","hex":"0"}', 'rec.jsonl:2: hex must be bytes in hex'],
    ['{"t":-1,"dir":"rx","hex":""}', 'rec.jsonl:2: t must be a number of ms'],
    ['{"t":0,"dir":"up","hex":""}', 'rec.jsonl:2: dir must be rx, tx or end'],
    ['{"t":1,"dir":"rx","hex":""}', 'rec.jsonl:2: t goes back'],
    ['null', 'rec.jsonl:2: t must be a number of ms'],
    ['{', 'rec.jsonl:2: not JSON'],
  ])('names the line that is wrong: %s', (bad, message) => {
    expect(() => parseRecording(`{"t":5,"dir":"rx","hex":"01"}\n${bad}\n`, 'rec.jsonl')).toThrow(message)
  })
})
