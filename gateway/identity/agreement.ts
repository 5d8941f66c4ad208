/**
 * What of a declaration can be compared with what the lane saw: each comparison says how far both agree, and names what differs. The
 * disagreements and the agreement score both come from here.
 */
import type { Declared } from './declarations.ts'
import type { Disagreement, Identity, Match, Seen, VotedPlate } from './identity.ts'
import { CONTAINER, containerOf, containerProblem } from './iso6346.ts'
import type { MatchInput } from './match.ts'

/** One thing that was both declared and seen. */
export interface Comparison {
  /** What it counts in the score. */
  readonly weight: number
  /** 0 nothing agrees … 1 all agrees. */
  readonly agrees: number
  readonly differs: Disagreement | null
}

/** What each comparison counts. The plate names the vehicle; trailer, tag and container can be swapped but are read; a weight is only near. */
export const WEIGHTS = { plate: 4, trailer: 2, tag: 2, container: 2, weight: 1, direction: 1, validity: 1, 'second-plate': 1 } as const
/** How far a plate agrees by the way it was matched: near and lookalike rest on one declared vehicle being the only one it can be. */
export const PLATE_AGREES: Readonly<Record<Match, number>> = { exact: 1, near: 0.7, lookalike: 0.5, ambiguous: 0, undeclared: 0, unread: 0 }

/**
 * 0…1: the weighted mean of how far each comparison agrees; what was not declared or not seen is left out. 0 when nothing was compared.
 * Three decimals.
 */
export function score(comparisons: readonly Comparison[]): number {
  const all = comparisons.reduce((sum, c) => sum + c.weight, 0)
  if (all === 0) return 0
  const agreed = comparisons.reduce((sum, c) => sum + c.weight * c.agrees, 0)
  return Math.round((agreed / all) * 1000) / 1000
}

const yesNo = (code: keyof typeof WEIGHTS, differs: Disagreement | null): Comparison => ({
  weight: WEIGHTS[code],
  agrees: differs ? 0 : 1,
  differs,
})

/** Everything about a declared vehicle that can be compared. `plate`: the one it was found by, and how. */
export function compare(declared: Declared, plate: { readonly match: Match; readonly text: string }, input: MatchInput): Comparison[] {
  const { declaration: d, from, to } = declared
  const outside = input.now < from || input.now > to
  const readAs = plate.match === 'lookalike' ? { code: 'plate' as const, expected: d.plate, seen: plate.text } : null
  const comparisons: (Comparison | null)[] = [
    { weight: WEIGHTS.plate, agrees: PLATE_AGREES[plate.match], differs: readAs },
    yesNo(
      'validity',
      outside ? { code: 'validity', expected: `${d.valid_from}…${d.valid_to}`, seen: new Date(input.now).toISOString() } : null,
    ),
    yesNo('direction', d.direction === input.direction ? null : { code: 'direction', expected: d.direction, seen: input.direction }),
    trailer(
      d.trailer,
      d.plate,
      input.plates.filter((p) => p.position === 'rear'),
    ),
    secondPlate(
      d.plate,
      input.plates.filter((p) => p.position === 'front' && p.sure),
    ),
    tagComparison(d.tag, input),
    container(d.container, input.codes ?? []),
    weight(d.weight_kg, input),
  ]
  return comparisons.filter((c) => c !== null)
}

function trailer(expected: string | undefined, tractor: string, rear: readonly VotedPlate[]): Comparison | null {
  const sure = rear.filter((p) => p.sure)
  if (expected !== undefined) {
    if (rear.some((p) => p.readings.includes(expected))) return yesNo('trailer', null)
    const other = sure.find((p) => p.text !== tractor)
    return other ? yesNo('trailer', { code: 'trailer', expected, seen: other.text }) : null
  }
  const foreign = sure.find((p) => p.text !== tractor && !p.readings.includes(tractor))
  return foreign ? yesNo('trailer', { code: 'trailer', expected: '', seen: foreign.text }) : null
}

/** A cross-border truck may carry the plates of both countries; two sure plates of one country are two vehicles or a false plate. */
function secondPlate(plate: string, front: readonly VotedPlate[]): Comparison | null {
  const own = front.find((p) => p.text === plate)
  const second = own && front.find((p) => p !== own && p.country === own.country)
  return second ? yesNo('second-plate', { code: 'second-plate', expected: plate, seen: second.text }) : null
}

/** An EPC as people write it: any case, with spaces or dashes. */
const epcOf = (text: string): string => text.toUpperCase().replace(/[\s-]/g, '')
/** Whole 16-bit words in hex, two at least. Anything else that is declared as a tag is the text of a code. */
const isEpc = (text: string): boolean => /^([0-9A-F]{4}){2,}$/.test(text)
/** Of a code that was not expected, as much as an officer reads. */
const SHOWN = 120
const isContainerCode = ({ text }: Seen): boolean => CONTAINER.test(containerOf(text))

/** Compares the declared tag with what was seen of its kind; an EPC may also be printed as a code. */
function tagComparison(declared: string | undefined, { tags = [], codes = [] }: MatchInput): Comparison | null {
  if (declared === undefined || declared.trim() === '') return null
  const epc = epcOf(declared)
  const same = isEpc(epc)
    ? [...tags, ...codes].some((seen) => epcOf(seen.text) === epc)
    : codes.some((seen) => seen.text === declared.trim())
  if (same) return yesNo('tag', null)
  const other = (isEpc(epc) ? tags : codes.filter((c) => !isContainerCode(c)))[0]
  return other ? yesNo('tag', { code: 'tag', expected: isEpc(epc) ? epc : declared, seen: other.text.slice(0, SHOWN) }) : null
}

/** The declared tag or code was seen, or only others were; null: none is declared, or none was seen. */
export function tagSays(declared: string | undefined, input: MatchInput): Identity['tag'] {
  const found = tagComparison(declared, input)
  return found === null ? null : found.differs ? 'other' : 'same'
}

/** Container numbers among the scanned codes, with a right check digit first. */
export function containersIn(codes: readonly Seen[]): string[] {
  const found = codes.filter(isContainerCode).map((c) => containerOf(c.text))
  return [...new Set([...found.filter((c) => containerProblem(c) === null), ...found])]
}

/** A number whose check digit is wrong is no container: it never agrees. */
function container(expected: string | undefined, codes: readonly Seen[]): Comparison | null {
  const seen = containersIn(codes)
  if (seen.length === 0) return null
  if (expected !== undefined && seen.includes(expected) && containerProblem(expected) === null) return yesNo('container', null)
  const wrong = containerProblem(seen[0]!) === null ? seen[0]! : `${seen[0]} (check digit wrong)`
  return yesNo('container', { code: 'container', expected: expected ?? '', seen: wrong })
}

/** At the edge of the tolerance half of it agrees. */
function weight(declared: number | undefined, { weight_kg, tolerance }: MatchInput): Comparison | null {
  if (weight_kg === null || declared === undefined) return null
  const allowed = Math.max(tolerance.kg, declared * tolerance.share)
  const off = Math.abs(weight_kg - declared)
  return {
    weight: WEIGHTS.weight,
    agrees: 1 - Math.min(1, off / (2 * allowed)),
    differs: off > allowed ? { code: 'weight', expected: `${declared}`, seen: `${weight_kg}` } : null,
  }
}
