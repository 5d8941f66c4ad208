/** What a lane's runner is given. */
import type { Barrier, Signal } from '../../firmware-bridge/driver.ts'
import type { DeclarationIndex } from '../identity/declarations.ts'
import type { Identity } from '../identity/identity.ts'
import type { ListIndex } from '../identity/lists.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Direction, LaneSettings, LaneTimings } from '../lane/model.ts'
import type { Facts } from '../rules/facts.ts'
import type { RuleSet } from '../rules/load.ts'
import type { Earlier, OtherLanes } from './decider.ts'
import type { Freshness } from './freshness.ts'
import type { Identifier } from './identifier.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { ClockQuality, Passage } from './passage.ts'
import type { Recorder } from './recorder.ts'
import type { Turns } from './turns.ts'

/** What may be exchanged while the lane runs: all of it at once, and only while it is idle. */
export interface LanePolicy {
  readonly timings: LaneTimings
  /** Time to live of a barrier command, ms. */
  readonly ttlMs: number
  readonly facts: Omit<Facts['lane'], 'direction'>
  readonly rules: RuleSet
}

export interface LaneRunnerOptions {
  readonly id: string
  readonly settings: LaneSettings
  readonly policy: LanePolicy
  readonly barrier: Barrier
  readonly signal: Signal | null
  readonly identifier: Identifier
  readonly recorder: Recorder
  readonly declarations: DeclarationIndex
  readonly lists: ListIndex
  /** `plates.lookalike` of the site file. */
  readonly lookalikes?: boolean
  /** How old they are; absent: not looked at. */
  readonly freshness?: () => Freshness
  /** What earlier passages say; absent: not looked at. */
  readonly earlier?: Earlier
  /** What the other half of a smart gate says of a vehicle; absent: there is none. */
  readonly peer?: ((identity: Identity, direction: Direction) => Facts['peer']) | undefined
  /** Keeps a picture; rejects or resolves to null when it can't be kept. */
  readonly keep: (passage: string, name: string, image: Uint8Array) => Promise<{ path: string; sha256: string } | null>
  /** Why no new vehicle may be let through just now (journal not writable), or null. */
  readonly inhibited: () => string | null
  readonly clock: Clock
  readonly clockQuality: () => ClockQuality
  readonly zone: Zone
  readonly log: Log
  /** Where vehicles may be sent; absent: a redirect names no lane. */
  readonly otherLanes?: OtherLanes
  /** Who is let in first where lanes lead into one place; absent: whoever may pass. */
  readonly turns?: Pick<Turns, 'ask'>
  /** Why the lane may not be turned by command, or null; absent: the core alone says. Settles within seconds. */
  readonly mayTurn?: (direction: Direction) => Promise<string | null>
  /** Called after every step. */
  readonly onChange: (runner: LaneRunner) => void
  /** Called with every passage event, for statistics and people's eyes. */
  readonly onPassage?: (type: string, passage: Passage) => void
}
