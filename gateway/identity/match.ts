/** Joins everything known about the vehicle at the lane into one answer to: who is it, and what does not fit? */
import type { DeclarationIndex, Declared } from './declarations.ts'
import type { Disagreement, Identity, Match, Seen, VotedPlate } from './identity.ts'

export interface MatchInput {
  readonly plates: readonly VotedPlate[]
  readonly declarations: DeclarationIndex
  /** Stable weight on the lane's scale, kg, or null. */
  readonly weight_kg: number | null
  /** What the lane's readers saw, strongest first. */
  readonly tags?: readonly Seen[]
  readonly codes?: readonly Seen[]
  readonly direction: 'import' | 'export'
  /** Wall clock, ms. */
  readonly now: number
  /** How far the weight may be from the declared gross weight, as a share of it and at least in kg. */
  readonly tolerance: { readonly share: number; readonly kg: number }
}

/** Default for {@link MatchInput.tolerance}: what axle scales in motion and fuel make up for. */
export const WEIGHT_TOLERANCE = { share: 0.05, kg: 500 } as const

/**
 * Of the declarations a plate has, those that are meant here and now: in date and in this direction; failing that the
 * ones in date; failing that all of them, so that the rules can say what is wrong with it.
 */
function meant(found: readonly Declared[], input: MatchInput): readonly Declared[] {
  const inDate = found.filter((d) => d.from <= input.now && input.now <= d.to)
  const fitting = inDate.filter((d) => d.declaration.direction === input.direction)
  return fitting.length > 0 ? fitting : inDate.length > 0 ? inDate : found
}

function candidatesOf(
  plates: readonly VotedPlate[],
  input: MatchInput,
): { match: Match; found: readonly Declared[]; by: VotedPlate | null } {
  const sure = plates.filter((p) => p.sure)
  const exact = sure.map((p) => ({ by: p, found: meant(input.declarations.withPlate(p.text), input) })).filter((m) => m.found.length > 0)
  if (exact.length > 0) {
    const found = [...new Set(exact.flatMap((m) => m.found))]
    return { match: found.length === 1 ? 'exact' : 'ambiguous', found, by: exact[0]!.by }
  }
  // A sure plate that nobody declared is not bent to one that somebody did.
  if (sure.length > 0) return { match: 'undeclared', found: [], by: sure[0]! }
  const near = new Set<Declared>()
  let by: VotedPlate | null = null
  for (const p of plates)
    for (const text of p.readings)
      for (const d of meant(input.declarations.withPlate(text), input)) {
        near.add(d)
        by ??= p
      }
  if (near.size === 1) return { match: 'near', found: [...near], by }
  if (near.size > 1) return { match: 'ambiguous', found: [...near], by }
  return { match: plates.length > 0 ? 'undeclared' : 'unread', found: [], by: plates[0] ?? null }
}

function trailerDisagrees(expected: string | undefined, tractor: string, rear: readonly VotedPlate[]): Disagreement | null {
  const sure = rear.filter((p) => p.sure)
  if (expected !== undefined) {
    if (rear.some((p) => p.readings.includes(expected))) return null
    const other = sure.find((p) => p.text !== tractor)
    return other ? { code: 'trailer', expected, seen: other.text } : null
  }
  const foreign = sure.find((p) => p.text !== tractor && !p.readings.includes(tractor))
  return foreign ? { code: 'trailer', expected: '', seen: foreign.text } : null
}

/** An EPC as people write it: any case, with spaces or dashes. */
const epcOf = (text: string): string => text.toUpperCase().replace(/[\s-]/g, '')
/** Whole 16-bit words in hex, two at least. Anything else that is declared as a tag is the text of a code. */
const isEpc = (text: string): boolean => /^([0-9A-F]{4}){2,}$/.test(text)
/** Of a code that was not expected, as much as an officer reads. */
const SHOWN = 120

/** Compares the declared tag with what was seen of its kind; an EPC may also be printed as a code. */
function tagSays(declared: string | undefined, input: MatchInput): { says: Identity['tag']; differs: Disagreement | null } {
  const { tags = [], codes = [] } = input
  if (declared === undefined || declared.trim() === '') return { says: null, differs: null }
  const epc = epcOf(declared)
  const same = isEpc(epc)
    ? [...tags, ...codes].some((seen) => epcOf(seen.text) === epc)
    : codes.some((seen) => seen.text === declared.trim())
  if (same) return { says: 'same', differs: null }
  const other = (isEpc(epc) ? tags : codes)[0]
  if (!other) return { says: null, differs: null }
  return { says: 'other', differs: { code: 'tag', expected: isEpc(epc) ? epc : declared, seen: other.text.slice(0, SHOWN) } }
}

/** Everything about `declared` that does not fit what was seen. */
function disagreementsWith({ declaration: d, from, to }: Declared, input: MatchInput): Disagreement[] {
  const out: Disagreement[] = []
  if (input.now < from || input.now > to)
    out.push({ code: 'validity', expected: `${d.valid_from}…${d.valid_to}`, seen: new Date(input.now).toISOString() })
  if (d.direction !== input.direction) out.push({ code: 'direction', expected: d.direction, seen: input.direction })
  const rear = input.plates.filter((p) => p.position === 'rear')
  const trailer = trailerDisagrees(d.trailer, d.plate, rear)
  if (trailer) out.push(trailer)
  // A cross-border truck may carry the plates of both countries; two sure plates of one country are two vehicles or a false plate.
  const front = input.plates.filter((p) => p.position === 'front' && p.sure)
  const own = front.find((p) => p.text === d.plate)
  const second = own && front.find((p) => p !== own && p.country === own.country)
  if (second) out.push({ code: 'second-plate', expected: d.plate, seen: second.text })
  const tag = tagSays(d.tag, input).differs
  if (tag) out.push(tag)
  if (input.weight_kg !== null && d.weight_kg !== undefined) {
    const allowed = Math.max(input.tolerance.kg, d.weight_kg * input.tolerance.share)
    if (Math.abs(input.weight_kg - d.weight_kg) > allowed)
      out.push({ code: 'weight', expected: `${d.weight_kg}`, seen: `${input.weight_kg}` })
  }
  return out
}

/**
 * Who is it? Pure. A sure plate must equal a declared one; an unsure one may stand for a declared vehicle only when
 * exactly one declaration can be meant (`near`); everything else is for the rules to refer.
 */
export function identify(input: MatchInput): Identity {
  const front = input.plates.filter((p) => p.position === 'front')
  // Where only a rear camera stands, its plate is all there is.
  const leading = front.length > 0 ? front : input.plates
  const { match, found, by } = candidatesOf(leading, input)
  const chosen = found.length === 1 ? found[0]! : null
  return {
    plates: input.plates,
    plate: chosen?.declaration.plate ?? by?.text ?? null,
    trailer: input.plates.find((p) => p.position === 'rear' && p.text !== chosen?.declaration.plate)?.text ?? null,
    match,
    declaration: chosen?.declaration ?? null,
    candidates: found.map((d) => d.declaration.id),
    disagreements: chosen ? disagreementsWith(chosen, input) : [],
    weight_kg: input.weight_kg,
    tags: input.tags ?? [],
    codes: input.codes ?? [],
    tag: tagSays(chosen?.declaration.tag, input).says,
  }
}
