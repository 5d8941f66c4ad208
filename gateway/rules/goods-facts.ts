/** What a declaration says of its goods and of other declarations, as facts. */
import { type CargoItem, type Declaration, goodsName } from '../identity/declaration.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { ListIndex } from '../identity/lists.ts'
import type { Facts } from './facts.ts'

/** What the facts look things up in, at one moment. */
export interface Lookup {
  readonly declarations: Pick<DeclarationIndex, 'get' | 'withPlate'>
  readonly lists: ListIndex
  /** Wall clock, ms. */
  readonly now: number
}

/** Fresh fruit stands in chapter 08 of the Harmonized System. */
const FRUIT = '08'

const unique = (values: readonly (string | undefined)[]): string[] => [...new Set(values.filter((v): v is string => Boolean(v)))]
const sum = (items: readonly CargoItem[], of: (item: CargoItem) => number | undefined): number =>
  items.reduce((total, item) => total + (of(item) ?? 0), 0)

export function goodsFacts(d: Declaration | null, { lists, now }: Lookup): Facts['goods'] {
  const cargo = d?.cargo ?? []
  const listed = (list: string, item: CargoItem) => [item.kind, item.hs].some((key) => key !== undefined && lists.has(list, key, now))
  const bound = cargo.filter((item) => listed('protocol-goods', item))
  const unknown = (list: string, code: string | undefined) => (code !== undefined && !lists.has(list, code, now) ? code : undefined)
  return {
    items: cargo.length,
    kinds: unique(cargo.map((item) => item.kind)),
    hs: unique(cargo.map((item) => item.hs)),
    fresh: unique(cargo.filter((item) => item.hs?.startsWith(FRUIT)).map(goodsName)),
    under_protocol: unique(bound.map(goodsName)),
    clean: unique(cargo.filter((item) => listed('clean-goods', item)).map(goodsName)),
    untraced: unique(bound.filter((item) => !item.growing_area || !item.packing_house).map(goodsName)),
    growing_areas: unique(cargo.map((item) => item.growing_area)),
    packing_houses: unique(cargo.map((item) => item.packing_house)),
    unlisted_codes: unique(
      bound.flatMap((item) => [unknown('growing-area', item.growing_area), unknown('packing-house', item.packing_house)]),
    ),
    origins: unique(cargo.map((item) => item.origin)),
    net_kg: sum(cargo, (item) => item.net_kg),
    value: sum(cargo, (item) => item.value),
    currency: d?.currency ?? '',
  }
}

export function twoWayFacts(d: Declaration | null, { declarations }: Lookup): Facts['two_way'] {
  const other = d?.two_way === undefined ? undefined : declarations.get(d.two_way)?.declaration
  return {
    linked: d?.two_way !== undefined,
    found: other !== undefined,
    same_vehicle: other !== undefined && other.plate === d?.plate,
    same_firm: other !== undefined && d !== null && sameFirm(other, d),
    opposite: other !== undefined && other.direction !== d?.direction,
  }
}

/** By number where both have one; a firm that is named in neither is not the same. */
function sameFirm(a: Declaration, b: Declaration): boolean {
  if (a.firm_id !== undefined && b.firm_id !== undefined) return a.firm_id === b.firm_id
  return a.firm !== undefined && a.firm === b.firm
}

export function transshipmentFacts(d: Declaration | null, { declarations, now }: Lookup): Facts['transshipment'] {
  const plate = d?.transship_with
  const others = plate === undefined ? [] : declarations.withPlate(plate).filter((o) => o.from <= now && now <= o.to)
  return {
    linked: plate !== undefined,
    plate: plate ?? '',
    found: others.length > 0,
    mutual: others.some((o) => o.declaration.transship_with === d?.plate),
  }
}
