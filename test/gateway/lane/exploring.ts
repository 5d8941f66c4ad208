/** What the exploration tests share: run it, check every transition, and say how a violation was reached. */
import { type Canonical, type Explored, explore, inputsFor } from '../../../gateway/lane/explore.ts'
import { type Transition, violations } from '../../../gateway/lane/invariants.ts'
import type { LaneInput, LaneSettings } from '../../../gateway/lane/model.ts'
import { type LaneState, laneEmpty } from '../../../gateway/lane/state.ts'
import { initial, step } from '../../../gateway/lane/step.ts'

export const nameOf = (s: LaneSettings): string =>
  ['presence', ...(['approach', 'curtain', 'exit', 'limits'] as const).filter((k) => s[k])].join('+')

/** Explores and collects violations, each with the shortest way to it. */
export function exploreAndCheck(
  settings: LaneSettings,
  also?: (t: Transition) => void,
  same?: Canonical,
): { explored: Explored; bad: string[] } {
  const found = new Map<string, { index: number; t: Transition }>()
  const explored = explore(
    settings,
    (t, index) => {
      for (const why of violations(t)) if (found.size < 20 && !found.has(why)) found.set(why, { index, t })
      also?.(t)
    },
    same,
  )
  const bad = [...found].map(
    ([why, { index, t }]) => `${why}\n  ${[...explored.path(index), t.input].map((i) => JSON.stringify(i)).join('\n  ')}`,
  )
  return { explored, bad }
}

/** Exploring may take long on a busy machine; a hang would still end. */
export const MINUTES = 300_000

/** Explores a lane, prints how much that was, and says all that is wrong: violations, dead ends, and disagreement with a random walk. */
export function exploreFrom(
  settings: LaneSettings,
  also?: (t: Transition) => void,
): { wrong: string[]; counts: { states: number; transitions: number } } {
  const { explored, bad } = exploreAndCheck(settings, also)
  const counts = { states: explored.states.length, transitions: explored.transitions }
  process.stdout.write(`${nameOf(settings)}: ${counts.states} states, ${counts.transitions} transitions\n`)
  const stuck = explored.states.findIndex((s) => wayHome(s, settings) === null)
  const dead = stuck < 0 ? [] : [`no way home after ${JSON.stringify(explored.path(stuck))}`]
  return { wrong: [...bad, ...dead, ...randomWalk(settings, explored, 3_000, 7)], counts }
}

/** What healthy devices, a driver who leaves and an officer at the desk would do next; null when the lane is idle. */
function healthy(s: LaneState): LaneInput | null {
  const at = 0
  if (s.phase === 'idle' && laneEmpty(s) && !s.wrongWay && !s.plan.closed && s.arm !== 'unknown') return null
  if (!s.started) return { kind: 'start', at, unfinished: false, closed: false, direction: 'import' }
  for (const role of ['presence', 'curtain', 'exit', 'approach'] as const) {
    if (s.sensors[role] !== false) return { kind: 'sensor', at, role, value: false }
  }
  if (s.motion && !s.paused && s.arm !== s.want) return { kind: 'barrier', at, position: s.want }
  if (!s.motion && s.phase !== 'fault' && (s.arm === 'unknown' || s.arm === 'moving')) return { kind: 'barrier', at, position: s.want }
  for (const timer of ['gap', 'retry', 'dwell', 'arm-open', 'authorised'] as const)
    if (s.timers.includes(timer)) return { kind: 'timer', at, timer }
  const command = { kind: 'command', at, id: `h${s.recent.length}`, by: 'officer', expired: false } as const
  if (s.phase === 'fault') return { ...command, do: 'close' }
  return { ...command, do: 'open-lane' }
}

/** How many healthy inputs it takes from `state` to idle; null when 40 are not enough. */
function wayHome(state: LaneState, settings: LaneSettings): number | null {
  let s = state
  for (let n = 0; n < 40; n++) {
    const input = healthy(s)
    if (input === null) return n
    s = step(s, input, settings)[0]
  }
  return null
}

/** A long random walk over any inputs, with real numbers and ids. Returns what went wrong, or a state that the exploration did not find. */
function randomWalk(settings: LaneSettings, explored: Explored, steps: number, seed: number): string[] {
  let s = initial(settings)
  let random = seed
  const next = (n: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((random / 2 ** 32) * n)
  }
  for (let i = 0; i < steps; i++) {
    const inputs = inputsFor(s, settings)
    let input = inputs[next(inputs.length)] as LaneInput
    if (input.kind === 'command') input = { ...input, id: `c${i}`, ...(input.passage === 1 ? { passage: s.next - 1 } : {}) }
    if (input.kind === 'decision' && input.passage === 1) input = { ...input, passage: s.next - 1 }
    const [after, actions] = step(s, input, settings)
    const bad = violations({ state: s, input, actions, next: after, settings })
    if (bad.length > 0) return [...bad]
    if (!explored.has(after)) return [`not explored: ${JSON.stringify(after)} after ${JSON.stringify(input)}`]
    s = after
  }
  return []
}
