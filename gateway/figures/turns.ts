/** How vehicles were called where lanes lead into one place: how long they waited for their turn, and who was overtaken. */
import type { JournalReader } from '../journal/reader.ts'
import { type Summary, summary } from './summary.ts'

/** What an event *called* says. */
export interface TurnTold {
  readonly first: boolean
  readonly overtaken: number
  readonly before: readonly string[]
  readonly waited_s: number
}

export interface TurnFigures {
  /** Seconds between decision and call of those who had to wait: who goes before others, and who does not. */
  readonly first: Summary
  readonly other: Summary
  /** Vehicles that were called before one that had come earlier. */
  readonly went_before: number
  /** Most often that one vehicle was overtaken. */
  readonly most_overtaken: number
}

export function turnFigures(told: readonly TurnTold[]): TurnFigures {
  const waited = (first: boolean) =>
    summary(
      told.filter((t) => t.first === first).map((t) => t.waited_s),
      1,
    )
  return {
    first: waited(true),
    other: waited(false),
    went_before: told.filter((t) => t.before.length > 0).length,
    most_overtaken: Math.max(0, ...told.map((t) => t.overtaken)),
  }
}

/** Of passages that arrived in [from, to), wall-clock ms. */
export function turnsTold({ db }: JournalReader, from: number, to: number): TurnTold[] {
  return db
    .prepare<[number, number], string>(
      `SELECT json_extract(e.text, '$.data.turn') FROM passages p
       JOIN entries e ON e.passage = p.id AND e.type = 'luong.passage.called.v1'
       WHERE p.arrived_at >= ? AND p.arrived_at < ? ORDER BY e.id`,
    )
    .pluck()
    .all(from, to)
    .map((text) => JSON.parse(text) as TurnTold)
}
