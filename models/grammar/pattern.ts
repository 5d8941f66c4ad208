/** Plate syntaxes as rows of character cells, and the automaton the decoder walks along. Pure. */
import type { PlateCountry } from '../plate.ts'

export const DIGITS = '0123456789'
export const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** One fixed-length syntax: the characters allowed at each position. */
export interface Pattern {
  readonly country: PlateCountry
  readonly kind: string
  readonly cells: readonly string[]
  /** Where the text may break when the plate has two lines: lengths of the first line. */
  readonly breaks: readonly number[]
  /** How likely this syntax is against the others before anything was read, 0…1. */
  readonly weight: number
}

/** `n` times the same cell. */
export const times = (n: number, cell: string): string[] => Array.from({ length: n }, () => cell)

/** Whether `text` is a text of this pattern. */
export function matches(pattern: Pattern, text: string): boolean {
  const chars = [...text]
  return chars.length === pattern.cells.length && chars.every((c, i) => pattern.cells[i]!.includes(c))
}

export interface State {
  /** Characters that lead into this state. */
  readonly cell: string
  readonly next: number[]
  /** The first line of a two-line plate may end here. */
  breaks: boolean
  /** Patterns that are complete here, likeliest first. */
  readonly accepts: Pattern[]
}

/** States of all patterns with equal beginnings shared; state 0 is the start. */
export interface Automaton {
  readonly states: readonly State[]
}

/** Builds the automaton: a trie whose edges are cells. */
export function compile(patterns: readonly Pattern[]): Automaton {
  const states: State[] = [{ cell: '', next: [], breaks: false, accepts: [] }]
  for (const pattern of patterns) {
    let at = 0
    pattern.cells.forEach((cell, i) => {
      let to = states[at]!.next.find((n) => states[n]!.cell === cell)
      if (to === undefined) {
        to = states.push({ cell, next: [], breaks: false, accepts: [] }) - 1
        states[at]!.next.push(to)
      }
      at = to
      if (pattern.breaks.includes(i + 1)) states[at]!.breaks = true
    })
    states[at]!.accepts.push(pattern)
    states[at]!.accepts.sort((a, b) => b.weight - a.weight)
  }
  return { states }
}
