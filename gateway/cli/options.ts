/** Option parsers shared by the commands: what is wrong is said with the option's name. */
import { InvalidArgumentError } from 'commander'

export const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

export function level(text: string): (typeof LEVELS)[number] {
  const found = LEVELS.find((l) => l === text)
  if (!found) throw new InvalidArgumentError(`It must be one of ${LEVELS.join(', ')}`)
  return found
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (!Number.isInteger(n) || n < min || n > max) throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}`)
    return n
  }
}

/** A number above 0, at most `max`. */
export function positive(max: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (!(n > 0 && n <= max)) throw new InvalidArgumentError(`It must be a number above 0, at most ${max}`)
    return n
  }
}
