/** From the events of the own journal to what the other side is concerned with. */
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { SharedField } from '../identity/shared.ts'
import type { StoredEvent } from '../journal/journal.ts'
import type { PassageInput } from './vehicles.ts'

const CONCERNS = /^luong\.passage\.(decided|cleared)\.v1$/

interface Told {
  readonly subject?: string
  readonly data: {
    readonly direction: 'import' | 'export'
    readonly plates?: readonly { readonly text: string }[]
    readonly trailer?: string
    readonly declaration?: string | null
    readonly tags?: readonly { readonly text: string }[]
    readonly codes?: readonly { readonly text: string }[]
    readonly weight_kg?: number | null
  }
}

/** What a passage event is for the other side; null: nothing. `share`: the fields that this site lets go. */
export function passageInput(
  e: StoredEvent,
  declarations: Pick<DeclarationIndex, 'get'>,
  share: readonly SharedField[],
): PassageInput | null {
  const what = CONCERNS.exec(e.type)?.[1]
  if (what === undefined || e.passage === null || e.lane === null) return null
  const { subject, data } = JSON.parse(e.json) as Told
  const id = data.declaration ?? undefined
  const d = id === undefined ? undefined : declarations.get(id)?.declaration
  const tags = [...(data.tags ?? []), ...(data.codes ?? [])].map((t) => t.text)
  const all: { readonly [K in SharedField]: PassageInput['share'][K] } = {
    trailer: data.trailer ?? d?.trailer,
    container: d?.container,
    tag: d?.tag ?? tags[0]?.slice(0, 64),
    declaration: id,
    traffic: d?.traffic,
    goods: d?.goods,
    firm: d?.firm,
    driver: d?.driver,
    weight_kg: data.weight_kg ?? undefined,
  }
  return {
    kind: 'passage',
    sequence: e.sequence,
    what: what as PassageInput['what'],
    passage: e.passage,
    lane: e.lane,
    direction: data.direction,
    at: e.at,
    plate: subject ?? null,
    seen: {
      plates: subject === undefined ? [] : [subject],
      trailer: data.trailer,
      container: d?.container,
      tags,
      declaration: id,
      weight_kg: data.weight_kg ?? undefined,
    },
    share: Object.fromEntries(share.flatMap((field) => (all[field] === undefined ? [] : [[field, all[field]]]))),
  }
}
