/** Hotline: messages from desk to desk, each acknowledged by an officer by name, or escalated on both sides. Pure. */
import type { NumberedMessage } from '../uplink/schema/peer.ts'
import type { Done, Now, PairEvent } from './pair.ts'
import type { Note, PairState } from './state.ts'

export type DeskInput =
  /** An officer here writes to the other side's desk; `id` is that of the command. */
  | { readonly kind: 'message'; readonly id: string; readonly by: string; readonly text: string }
  /** An officer here has taken note: of a message from the other side, or of a vehicle that did not come or came otherwise. */
  | { readonly kind: 'acknowledge'; readonly about: string; readonly by: string; readonly answer: string }

/** Messages that wait for an officer, each way. */
const MOST_NOTES = 200

const key = (way: Note['way'], id: string) => `${way}:${id}`
const count = (state: PairState, way: Note['way']) => [...state.notes.values()].filter((n) => n.way === way).length
const told = (what: string, n: Note, more: { by?: string; text?: string } = {}): PairEvent => ({
  type: 'peer',
  what,
  data: { message: n.id, way: n.way, by: n.by, text: n.text, ...more },
})
const raise = (n: Note, minutes: number): PairEvent => ({
  type: 'alarm',
  change: 'raised',
  alarm: 'hotline-unanswered',
  about: n.id,
  why:
    n.way === 'in'
      ? `no officer here has acknowledged within ${minutes} min what ${n.by} wrote: ${n.text}`
      : `no officer of the other side has acknowledged within ${minutes} min what ${n.by} wrote: ${n.text}`,
})
const clear = (n: Note, by: string): PairEvent => ({
  type: 'alarm',
  change: 'cleared',
  alarm: 'hotline-unanswered',
  about: n.id,
  why: `acknowledged by ${by}`,
})

function put(state: PairState, note: Note): PairState {
  return { ...state, notes: new Map(state.notes).set(key(note.way, note.id), note) }
}

function without(state: PairState, note: Note): PairState {
  const notes = new Map(state.notes)
  notes.delete(key(note.way, note.id))
  return { ...state, notes }
}

/** @param most messages that may wait for the other side */
export function desk(state: PairState, input: DeskInput, now: Now, most: number): Done {
  if (input.kind === 'message') {
    if (state.link.waiting.size >= most || count(state, 'out') >= MOST_NOTES)
      return { state, events: [], answer: 'too much waits for the other side already; use the telephone' }
    const note: Note = { id: input.id, way: 'out', by: input.by, text: input.text, at: now.time, escalated: false }
    const written_at = new Date(now.wall).toISOString()
    return {
      state: put(state, note),
      events: [told('message', note)],
      say: [{ kind: 'message', message: note.id, by: note.by, text: note.text, written_at }],
      answer: null,
    }
  }
  const note = state.notes.get(key('in', input.about))
  if (!note) return { state, events: [], answer: `there is no message or hand-over ${input.about} that waits to be acknowledged here` }
  return {
    state: without(state, note),
    events: [told('acknowledged', note, { by: input.by, text: input.answer }), ...(note.escalated ? [clear(note, input.by)] : [])],
    say: [{ kind: 'acknowledged', message: note.id, by: input.by, answer: input.answer }],
    answer: null,
  }
}

/** The other side's desk has written, or has acknowledged. */
export function heard(state: PairState, m: Extract<NumberedMessage, { kind: 'message' | 'acknowledged' }>, now: Now): Done {
  if (m.kind === 'message') {
    // Where nobody has answered two hundred, the oldest gives way; it stays in the journal.
    const full = count(state, 'in') >= MOST_NOTES
    const oldest = full ? [...state.notes.values()].filter((n) => n.way === 'in').sort((a, b) => a.at - b.at)[0] : undefined
    const note: Note = { id: m.message, way: 'in', by: m.by, text: m.text, at: now.time, escalated: false }
    const gone = oldest?.escalated ? [clear(oldest, 'nobody: too many newer ones wait')] : []
    return { state: put(oldest ? without(state, oldest) : state, note), events: [...gone, told('message', note)] }
  }
  const note = state.notes.get(key('out', m.message))
  if (!note) return { state, events: [] }
  return {
    state: without(state, note),
    events: [told('acknowledged', note, { by: m.by, text: m.answer }), ...(note.escalated ? [clear(note, m.by)] : [])],
  }
}

/** Raises the alarm for what was not acknowledged in time. */
export function tick(state: PairState, now: Now, hotlineMs: number): Done {
  const late = [...state.notes.values()].filter((n) => !n.escalated && now.time - n.at >= hotlineMs)
  if (late.length === 0) return { state, events: [] }
  return {
    state: late.reduce((s, n) => put(s, { ...n, escalated: true }), state),
    events: late.map((n) => raise(n, Math.round(hotlineMs / 60_000))),
  }
}
