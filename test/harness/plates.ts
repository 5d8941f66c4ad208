/** Plates as the vote gives them, for tests and benches that need no pictures. */
import type { VotedPlate } from '../../gateway/identity/identity.ts'

/** A sure yellow front plate read four times; `over` is what is otherwise. */
export function votedPlate(text: string, over: Partial<VotedPlate> = {}): VotedPlate {
  return {
    text,
    country: /^\p{Script=Han}/u.test(text) ? 'cn' : 'vn',
    colour: 'yellow',
    lines: 1,
    position: 'front',
    frames: 4,
    confidence: 0.93,
    weakest: 0.97,
    sure: true,
    readings: [text],
    ...over,
  }
}
