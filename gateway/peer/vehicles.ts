/** Vehicles between the two halves: handed over, expected, missing, arrived. Pure. */
import type { Direction } from '../lane/model.ts'
import type { NumberedMessage, PeerBody } from '../uplink/schema/peer.ts'
import type { DeskInput } from './hotline.ts'
import { differences, find, type SeenVehicle } from './match.ts'
import type { Done, Now, PairEvent, PairSettings } from './pair.ts'
import { type Expected, FORGET_MS, type HandedOver, type PairState, TOGETHER_MS, type Unannounced } from './state.ts'

/** A passage of the own site, from its journal. */
export interface PassageInput {
  readonly kind: 'passage'
  /** Of the event. */
  readonly sequence: number
  /** decided: it stands at the lane and was looked at. cleared: it is through. */
  readonly what: 'decided' | 'cleared'
  readonly passage: string
  readonly lane: string
  readonly direction: Direction
  /** Wall clock, ms. */
  readonly at: number
  readonly plate: string | null
  readonly seen: SeenVehicle
  /** What of it this site shares with the other. */
  readonly share: Omit<HandedOver, 'handover' | 'direction' | 'lane' | 'left_at' | 'plate'>
}

/** Vehicles on their way, each way, that are kept at most: several days of a large gate. */
const MOST = 10_000
/** What comes later than this after it happened is told as of the past. */
const LATE_MS = 120_000

const minutes = (ms: number) => Math.round(ms / 60_000)
const iso = (at: number) => new Date(at).toISOString()

function put<K extends 'expected' | 'unannounced' | 'underWay', V extends PairState[K] extends ReadonlyMap<string, infer T> ? T : never>(
  state: PairState,
  name: K,
  key: string,
  value: V | null,
): PairState {
  const map = new Map(state[name] as ReadonlyMap<string, V>)
  if (value === null) map.delete(key)
  else map.set(key, value)
  // Nobody could look after more: the oldest is forgotten.
  if (map.size > MOST) map.delete(map.keys().next().value!)
  return { ...state, [name]: map }
}

const alarm = (change: 'raised' | 'cleared', e: Expected, why: string): PairEvent => ({
  type: 'alarm',
  change,
  alarm: 'peer-missing',
  about: e.handover,
  plate: e.plate,
  why,
})
const told = (what: string, e: Expected, more: object = {}): PairEvent => ({
  type: 'peer',
  what,
  data: {
    handover: e.handover,
    direction: e.direction,
    plate: e.plate,
    trailer: e.trailer,
    declaration: e.declaration,
    passage: e.passage,
    ...more,
  },
})

/** Something happened at a lane of this site. */
export function passage(before: PairState, p: PassageInput, now: Now, s: PairSettings): Done {
  const state = { ...before, cursor: p.sequence }
  if (p.direction === s.handsOver) return p.what === 'cleared' ? handOver(state, p, now) : { state, events: [] }
  const known = [...state.expected.values()].find((e) => e.passage === p.passage) ?? find(state.expected.values(), p.seen)
  if (!known) return p.plate === null ? { state, events: [] } : unannounced(state, p, p.plate, now)
  const here = known.passage === p.passage ? { state, events: [] } : arrive(state, known, p, now)
  if (p.what !== 'cleared') return here
  return { ...here, state: put(here.state, 'expected', known.handover, null) }
}

/** Out: it has left this side. */
function handOver(state: PairState, p: PassageInput, now: Now): Done {
  const plate = p.plate === null ? {} : { plate: p.plate }
  const body: PeerBody = {
    kind: 'hand-over',
    handover: p.passage,
    direction: p.direction,
    lane: p.lane,
    left_at: iso(p.at),
    ...plate,
    ...p.share,
  }
  const { trailer, declaration } = p.share
  return {
    state: put(state, 'underWay', p.passage, { handover: p.passage, ...plate, at: now.time, missing: false }),
    events: [
      {
        type: 'peer',
        what: 'handed-over',
        data: { handover: p.passage, passage: p.passage, lane: p.lane, direction: p.direction, ...plate, trailer, declaration },
      },
    ],
    say: [body],
  }
}

function unannounced(state: PairState, p: PassageInput, plate: string, now: Now): Done {
  const { trailer } = p.seen
  const was = state.unannounced.get(p.passage)
  const passed = p.what === 'cleared'
  if (was && was.passed === passed) return { state, events: [] }
  const at = was?.at ?? now.time
  const entry: Unannounced = { passage: p.passage, lane: p.lane, plate, ...(trailer ? { trailer } : {}), at, passed }
  return { state: put(state, 'unannounced', p.passage, entry), events: [] }
}

