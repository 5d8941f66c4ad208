import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localTime, zoneOf } from '../../../gateway/journal/zone.ts'

describe('zone', () => {
  it.each([
    ['Asia/Ho_Chi_Minh', Date.UTC(2026, 10, 21, 1, 15, 30, 123), '2026-11-21T08:15:30.123+07:00'],
    ['Asia/Shanghai', Date.UTC(2026, 11, 31, 16), '2027-01-01T00:00:00.000+08:00'],
    ['UTC', 0, '1970-01-01T00:00:00.000+00:00'],
    ['Asia/Kathmandu', Date.UTC(2026, 0, 1), '2026-01-01T05:45:00.000+05:45'],
    ['America/St_Johns', Date.UTC(2026, 0, 1), '2025-12-31T20:30:00.000-03:30'],
    ['Europe/Berlin', Date.UTC(2026, 2, 29, 0, 59, 59, 999), '2026-03-29T01:59:59.999+01:00'],
    ['Europe/Berlin', Date.UTC(2026, 2, 29, 1), '2026-03-29T03:00:00.000+02:00'],
  ])('%s', (name, at, text) => {
    expect(zoneOf(name).format(at)).toBe(text)
  })

  it('says the same instant in every zone, and finds it again', () => {
    const zones = ['Asia/Ho_Chi_Minh', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe'].map(zoneOf)
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: Date.UTC(1980, 0), max: Date.UTC(2100, 0) }), (zone, at) => {
        const text = zone.format(at)
        expect(Date.parse(text)).toBe(at)
        const back = localTime(zone, text.slice(0, 23))
        // Twice a year a local time names two instants.
        expect(zone.format(back).slice(0, 23)).toBe(text.slice(0, 23))
      }),
    )
  })

  it('refuses an unknown zone', () => {
    expect(() => zoneOf('Mars/Olympus')).toThrow(RangeError)
  })
})
