/** Turns an identity into the facts that rules ask about. */
import type { Declared } from '../identity/declarations.ts'
import type { Identity } from '../identity/identity.ts'
import type { ListIndex } from '../identity/lists.ts'
import type { Facts } from './facts.ts'

export interface FactsContext {
  readonly lane: Facts['lane']
  readonly identity: Identity
  readonly declared: Declared | undefined
  readonly lists: ListIndex
  /** Wall clock, ms. */
  readonly now: number
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

export function factsOf({ lane, identity, declared, lists, now }: FactsContext): Facts {
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
    },
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
    lists: {
      detained: names(identity).some((n) => lists.has('detained', n, now)),
      priority_firm: d?.firm !== undefined && lists.has('priority-firm', d.firm, now),
    },
    disagreements: identity.disagreements.map((x) => x.code),
    differences: identity.disagreements.map((x) => `${x.code} ${x.expected} ≠ ${x.seen}`),
  }
}
