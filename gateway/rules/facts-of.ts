/** Turns an identity into the facts that rules ask about. */
import type { Declared } from '../identity/declarations.ts'
import type { Identity } from '../identity/identity.ts'
import { type Facts, facts } from './facts.ts'
import { goodsFacts, type Lookup, transshipmentFacts, twoWayFacts } from './goods-facts.ts'
import { NEVER_H } from './stale.ts'

export interface FactsContext extends Lookup {
  readonly lane: Facts['lane']
  readonly identity: Identity
  /** The declaration as the index holds it, with its validity as numbers. */
  readonly declared: Declared | undefined
  /** What earlier passages say; absent: not looked at, as if there were none. */
  readonly history?: Pick<Facts, 'usage' | 'today' | 'stay' | 'empties'> | undefined
  /** What the other half of a smart gate says of it; absent: there is none. */
  readonly peer?: Facts['peer'] | undefined
  /** How old the lists are; absent: not looked at. */
  readonly age?: { readonly stale: boolean; readonly age_h: number | null; readonly max_age_h: number } | undefined
}

/**
 * Everything the vehicle may be called: every reading of every plate, every tag, and what its declaration says. A detained vehicle
 * must not pass because a camera was unsure of one character.
 */
function names(identity: Identity): string[] {
  const d = identity.declaration
  const plates = [...identity.plates.flatMap((p) => p.readings), identity.plate, d?.plate, d?.trailer]
  return [...plates, ...identity.tags.map((t) => t.text), d?.tag].filter((n): n is string => Boolean(n))
}

/** On the list `detained` by any of its names, at wall-clock time `now`. */
export const isDetained = (identity: Identity, { lists, now }: Pick<Lookup, 'lists' | 'now'>): boolean =>
  names(identity).some((n) => lists.has('detained', n, now))

/** The mark that opens the agricultural priority lane: a listed tag, code or plate, or the tag or code that was declared for it. */
function markOf(identity: Identity, { lists, now }: Lookup): Facts['mark'] {
  const listed = (key: string | null | undefined) => Boolean(key) && lists.has('agricultural-mark', key!, now)
  if (identity.tags.some((t) => listed(t.text))) return { seen: true, by: 'tag' }
  if (identity.codes.some((c) => listed(c.text))) return { seen: true, by: 'code' }
  // Only a plate that is known to be this vehicle's own: the declared one.
  if (listed(identity.declaration?.plate)) return { seen: true, by: 'plate' }
  if (identity.tag === 'same') return { seen: true, by: identity.tags.length > 0 ? 'tag' : 'code' }
  if (identity.declaration?.priority) return { seen: true, by: 'declaration' }
  return { seen: false, by: '' }
}

function containerFacts({ containers, declaration, disagreements }: Identity): Facts['container'] {
  const known = containers.length > 0
  const other = disagreements.some((x) => x.code === 'container')
  return { known, number: containers[0] ?? '', same: known && declaration !== null && !other, other }
}

/** The defaults say it: no earlier passages, no other half. */
const NOTHING = facts.parse({})
const NO_HISTORY = (({ usage, today, stay, empties }: Facts) => ({ usage, today, stay, empties }))(NOTHING)

export function factsOf(context: FactsContext): Facts {
  const { lane, identity, declared, lists, now } = context
  const d = identity.declaration
  const best = identity.plates.find((p) => p.text === identity.plate) ?? identity.plates[0]
  return {
    lane,
    vehicle: {
      read: identity.plates.length > 0,
      sure: best?.sure ?? false,
      plate: identity.plate ?? '',
      country: best?.country ?? '',
      trailer: identity.trailer ?? '',
      match: identity.match,
      candidates: identity.candidates.length,
      agreement: identity.score,
    },
    declaration: {
      found: d !== null,
      id: d?.id ?? '',
      direction: d?.direction ?? '',
      traffic: d?.traffic ?? '',
      channel: d?.channel ?? '',
      in_date: declared !== undefined && declared.from <= now && now <= declared.to,
      expired: declared !== undefined && now > declared.to,
      goods: d?.goods ?? '',
      firm: d?.firm ?? '',
      trailer: d?.trailer ?? '',
      firm_id: d?.firm_id ?? '',
      container: d?.container ?? '',
      perishable: d?.perishable ?? false,
      quarantine: d?.quarantine ?? '',
      resident: d?.resident ?? '',
      trips: d?.trips ?? 1,
    },
    goods: goodsFacts(d, context),
    two_way: twoWayFacts(d, context),
    transshipment: transshipmentFacts(d, context),
    weight: {
      known: identity.weight_kg !== null,
      kg: identity.weight_kg ?? 0,
      declared_kg: d?.weight_kg ?? 0,
      tare_kg: d?.tare_kg ?? 0,
    },
    tag: {
      known: identity.tags.length > 0,
      epc: identity.tags[0]?.text ?? '',
      declared: d?.tag ?? '',
      same: identity.tag === 'same',
      other: identity.tag === 'other',
    },
    code: { known: identity.codes.length > 0, text: identity.codes[0]?.text ?? '' },
    container: containerFacts(identity),
    mark: markOf(identity, context),
    lists: {
      detained: isDetained(identity, context),
      priority_firm: [d?.firm, d?.firm_id].some((firm) => firm !== undefined && lists.has('priority-firm', firm, now)),
      stale: context.age?.stale ?? false,
      age_h: context.age ? (context.age.age_h ?? NEVER_H) : 0,
      max_age_h: context.age?.max_age_h ?? 24,
    },
    ...(context.history ?? NO_HISTORY),
    elsewhere: { open: [], closed: [], been: [] },
    peer: context.peer ?? NOTHING.peer,
    disagreements: identity.disagreements.map((x) => x.code),
    differences: identity.disagreements.map((x) => `${x.code} ${x.expected} ≠ ${x.seen}`),
  }
}
