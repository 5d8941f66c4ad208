/** What the centre has got from each site: every sequence once, duplicates byte for byte the same, gaps by sequence. */
import { crc32 } from 'node:zlib'

export class Tally {
  readonly #sites = new Map<string, Site>()
  /** First copies. */
  unique = 0
  /** Further copies with the same bytes. */
  duplicates = 0
  /** Further copies with other bytes, or an id that is not its site's and sequence's: must stay 0. */
  readonly wrong: string[] = []
  bytes = 0

  /** @param site of the topic it came on */
  take(site: string, payload: Uint8Array): void {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
    // Parsing every event whole would take longer than all the rest; the head of the text is the CloudEvents attributes.
    const id = /"id":"([^"]+)"/.exec(text)?.[1] ?? ''
    const sequence = Number(/"sequence":"(\d+)"/.exec(text)?.[1])
    if (id !== `${site}:${sequence}`) {
      this.wrong.push(`${site}: ${text.slice(0, 200)}`)
      return
    }
    const s = this.#sites.get(site) ?? new Site()
    this.#sites.set(site, s)
    const sum = crc32(payload)
    const known = s.sums[sequence]
    if (known === undefined) {
      s.sums[sequence] = sum
      while (s.sums[s.complete + 1] !== undefined) s.complete++
      this.unique++
      this.bytes += payload.length
    } else if (known === sum) this.duplicates++
    else this.wrong.push(`${id}: came again with other bytes`)
  }

  /** All sequences up to this one are there. */
  complete(site: string): number {
    return this.#sites.get(site)?.complete ?? 0
  }

  /** Sequences 1 to `head` of a site that never came. */
  missing(site: string, head: number): number[] {
    const out: number[] = []
    const sums = this.#sites.get(site)?.sums
    for (let n = this.complete(site) + 1; n <= head; n++) if (sums?.[n] === undefined) out.push(n)
    return out
  }
}

class Site {
  /** CRC-32 of the bytes by sequence. */
  readonly sums: (number | undefined)[] = []
  complete = 0
}
