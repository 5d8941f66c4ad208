/** Who stands at the lane: what the votes, the declarations and the scale agree on. Pure types. */
import type { PlateColour, PlateCountry } from '../../models/plate.ts'
import type { Declaration } from './declaration.ts'

/** One plate after the vote over frames. */
export interface VotedPlate {
  readonly text: string
  readonly country: PlateCountry
  readonly colour: PlateColour
  readonly lines: 1 | 2
  readonly position: 'front' | 'rear'
  /** Frames that took part. */
  readonly frames: number
  /** Product and minimum of the voted characters' probabilities. */
  readonly confidence: number
  readonly weakest: number
  /** Enough frames agree and no character is weak: good enough to open on. */
  readonly sure: boolean
  /** Every text the characters allow, likeliest first, `text` among them; bounded. */
  readonly readings: readonly string[]
}

/**
 * exact      a sure plate equals a declared one
 * near       an unsure plate can be read as exactly one declared vehicle, and as no other
 * lookalike  a sure plate that nobody declared is one confusion away from exactly one declared vehicle, and the site takes it for that
 * ambiguous  it can be read as several declared vehicles
 * undeclared a plate was read, nothing declared fits
 * unread     no plate was read
 */
export type Match = 'exact' | 'near' | 'lookalike' | 'ambiguous' | 'undeclared' | 'unread'

export interface Disagreement {
  readonly code: 'plate' | 'trailer' | 'weight' | 'second-plate' | 'tag' | 'container' | 'direction' | 'validity'
  readonly expected: string
  readonly seen: string
}

/** A tag or code that a reader of the lane saw while the vehicle stood there. */
export interface Seen {
  /** EPC as upper-case hex; text of a code. */
  readonly text: string
  /** Device id of the reader. */
  readonly reader: string
  /** How often it was read. */
  readonly count: number
  /** Strongest read in the reader's own unit, more is nearer; null: not known. */
  readonly rssi: number | null
}

export interface Identity {
  readonly plates: readonly VotedPlate[]
  /** Plate the vehicle goes by: the declared text on exact or near, else the best vote, else null. */
  readonly plate: string | null
  readonly trailer: string | null
  readonly match: Match
  readonly declaration: Declaration | null
  /** Ids of all declarations that could be meant. */
  readonly candidates: readonly string[]
  readonly disagreements: readonly Disagreement[]
  /** How far everything that was both declared and seen agrees, 0…1 (agreement.ts); 0 without a declaration. */
  readonly score: number
  readonly weight_kg: number | null
  /** Strongest first. */
  readonly tags: readonly Seen[]
  readonly codes: readonly Seen[]
  /** The declared tag or code was seen, or only others were; null: none is declared, or none was seen. */
  readonly tag: 'same' | 'other' | null
  /** Container numbers among the codes, those with a right check digit first. */
  readonly containers: readonly string[]
}
