/** What the other half of a smart gate says of a vehicle, as facts for the rules. */
import type { Identity } from '../identity/identity.ts'
import type { Direction } from '../lane/model.ts'
import type { Facts } from '../rules/facts.ts'
import { differences, find, type SeenVehicle } from './match.ts'
import { isUp, type Now, type PairSettings } from './pair.ts'
import type { PairState } from './state.ts'

const MIN = 60_000

/**
 * Every reading of a front plate counts when the plate is not sure: a hand-over narrows down what an unsure plate can be, and never
 * makes another vehicle of it: the plate that the vehicle goes by is compared as well.
 */
function seenOf(identity: Identity): SeenVehicle {
  const front = identity.plates.filter((p) => p.position === 'front' && !p.sure).flatMap((p) => p.readings)
  return {
    plates: [...new Set([...(identity.plate === null ? [] : [identity.plate]), ...front])],
    trailer: identity.trailer ?? undefined,
    container: identity.declaration?.container,
    tags: [...identity.tags, ...identity.codes].map((t) => t.text),
    declaration: identity.declaration?.id,
    weight_kg: identity.weight_kg ?? undefined,
  }
}

/** @param state what is known of the other side; null: nothing yet */
export function peerFacts(state: PairState | null, s: PairSettings, now: Now, identity: Identity, direction: Direction): Facts['peer'] {
  const from = direction !== s.handsOver
  const session = state?.link.session
  const seen = seenOf(identity)
  const e = from && state ? find(state.expected.values(), seen) : null
  return {
    site: s.peer,
    from,
    up: state !== null && isUp(state, now),
    silent_min: session ? Math.max(0, now.mono - (session.heardAt ?? session.since)) / MIN : 0,
    expected: e !== null,
    plate: e?.plate ?? '',
    left_min: e ? Math.max(0, now.time - e.left) / MIN : 0,
    late: e !== null && now.time > e.due && e.status !== 'arrived',
    differences: e ? differences(e, seen) : [],
  }
}
