/** When a reading is good enough to open on, and why not. Pure. */
import { colourFits } from './colour.ts'
import { parsePlate } from './grammar/grammar.ts'
import type { Doubt, PlateColour } from './plate.ts'
import type { Spelled } from './spell.ts'

/** Set by docs/plates.md's calibration. */
export interface AcceptRule {
  /** Lowest character probability. */
  readonly weakest: number
  /** Product of them. */
  readonly confidence: number
  /** How probable a text of another syntax may be beside it, at most. */
  readonly rival: number
}

export interface Judged {
  readonly spelled: Spelled
  /** Product of the characters' probabilities and of its being a plate of the two countries. */
  readonly confidence: number
  readonly colour: PlateColour
  /** It lies in the picture with room around it. */
  readonly whole: boolean
  /** Its characters are high enough to be told apart. */
  readonly large: boolean
  /** Both cuts of the look that counts gave the same text. */
  readonly confirmed: boolean
  /** No other look at that place says otherwise. */
  readonly agreed: boolean
  /** It was looked at as often as a plate so small or so steep must be. */
  readonly enough: boolean
  /** No other vehicle's plate in the picture is much nearer. */
  readonly nearest: boolean
}

/** The first reason why a reading is not good enough to open on; undefined when there is none. That it is another vehicle's comes before how it reads. */
export function doubtAbout(j: Judged, rule: AcceptRule): Doubt | undefined {
  const { spelled } = j
  const { country, kind } = spelled.pattern
  if (!j.nearest) return 'farther'
  if (!j.whole) return 'edge'
  if (!j.large) return 'tiny'
  if (spelled.weakest < rule.weakest || j.confidence < rule.confidence || spelled.substitutions > 0) return 'unclear'
  if (!j.confirmed || !j.agreed) return 'looks-differ'
  if (!j.enough) return 'one-look'
  if (spelled.rival > rule.rival) return 'rival'
  if (!colourFits(j.colour, country, kind)) return 'colour'
  if (parsePlate(spelled.text)?.known !== true) return 'issuer'
  return undefined
}