/** In: it stands at a lane of this side. */
function arrive(state: PairState, e: Expected, p: { passage: string; lane: string; seen: SeenVehicle; at: number }, now: Now): Done {
  const differs = differences(e, p.seen)
  const here: Expected = { ...e, status: 'arrived', passage: p.passage, alarmed: false }
  const again = e.status === 'arrived'
  return {
    state: put(state, 'expected', e.handover, here),
    events: [
      told('arrived', here, { lane: p.lane, differs, late: now.time - e.due > 0 }),
      ...(e.alarmed ? [alarm('cleared', e, `it has come, ${minutes(now.time - e.left)} min after it left`)] : []),
    ],
    // The other side hears of the first time only: at another lane it is still the same vehicle.
    say: again ? [] : [{ kind: 'arrived', handover: e.handover, arrived_at: iso(p.at), differs: differs.slice(0, 8) }],
  }
}

/** The other side hands a vehicle over. How long ago it left is counted on the clock of the other side alone, which may be wrong. */
export function handedOver(state: PairState, m: Extract<NumberedMessage, { kind: 'hand-over' }>, now: Now, s: PairSettings): Done {
  const { id: _i, from: _f, at, stream: _s, number: _n, kind: _k, ...vehicle } = m
  const age = Math.max(0, Date.parse(at) - Date.parse(m.left_at))
  const left = now.time - age
  const e: Expected = { ...vehicle, status: 'expected', left, due: left + s.withinMs, alarmed: false }
  const known: Done = {
    state: put(state, 'expected', e.handover, e),
    events: [told('expected', e, { late: age > LATE_MS })],
  }
  const came = [...state.unannounced.values()].find((u) => u.plate === e.plate && Math.abs(u.at - left) < TOGETHER_MS)
  if (!came) return known
  // It was here before its announcement: the link was cut.
  const seen: SeenVehicle = { plates: [came.plate], trailer: came.trailer, tags: [] }
  const here = arrive(put(known.state, 'unannounced', came.passage, null), e, { ...came, seen, at: now.wall - (now.time - came.at) }, now)
  return {
    state: came.passed ? put(here.state, 'expected', e.handover, null) : here.state,
    events: [...known.events, ...here.events],
    say: here.say ?? [],
  }
}

/** What the other side says of a vehicle that was handed over to it. */
export function heardOf(state: PairState, m: Extract<NumberedMessage, { kind: 'arrived' | 'missing' }>): Done {
  const gone = state.underWay.get(m.handover)
  const data = { handover: m.handover, passage: m.handover, plate: gone?.plate }
  if (m.kind === 'arrived')
    return {
      state: gone ? put(state, 'underWay', m.handover, null) : state,
      events: [{ type: 'peer', what: 'received', data: { ...data, differs: m.differs } }],
    }
  return {
    state: gone ? put(state, 'underWay', m.handover, { ...gone, missing: true }) : state,
    events: [{ type: 'peer', what: 'missing', data: { ...data, way: 'out' } }],
  }
}

/** Who is late is missing; what nobody has settled for days is forgotten. */
export function tick(before: PairState, now: Now, s: PairSettings): Done {
  const late = [...before.expected.values()].filter((e) => e.status === 'expected' && now.time > e.due)
  const old = <T>(map: ReadonlyMap<string, T>, at: (t: T) => number) => [...map].filter(([, t]) => now.time - at(t) > FORGET_MS)
  const [gone, stale, lost] = [old(before.expected, (e) => e.left), old(before.unannounced, (u) => u.at), old(before.underWay, (u) => u.at)]
  if (late.length + gone.length + stale.length + lost.length === 0) return { state: before, events: [] }
  let state = before
  for (const e of late) state = put(state, 'expected', e.handover, { ...e, status: 'missing', alarmed: true })
  for (const [key] of gone) state = put(state, 'expected', key, null)
  for (const [key] of stale) state = put(state, 'unannounced', key, null)
  for (const [key] of lost) state = put(state, 'underWay', key, null)
  const name = (e: Expected) => e.plate ?? 'a vehicle whose plate was not read'
  return {
    state,
    events: [
      ...late.flatMap((e) => [
        told('missing', e, { way: 'in' }),
        alarm(
          'raised',
          e,
          `${name(e)} left ${s.peer} ${minutes(now.time - e.left)} min ago and has not come; ${minutes(s.withinMs)} min are allowed`,
        ),
      ]),
      ...gone.flatMap(([, e]) => (e.alarmed ? [alarm('cleared', e, 'forgotten: nobody settled it for three days')] : [])),
    ],
    say: late.map((e) => ({ kind: 'missing', handover: e.handover })),
  }
}

/** An officer settles a vehicle that was handed over: it will not come, or it was found. Null: there is no such hand-over. */
export function settle(state: PairState, input: Extract<DeskInput, { kind: 'acknowledge' }>): Done | null {
  const e = state.expected.get(input.about)
  if (!e) return null
  return {
    state: put(state, 'expected', e.handover, null),
    events: [
      told('settled', e, { by: input.by, text: input.answer }),
      ...(e.alarmed ? [alarm('cleared', e, `settled by ${input.by}: ${input.answer}`)] : []),
    ],
    answer: null,
  }
}
