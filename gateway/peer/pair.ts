/**
 * One half of a smart gate: what it does when a vehicle leaves for the other side, when one comes, when the other side says something,
 * and when time passes. Pure: `step(state, input) → state, events, messages`. What it answers with happens only once the new state and
 * the events are durable.
 */
import type { Direction } from '../lane/model.ts'
import type { NumberedMessage, PeerBody, PeerSignal } from '../uplink/schema/peer.ts'
import * as hotline from './hotline.ts'
import { type Chance, flush, HELLO_MS, type LinkInput, type Now as LinkNow, step as linkStep, type Refusal, say } from './link.ts'
import type { LinkAlarm, PairState } from './state.ts'
import * as vehicles from './vehicles.ts'

export interface PairSettings {
  /** Site id of the other half. */
  readonly peer: string
  /** Vehicles that are cleared in this direction leave for the other side; those of the other direction come from it. */
  readonly handsOver: Direction
  /** A vehicle that left the other side should be here within this time, ms. */
  readonly withinMs: number
  /** A hotline message should be acknowledged within this time, ms. */
  readonly hotlineMs: number
  /** The other side not heard for this long: alarm, ms. */
  readonly silentMs: number
  /** The two wall clocks further apart than this: alarm, ms. */
  readonly clockMs: number
}

export interface Now extends LinkNow {
  /** This side's own steady time, ms: the wall clock at the start, and from then on what has passed. */
  readonly time: number
}

export type PairInput =
  | LinkInput
  | vehicles.PassageInput
  | hotline.DeskInput
  /** The events of the journal up to this one hold nothing for the other side. */
  | { readonly kind: 'looked'; readonly sequence: number }

/** For the journal. `type`: the part between `luong.peer.` and `.v1`, or an alarm. */
export type PairEvent =
  | { readonly type: 'peer'; readonly what: string; readonly data: PeerFacts }
  | {
      readonly type: 'alarm'
      readonly change: 'raised' | 'cleared'
      readonly alarm: PairAlarm
      readonly about?: string | undefined
      readonly plate?: string | undefined
      readonly why: string
    }
export type PairAlarm = LinkAlarm | 'peer-missing' | 'hotline-unanswered'
/** What an event tells beside the peer and the clock. */
export interface PeerFacts {
  readonly handover?: string | undefined
  readonly passage?: string | undefined
  readonly lane?: string | undefined
  readonly direction?: Direction | undefined
  readonly plate?: string | undefined
  readonly trailer?: string | undefined
  readonly declaration?: string | undefined
  readonly differs?: readonly string[] | undefined
  readonly message?: string | undefined
  readonly way?: 'in' | 'out' | undefined
  readonly by?: string | undefined
  readonly text?: string | undefined
  readonly why?: string | undefined
  /** It comes long after it happened. */
  readonly late?: boolean | undefined
}

export interface PairStep {
  readonly state: PairState
  readonly events: readonly PairEvent[]
  /** Signals, and numbers of what waits, in order. */
  readonly out: readonly (PeerSignal | { readonly number: number })[]
  /** Why a numbered message was not taken. */
  readonly refused?: Refusal | undefined
  /** To a command: null when it was carried out, else why not. */
  readonly answer?: string | null
}

/** What a part of the pair did to the state. */
export interface Done {
  readonly state: PairState
  readonly events: readonly PairEvent[]
  readonly say?: readonly PeerBody[]
  readonly answer?: string | null
}

/** What waits for the other side at most, before no more of the journal is looked at and no more is written to its desk. */
export const MOST_WAITING = 500

export function step(state: PairState, input: PairInput, now: Now, s: PairSettings, chance: Chance): PairStep {
  switch (input.kind) {
    case 'looked':
      return finish({ state: { ...state, cursor: input.sequence }, events: [] })
    case 'passage':
      return finish(vehicles.passage(state, input, now, s))
    case 'message':
    case 'acknowledge':
      return finish(input.kind === 'acknowledge' ? settle(state, input, now) : hotline.desk(state, input, now, MOST_WAITING))
    default:
      return overLink(state, input, now, s, chance)
  }
}

