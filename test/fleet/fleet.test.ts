/** The fleet's own parts: what gates tell is what a site may tell, and the count at the centre finds what it is there to find. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventLog } from '../harness/event-log.ts'
import { StoreJournal } from './store-journal.ts'
import { Tally } from './tally.ts'
import { Day } from './traffic.ts'

const MIDNIGHT = Date.parse('2026-11-21T00:00:00+07:00')
const HOUR = 3600_000
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'luong-fleet-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('a day', () => {
  it('told hour by hour and read from the journal, is what a consumer may rely on; the same seed gives the same trucks', async () => {
    const day = new Day({ seed: 'a', trucks: 120, day: MIDNIGHT })
    const journal = new StoreJournal(dir, 'gate-1')
    for (let hour = 1; hour <= 24; hour++) journal.record(day.until(MIDNIGHT + hour * HOUR))
    expect(day.over).toBe(true)
    const log = new EventLog({ root: 'luong/v1', site: 'gate-1' })
    const events = await journal.events(0, 10_000)
    for (const e of events) log.take(`luong/v1/gate-1/lane/${e.lane ?? '-'}/event`, e.json)
    journal.close()
    expect(log.faults()).toEqual([])
    expect(log.passages().size).toBe(120)
    const plates = (d: Day) => d.until(MIDNIGHT + 24 * HOUR).map((e) => `${e.at} ${e.type} ${e.subject}`)
    const again = () => plates(new Day({ seed: 'a', trucks: 40, day: MIDNIGHT }))
    expect(again()).toEqual(again())
    expect(again()).not.toEqual(plates(new Day({ seed: 'b', trucks: 40, day: MIDNIGHT })))
  })
})

describe('the count at the centre', () => {
  const event = (site: string, sequence: number, more = '') =>
    Buffer.from(`{"specversion":"1.0","id":"${site}:${sequence}","sequence":"${sequence}","data":"${more}"}`)

  it('finds a loss in the middle and at the end, repetitions, and what is not the same event again', () => {
    const tally = new Tally()
    for (const n of [1, 2, 4, 4, 6]) tally.take('a', event('a', n))
    expect([tally.missing('a', 8), tally.missing('a', 2), tally.missing('b', 2)]).toEqual([[3, 5, 7, 8], [], [1, 2]])
    expect([tally.unique, tally.duplicates, tally.wrong]).toEqual([4, 1, []])
    tally.take('a', event('a', 6, 'other bytes'))
    tally.take('a', event('b', 3))
    expect(tally.wrong).toHaveLength(2)
    for (const n of [3, 5, 7, 8]) tally.take('a', event('a', n))
    expect([tally.missing('a', 8), tally.complete('a')]).toEqual([[], 8])
  })
})
