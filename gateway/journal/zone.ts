/** RFC 3339 with the site's own offset. Offsets change only on quarter hours of UTC, so one look-up serves a quarter. */

const QUARTER = 900_000

export interface Zone {
  readonly name: string
  /** `2026-11-21T08:15:30.123+07:00` */
  format(at: number): string
  /** Ms to add to UTC for local time at that instant. */
  offset(at: number): number
}

/** @throws RangeError when the IANA name is unknown */
export function zoneOf(name: string): Zone {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  let quarter = Number.NaN
  let cached = 0
  let suffix = ''
  const offset = (at: number): number => {
    const q = Math.floor(at / QUARTER)
    if (q !== quarter) {
      const start = q * QUARTER
      const p = Object.fromEntries(parts.formatToParts(start).map((x) => [x.type, Number(x.value)]))
      cached = Date.UTC(p.year!, p.month! - 1, p.day!, p.hour!, p.minute!, p.second!) - start
      const minutes = Math.round(Math.abs(cached) / 60_000)
      const two = (n: number) => String(n).padStart(2, '0')
      suffix = `${cached < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
      quarter = q
    }
    return cached
  }
  return {
    name,
    offset,
    format(at) {
      const ms = offset(at)
      return new Date(at + ms).toISOString().slice(0, -1) + suffix
    },
  }
}

/** Wall-clock ms of a local time such as `2026-11-21T08:00` in that zone; the earlier one where clocks are set back. */
export function localTime(zone: Zone, text: string): number {
  const asUtc = Date.parse(`${text}Z`)
  const first = asUtc - zone.offset(asUtc)
  return asUtc - zone.offset(first)
}

/** Wall-clock ms of the last local midnight at or before that instant. */
export function dayStart(zone: Zone, at: number): number {
  return localTime(zone, `${zone.format(at).slice(0, 10)}T00:00`)
}
