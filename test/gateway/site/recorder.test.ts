import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../gateway/journal/journal.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { Recorder } from '../../../gateway/site/recorder.ts'

/** A disk that can refuse. Sequences as the journal gives them. */
class Disk {
  readonly stored: Entry[] = []
  refusing = false
  appends = 0
  #sequence = 0
  async append(entries: readonly Entry[]) {
    this.appends++
    await new Promise((r) => setTimeout(r, 1))
    if (this.refusing) throw new Error('disk full')
    this.stored.push(...entries)
    return { sequences: entries.filter((e) => e.kind === 'event').map(() => ++this.#sequence) }
  }
}

const event = (n: number): Entry => ({ kind: 'event', type: 'luong.test.v1', at: n, data: { n } })
const input = (n: number): Entry => ({ kind: 'input', lane: 'a', at: n, body: n, actions: [] })
const make = (disk: Disk, bound?: number) =>
  new Recorder({ journal: disk, clock: systemClock, log: silentLog, ...(bound ? { bound } : {}) })

describe('recorder', () => {
  it('gives every caller the sequences of its own events, in order, and shares appends', async () => {
    const disk = new Disk()
    const r = make(disk)
    const got = await Promise.all(Array.from({ length: 100 }, (_, i) => r.record([input(i), event(i), event(i)])))
    expect(got.flat()).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    expect(disk.appends).toBeLessThan(20)
    expect(disk.stored.map((e) => e.at)).toEqual(Array.from({ length: 300 }, (_, i) => Math.floor(i / 3)))
  })

  it('keeps what the disk refuses, in order, until it takes it again', async () => {
    const disk = new Disk()
    disk.refusing = true
    const r = make(disk)
    const done = Promise.all([r.record([event(1)]), r.record([event(2)])])
    await expect.poll(() => r.refused).toBe('disk full')
    const later = r.record([event(3)])
    expect(r.backlog).toBe(3)
    disk.refusing = false
    expect(await done).toEqual([[1], [2]])
    expect(await later).toEqual([3])
    expect(r.refused).toBeNull()
    expect(disk.stored.map((e) => e.at)).toEqual([1, 2, 3])
  })

  it('sheds inputs before events, and refuses events only at its bound', async () => {
    const disk = new Disk()
    disk.refusing = true
    const r = make(disk, 10)
    const kept: Promise<unknown>[] = []
    for (let i = 0; i < 5; i++) kept.push(r.record([event(i)]))
    expect(await r.record([input(99)])).toEqual([])
    expect(r.shed).toBe(1)
    for (let i = 5; i < 10; i++) kept.push(r.record([event(i)]))
    await expect(r.record([event(10)])).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    disk.refusing = false
    await Promise.all(kept)
    expect(disk.stored.map((e) => e.at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('close waits for the disk, and rejects what it never took', async () => {
    const disk = new Disk()
    const good = make(disk)
    void good.record([event(1)])
    await good.close(1_000)
    expect(disk.stored).toHaveLength(1)
    disk.refusing = true
    const bad = make(disk)
    const lost = bad.record([event(2)])
    lost.catch(() => {})
    await bad.close(50)
    await expect(lost).rejects.toMatchObject({ code: 'STOPPED' })
  })
})
