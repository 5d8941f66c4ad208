/** The running lanes as plans and other lanes see them. */
import type { LoadedSite } from '../../config/load.ts'
import type { Journal } from '../journal/journal.ts'
import type { OtherLane } from '../rules/redirect.ts'
import type { LaneRunnerOptions } from './lane-options.ts'
import { LanePlans, type LanePlansOptions, type PlannedLane, storedSwitch, type TurnAgreement } from './lane-plans.ts'
import type { LaneUnit } from './lanes.ts'
import { Turns, type TurnsOptions } from './turns.ts'

type PlanParts = Pick<LanePlansOptions, 'clock' | 'clockQuality' | 'zone' | 'log' | 'changed'> & {
  readonly journal: () => Journal
  readonly recorder: () => LaneRunnerOptions['recorder']
}

/** The lane plans of a site, over its running lanes. */
export function sitePlans(
  { site, devices }: LoadedSite,
  lanes: ReadonlyMap<string, LaneUnit>,
  agreement: TurnAgreement | null,
  { journal, recorder, ...parts }: PlanParts,
): LanePlans {
  const limit = (barrier: string) => (devices.get(barrier)?.settings as { closed_limit?: string } | undefined)?.closed_limit !== undefined
  const planned = ({ runner, config }: LaneUnit): PlannedLane => ({ runner, direction: config.direction, limit: limit(config.barrier) })
  return new LanePlans({
    ...parts,
    ...storedSwitch(journal),
    config: site.lane_plan,
    lanes: () => new Map([...lanes].map(([id, unit]) => [id, planned(unit)])),
    agreement,
    record: (entries) => recorder().record(entries),
  })
}

/** Whose turn it is where lanes lead into one place, over the running lanes. */
export function siteTurns(
  { calling }: Pick<LoadedSite['site'], 'calling'>,
  lanes: ReadonlyMap<string, LaneUnit>,
  { recorder, ...parts }: Omit<TurnsOptions, 'groups' | 'runner' | 'record'> & Pick<PlanParts, 'recorder'>,
): Turns {
  return new Turns({
    ...parts,
    groups: calling,
    runner: (lane) => lanes.get(lane)?.runner,
    record: (entries) => recorder().record(entries),
  })
}

/** A lane as the others see it, when they send a vehicle to it. */
export function otherLane({ runner }: LaneUnit, coming: number): OtherLane {
  const { phase, plan, wrongWay, vehicle } = runner.state
  const working = phase !== 'closed' && phase !== 'fault' && phase !== 'starting'
  return {
    facts: { ...runner.policy.facts, direction: runner.direction },
    open: working && !plan.closed && plan.direction === runner.direction && !wrongWay,
    queue: (vehicle ? 1 : 0) + coming,
  }
}
