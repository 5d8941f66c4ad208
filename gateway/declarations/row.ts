/** One declaration as a file has it, before the schema has looked at it. */
import type { Place } from './utf8.ts'

/** A declaration is smaller than a message may be. */
export const MAX_ROW_CHARS = 64 * 1024

export interface RowProblem extends Place {
  /** Column of a table, or key path. */
  readonly path: string
  readonly message: string
  readonly hint?: string
}

export interface Row extends Place {
  /** Plain data; undefined when it could not be read. */
  readonly value: unknown
  /** What is wrong with its form. */
  readonly problems: readonly RowProblem[]
  /** Where a value stands, and what it is called there. */
  place(path: readonly PropertyKey[]): Place & { readonly path: string }
}

/** Says what is wrong with the file outside its rows. */
export type Tell = (problem: RowProblem) => void
