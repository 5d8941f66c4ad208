import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { streamPair } from '../../harness/local-broker.ts'

const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

describe('a stream over a port', () => {
  it('carries both ways, in order, whole and corked writes alike', async () => {
    const [a, b] = streamPair()
    const [atA, atB] = [text(a), text(b)]
    b.write('to a')
    a.write('1')
    a.cork()
    for (const n of '234') a.write(n)
    a.uncork()
    b.end()
    a.end('5')
    expect(await atB).toBe('12345')
    expect(await atA).toBe('to a')
  })

  it('carries a slice alone, and what is changed after writing does not matter', async () => {
    const [a, b] = streamPair()
    const whole = Buffer.alloc(100_000, 7)
    a.write(whole.subarray(10, 1_010))
    whole.fill(0)
    const [got] = (await once(b, 'data')) as [Buffer]
    expect([got.length, got.buffer.byteLength, got[0], got[999]]).toEqual([1_000, 1_000, 7, 7])
  })

  it('holds the writer back while nobody reads', async () => {
    const [a, b] = streamPair()
    const chunk = Buffer.alloc(64 * 1024)
    let written = 0
    for (let i = 0; i < 64; i++) a.write(chunk, () => written++)
    for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done))
    expect(written).toBeLessThan(12)
    let read = 0
    b.on('data', (bytes: Buffer) => {
      read += bytes.length
    })
    while (read < 64 * chunk.length) await new Promise((done) => setImmediate(done))
    expect(written).toBe(64)
  })

  it.each([0, 1])('closes both ends when end %i is destroyed, and settles writes that were under way', async (which) => {
    const ends = streamPair()
    const other = ends[1 - which]!
    other.on('error', () => {})
    const closed = Promise.all(ends.map((end) => once(end, 'close')))
    other.write(Buffer.alloc(1_000_000))
    other.write('more')
    other.resume()
    ends[which]!.destroy()
    await closed
    expect(ends.every((end) => end.destroyed)).toBe(true)
  })

  it('takes back what was written and not heard when it is destroyed', async () => {
    const [a, b] = streamPair()
    let heard = 0
    b.on('data', (bytes: Buffer) => {
      heard += bytes.length
    })
    a.write('open the barrier')
    a.destroy()
    await once(b, 'close')
    expect(heard).toBe(0)
  })
})
