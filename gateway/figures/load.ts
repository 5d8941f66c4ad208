/** What was declared of a vehicle when it was decided: what all figures are counted from. Stays on site. */
import { type Declaration, goodsName } from '../identity/declaration.ts'

/** One draw that a rule asked for, as gateway/rules/sampling.ts makes them. */
export interface Draw {
  readonly id: string
  readonly seed: string
  /** 0 none, 1 all. */
  readonly rate: number
  readonly drawn: boolean
}

/** One kind of goods: what it is called, net kg and value as declared, 0 when not declared. */
export interface LoadedGoods {
  readonly name: string
  readonly net_kg: number
  readonly value: number
}

export interface Load {
  /** The plate that the vehicle is known by: as declared, else as read; null: neither. */
  readonly vehicle: string | null
  /** A sure plate was read. */
  readonly sure: boolean
  /** Id of the declaration, or null. */
  readonly declaration: string | null
  /** End of its validity, wall-clock ms; null without a declaration. */
  readonly valid_to: number | null
  /** Traffic class; empty without a declaration, as all texts that follow. */
  readonly traffic: string
  readonly perishable: boolean
  readonly firm: string
  readonly firm_id: string
  readonly resident: string
  /** Declaration of the other way. */
  readonly two_way: string
  readonly currency: string
  readonly goods: readonly LoadedGoods[]
  readonly rule: string
  readonly outcome: string
  readonly draws: readonly Draw[]
}

interface Known {
  /** The plate it goes by, without a declaration. */
  readonly plate: string | null
  readonly sure: boolean
  readonly declaration: Declaration | null
  readonly decision: { readonly rule: string; readonly outcome: string; readonly draws?: readonly Draw[] }
}

/** Net weight of a load that is declared in words only: gross less tare, 0 when one of them is missing. */
const netOf = (d: Declaration): number => (d.weight_kg === undefined || d.tare_kg === undefined ? 0 : d.weight_kg - d.tare_kg)

function goodsOf(d: Declaration): LoadedGoods[] {
  if (d.cargo?.length) return d.cargo.map((c) => ({ name: goodsName(c) || 'unnamed', net_kg: c.net_kg ?? 0, value: c.value ?? 0 }))
  if (d.traffic === 'empty') return []
  return [{ name: d.goods ?? 'unnamed', net_kg: netOf(d), value: 0 }]
}

export function loadOf({ plate, sure, declaration: d, decision }: Known): Load {
  return {
    vehicle: d?.plate ?? plate,
    sure,
    declaration: d?.id ?? null,
    valid_to: d ? Date.parse(d.valid_to) : null,
    traffic: d?.traffic ?? '',
    perishable: d?.perishable ?? false,
    firm: d?.firm ?? '',
    firm_id: d?.firm_id ?? '',
    resident: d?.resident ?? '',
    two_way: d?.two_way ?? '',
    currency: d?.currency ?? '',
    goods: d ? goodsOf(d) : [],
    rule: decision.rule,
    outcome: decision.outcome,
    draws: decision.draws ?? [],
  }
}

const EMPTY: Load = loadOf({ plate: null, sure: false, declaration: null, decision: { rule: '', outcome: '' } })

/** A load out of the journal; what an older version did not write is as not declared. */
export function loadFrom(text: string | null): Load | null {
  return text === null ? null : { ...EMPTY, ...(JSON.parse(text) as Partial<Load>) }
}

/** The firm as sums and lists know it: its number, else its name. */
export const firmKey = (l: Pick<Load, 'firm' | 'firm_id'>): string => l.firm_id || l.firm

/** The same firm: by number where both have one; one that is named in neither is not the same. */
export function sameFirm(a: Pick<Load, 'firm' | 'firm_id'>, b: Pick<Load, 'firm' | 'firm_id'>): boolean {
  if (a.firm_id !== '' && b.firm_id !== '') return a.firm_id === b.firm_id
  return a.firm !== '' && a.firm === b.firm
}

/** Net weight and value of all goods. */
export function totals(l: Load): { net_kg: number; value: number } {
  return l.goods.reduce((sum, g) => ({ net_kg: sum.net_kg + g.net_kg, value: sum.value + g.value }), { net_kg: 0, value: 0 })
}
