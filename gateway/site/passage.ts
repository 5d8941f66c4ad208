/** One vehicle at one lane, as far as it is known, and how events tell of it. */
import { ulid } from 'ulid'
import type { Identity, VotedPlate } from '../identity/identity.ts'
import type { Zone } from '../journal/zone.ts'
import type { Decision } from '../rules/decide.ts'
import { publishedPlate } from '../uplink/schema/event.ts'

export interface Stamp {
  /** Wall clock, ms. */
  readonly at: number
  readonly mono: number
}

export interface Evidence {
  readonly path: string
  readonly sha256: string
}

export interface Passage {
  readonly no: number
  readonly id: string
  readonly lane: string
  readonly direction: 'import' | 'export'
  readonly arrived: Stamp
  identified?: Stamp
  decided?: Stamp
  opened?: Stamp
  ended?: Stamp
  plates: readonly VotedPlate[]
  identity?: Identity
  decision?: Decision
  /** Why it may be called before others, where lanes lead into one place. */
  favour?: { readonly perishable: boolean; readonly marked: boolean }
  /** How it was called, when it had to wait for its turn. */
  turn?: NonNullable<PassageExtra['turn']>
  /** Sure front or rear plate was seen: for the read rate. */
  readonly evidence: Evidence[]
  /** Who opened by command. */
  by?: string
  historical: boolean
}

export function newPassage(no: number, lane: string, direction: 'import' | 'export', arrived: Stamp): Passage {
  return { no, id: ulid(arrived.at), lane, direction, arrived, plates: [], evidence: [], historical: false }
}

export interface ClockQuality {
  readonly synced: boolean | null
  readonly offset_ms: number | null
  /** Since when it is like this, RFC 3339. */
  readonly since?: string
}

export type PassageOutcome = 'cleared' | 'refused' | 'referred' | 'redirected' | 'aborted'

/** What an event says besides what is known of the passage. */
export interface PassageExtra {
  readonly outcome?: PassageOutcome
  readonly why?: string
  readonly by?: string
  /** Of *queued* and *called*: its place among those who wait in lanes that lead into one place. */
  readonly turn?: {
    readonly group: string
    /** It goes before others. */
    readonly first: boolean
    /** How often it was overtaken by one that came later. */
    readonly overtaken: number
    /** Lanes with vehicles that came earlier and go on waiting. */
    readonly before: readonly string[]
    /** From the decision until it was called, seconds. */
    readonly waited_s?: number
  }
}

/** `data` of a `luong.passage.*` event: see gateway/uplink/schema/event.ts. */
export function passageData(p: Passage, zone: Zone, clock: ClockQuality, extra: PassageExtra): Record<string, unknown> {
  const time = (s: Stamp | undefined) => (s ? zone.format(s.at) : undefined)
  const times: Record<string, unknown> = { arrived: time(p.arrived) }
  for (const key of ['identified', 'decided', 'opened'] as const) if (p[key]) times[key] = time(p[key])
  if (p.ended) {
    times[extra.outcome === 'cleared' ? 'cleared' : 'ended'] = time(p.ended)
    times.duration_ms = Math.max(0, Math.round(p.ended.mono - p.arrived.mono))
  }
  const d = p.decision
  return {
    passage: p.id,
    lane: p.lane,
    direction: p.direction,
    ...(extra.outcome ? { outcome: extra.outcome } : {}),
    plates: p.plates.slice(0, 8).map(publishedPlate),
    ...(p.identity?.trailer ? { trailer: p.identity.trailer } : {}),
    declaration: p.identity?.declaration?.id ?? null,
    ...(p.identity
      ? {
          identity: {
            match: p.identity.match,
            candidates: p.identity.candidates.slice(0, 64),
            disagreements: p.identity.disagreements,
            ...(p.identity.declaration ? { score: p.identity.score } : {}),
            ...(p.identity.tag ? { tag: p.identity.tag } : {}),
          },
        }
      : {}),
    ...(p.identity?.tags.length ? { tags: p.identity.tags.slice(0, 16) } : {}),
    ...(p.identity?.codes.length ? { codes: p.identity.codes.slice(0, 4) } : {}),
    ...(d
      ? { decision: { rule: d.rule, outcome: d.outcome, reasons: d.reasons, config: d.config, ...(d.lane ? { lane: d.lane } : {}) } }
      : {}),
    weight_kg: p.identity?.weight_kg ?? null,
    times,
    evidence: p.evidence.slice(0, 16),
    ...(extra.turn ? { turn: extra.turn } : {}),
    clock,
    historical: p.historical,
    ...(extra.why ? { why: extra.why.slice(0, 500) } : {}),
    ...(extra.by ? { by: extra.by.slice(0, 120) } : {}),
  }
}

/** CloudEvents subject of a passage: the plate it goes by. */
export function subjectOf(p: Passage): string | undefined {
  return p.identity?.plate ?? p.plates[0]?.text ?? undefined
}
