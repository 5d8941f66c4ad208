/** Joins everything known about the vehicle at the lane into one answer to: who is it, and what does not fit? */
import { compare, containersIn, score, tagSays } from './agreement.ts'
import type { Declaration } from './declaration.ts'
import type { DeclarationIndex, Declared } from './declarations.ts'
import type { Identity, Match, Seen, VotedPlate } from './identity.ts'
import { takenFor } from './lookalike.ts'

export interface MatchInput {
  readonly plates: readonly VotedPlate[]
  readonly declarations: DeclarationIndex
  /** Stable weight on the lane's scale, kg, or null. */
  readonly weight_kg: number | null
  /** What the lane's readers saw, strongest first. */
  readonly tags?: readonly Seen[]
  readonly codes?: readonly Seen[]
  readonly direction: 'import' | 'export'
  /** Whether a declaration has no passage left; absent: nobody counts. */
  readonly usedUp?: (declaration: Declaration) => boolean
  /** Wall clock, ms. */
  readonly now: number
  /** How far the weight may be from the declared gross weight, as a share of it and at least in kg. */
  readonly tolerance: { readonly share: number; readonly kg: number }
  /** A sure plate may stand for the one declared vehicle that it is a confusion away from; absent: never. */
  readonly lookalikes?: { readonly detained: (plate: string) => boolean } | undefined
}

/** Default for {@link MatchInput.tolerance}: what axle scales in motion and fuel make up for. */
export const WEIGHT_TOLERANCE = { share: 0.05, kg: 500 } as const

/**
 * Of the declarations a plate has, those that are meant here and now: in date and in this direction; failing that the
 * ones in date; failing that all of them, so that the rules can say what is wrong with it.
 */
function meant(found: readonly Declared[], input: MatchInput): readonly Declared[] {
  const inDate = found.filter((d) => d.from <= input.now && input.now <= d.to)
  const right = inDate.filter((d) => d.declaration.direction === input.direction)
  // One that is used up counts only where there is no other, so that the rules can say so.
  const unused = right.filter((d) => !input.usedUp?.(d.declaration))
  const fitting = unused.length > 0 ? unused : right
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

/**
 * Taken for the one declared vehicle that a sure plate is a confusion away from: only where the site allows it, for one plate, and when
 * nothing else disagrees. `candidates`: whom it was nearly taken for.
 */
function lookalike(sure: readonly VotedPlate[], input: MatchInput): { found: Declared | null; candidates: readonly Declared[] } {
  const [plate, second] = sure
  if (!input.lookalikes || !plate || second) return { found: null, candidates: [] }
  const near = takenFor(plate.text, plate.country, { ...input, ...input.lookalikes })
  const candidates = meant(near, input)
  const [only, other] = candidates
  if (!only || other) return { found: null, candidates }
  const against = compare(only, { match: 'lookalike', text: plate.text }, input).filter((c) => c.differs && c.differs.code !== 'plate')
  return { found: against.length === 0 ? only : null, candidates }
}

/**
 * Who is it? Pure. A sure plate must equal a declared one; an unsure one may stand for a declared vehicle only when
 * exactly one declaration can be meant (`near`), and a sure one that nobody declared only where the site allows it (`lookalike`);
 * everything else is for the rules to refer.
 */
export function identify(input: MatchInput): Identity {
  const front = input.plates.filter((p) => p.position === 'front')
  // Where only a rear camera stands, its plate is all there is.
  const leading = front.length > 0 ? front : input.plates
  const direct = candidatesOf(leading, input)
  const taken =
    direct.match === 'undeclared'
      ? lookalike(
          leading.filter((p) => p.sure),
          input,
        )
      : null
  const match = taken?.found ? 'lookalike' : direct.match
  const found = taken?.candidates ?? direct.found
  const { by } = direct
  const chosen = taken ? taken.found : found.length === 1 ? found[0]! : null
  const compared = chosen ? compare(chosen, { match, text: by?.text ?? '' }, input) : []
  return {
    plates: input.plates,
    plate: chosen?.declaration.plate ?? by?.text ?? null,
    trailer: input.plates.find((p) => p.position === 'rear' && p.text !== chosen?.declaration.plate)?.text ?? null,
    match,
    declaration: chosen?.declaration ?? null,
    candidates: found.map((d) => d.declaration.id),
    disagreements: compared.flatMap((c) => (c.differs ? [c.differs] : [])),
    score: score(compared),
    weight_kg: input.weight_kg,
    tags: input.tags ?? [],
    codes: input.codes ?? [],
    tag: tagSays(chosen?.declaration.tag, input),
    containers: containersIn(input.codes ?? []),
  }
}