/** An officer takes note of a hotline message, or settles a vehicle that was handed over. */
function settle(state: PairState, input: Extract<hotline.DeskInput, { kind: 'acknowledge' }>, now: Now): Done {
  return vehicles.settle(state, input) ?? hotline.desk(state, input, now, MOST_WAITING)
}

/** Puts what is to be said behind what waits, and hands over what may go out. */
function finish(done: Done, out: PairStep['out'] = [], refused?: Refusal): PairStep {
  const link = (done.say ?? []).reduce(say, done.state.link)
  const flushed = flush(link)
  return {
    state: { ...done.state, link: flushed.link },
    events: done.events,
    out: [...out, ...flushed.out],
    ...(refused ? { refused } : {}),
    ...(done.answer === undefined ? {} : { answer: done.answer }),
  }
}

function overLink(state: PairState, input: LinkInput, now: Now, s: PairSettings, chance: Chance): PairStep {
  const { link, out, taken, refused, restarted } = linkStep(state.link, input, now, chance)
  let done: Done = { state: { ...state, link }, events: [] }
  if (restarted !== null) done = { ...done, events: [{ type: 'peer', what: 'restarted', data: { why: restarted } }] }
  if (taken !== null) done = after(done, heard(done.state, taken, now, s))
  if (input.kind === 'tick') {
    done = after(done, vehicles.tick(done.state, now, s))
    done = after(done, hotline.tick(done.state, now, s.hotlineMs))
  }
  return finish(after(done, alarms(done.state, now, s)), out, refused ?? undefined)
}

/** One thing done after another. */
function after(first: Done, next: Done): Done {
  return { state: next.state, events: [...first.events, ...next.events], say: [...(first.say ?? []), ...(next.say ?? [])] }
}

function heard(state: PairState, message: NumberedMessage, now: Now, s: PairSettings): Done {
  switch (message.kind) {
    case 'hand-over':
      return vehicles.handedOver(state, message, now, s)
    case 'arrived':
    case 'missing':
      return vehicles.heardOf(state, message)
    case 'message':
    case 'acknowledged':
      return hotline.heard(state, message, now)
  }
}

/** The other side was heard not long ago. */
export const isUp = ({ link: { session } }: PairState, now: LinkNow): boolean =>
  session.up && session.heardAt !== null && now.mono - session.heardAt < 3 * HELLO_MS

/** Alarms of the link itself: the other side is silent; its clock and ours differ. */
function alarms(state: PairState, now: Now, s: PairSettings): Done {
  const { session } = state.link
  const has = new Set(state.alarms)
  const events: PairEvent[] = []
  const set = (alarm: LinkAlarm, on: boolean | null, why: string) => {
    if (on === null || on === has.has(alarm)) return
    if (on) has.add(alarm)
    else has.delete(alarm)
    events.push({ type: 'alarm', change: on ? 'raised' : 'cleared', alarm, why })
  }
  const quiet = now.mono - (session.heardAt ?? session.since)
  const silent = quiet >= s.silentMs ? true : session.heardAt !== null && isUp(state, now) ? false : null
  const minutes = (ms: number) => String(Math.round(ms / 6_000) / 10)
  set(
    'peer-silent',
    silent,
    silent ? `${s.peer} was not heard for ${minutes(quiet)} min; what is for it is kept` : `${s.peer} is heard again`,
  )
  if (session.ahead !== null) {
    const far = Math.abs(session.ahead)
    const which = session.ahead > 0 ? 'ahead of' : 'behind'
    // Half of the limit to clear it: a clock at the limit would ring all day.
    const apart = far >= s.clockMs ? true : far < s.clockMs / 2 ? false : null
    set('peer-clock', apart, apart ? `the clock of ${s.peer} is ${minutes(far)} min ${which} ours` : 'the two clocks agree again')
  }
  if (events.length === 0) return { state, events }
  return { state: { ...state, alarms: [...has] }, events }
}
