/** Counts of one contender over sets of photos, its confusions and its misses. */
import { type Spread, spread } from '../report.ts'
import type { Answer } from './contenders.ts'
import { type Photo, setsOf } from './photos.ts'

export interface SetScore {
  n: number
  exact: number
  any: number
  accepted: number
  wrong: number
}

export interface Miss {
  readonly photo: Photo
  readonly read: string
  readonly accepted: boolean
}

export class Score {
  readonly sets = new Map<string, SetScore>()
  readonly misses: Miss[] = []
  /** Label's character → character read → times, over texts of equal length. */
  readonly confusions = new Map<string, number>()
  /** Confidence and rightness of every best reading. */
  readonly readings: { readonly confidence: number; readonly exact: boolean }[] = []
  readonly #ms: { scene: number[]; crop: number[]; whole: number[] } = { scene: [], crop: [], whole: [] }

  add(photo: Photo, answer: Answer): void {
    const best = answer.texts[0] ?? ''
    const exact = best === photo.text
    if (best !== '') this.readings.push({ confidence: answer.confidence, exact })
    for (const name of setsOf(photo)) {
      const set = this.sets.get(name) ?? { n: 0, exact: 0, any: 0, accepted: 0, wrong: 0 }
      this.sets.set(name, set)
      set.n++
      if (exact) set.exact++
      if (answer.texts.includes(photo.text)) set.any++
      if (answer.accepted) set.accepted++
      if (answer.accepted && !exact) set.wrong++
    }
    this.#ms[photo.crop ? 'crop' : 'scene'].push(answer.ms)
    this.#ms.whole.push(answer.whole)
    if (exact) return
    this.misses.push({ photo, read: best, accepted: answer.accepted })
    const [want, got] = [[...photo.text], [...best]]
    if (want.length === got.length) {
      want.forEach((c, i) => {
        if (c !== got[i]) this.#confuse(`${c} → ${got[i]}`)
      })
    } else this.#confuse(best === '' ? 'not found' : 'length')
  }

  #confuse(what: string): void {
    this.confusions.set(what, (this.confusions.get(what) ?? 0) + 1)
  }

  times(): { scene: Spread; crop: Spread; whole: Spread } {
    return { scene: spread(this.#ms.scene), crop: spread(this.#ms.crop), whole: spread(this.#ms.whole) }
  }

  /** How many readings, and how many wrong ones, have at least each of the confidences; and how sure those just above it really are. */
  curve(at: readonly number[]): { from: number; readings: number; wrong: number }[] {
    return at.map((from) => {
      const over = this.readings.filter((r) => r.confidence >= from)
      return { from, readings: over.length, wrong: over.filter((r) => !r.exact).length }
    })
  }

  /** Most frequent first. */
  worst(most: number): [string, number][] {
    return [...this.confusions].sort((a, b) => b[1] - a[1]).slice(0, most)
  }
}
