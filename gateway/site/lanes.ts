/** One lane of the site file as a running unit: its devices wired to its core. */
import type { LoadedSite } from '../../config/load.ts'
import type { Site } from '../../config/schema/site.ts'
import type { Devices } from '../../firmware-bridge/build.ts'
import type { Camera } from '../../firmware-bridge/driver.ts'
import type { PassageRow } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Direction } from '../lane/model.ts'
import type { RuleSet } from '../rules/load.ts'
import type { LaneState } from '../uplink/schema/up.ts'
import { laneFacts, laneSettings, laneTimings } from './derive.ts'
import type { Desk } from './desk.ts'
import type { Freshness } from './freshness.ts'
import { Identifier } from './identifier.ts'
import type { LanePolicy, LaneRunnerOptions } from './lane-options.ts'
import type { LanePlans } from './lane-plans.ts'
import { LaneRunner } from './lane-runner.ts'
import { newPassage, type Passage } from './passage.ts'
import { SensorWiring } from './sensors.ts'
import type { LaneReader } from './sightings.ts'

type LaneConfig = Site['lanes'][string]

export interface LanePlan {
  readonly closed: boolean
  readonly direction: Direction
}

export interface LaneUnitOptions
  extends Pick<
    LaneRunnerOptions,
    | 'id'
    | 'recorder'
    | 'declarations'
    | 'lists'
    | 'freshness'
    | 'earlier'
    | 'peer'
    | 'keep'
    | 'inhibited'
    | 'clock'
    | 'clockQuality'
    | 'zone'
    | 'log'
    | 'onChange'
    | 'onPassage'
    | 'otherLanes'
    | 'turns'
    | 'mayTurn'
  > {
  readonly config: LaneConfig
  readonly plates: Site['plates']
  readonly devices: Devices
  readonly loaded: LoadedSite
  readonly pool: ConstructorParameters<typeof Identifier>[0]['pool']
  readonly rules: RuleSet
  /** The passage that the last run left in this lane. */
  readonly unfinished: PassageRow | null
  /** As stored by `savePlan`, or undefined. */
  readonly plan: unknown
  readonly savePlan: (plan: LanePlan) => Promise<void>
}

export interface LaneUnit {
  readonly runner: LaneRunner
  readonly config: LaneConfig
  /** Devices of this lane, for its state. */
  readonly deviceIds: readonly string[]
  start(): void
  stop(): void
}

/** Time to wait for the trailer plate and for a tag once the front plate is sure, ms. */
const SETTLE_MS = 1_500

/** What of a lane may be exchanged while it runs. */
export function policyOf(id: string, config: LaneConfig, rules: RuleSet): LanePolicy {
  return {
    timings: laneTimings(config),
    ttlMs: config.timing.command_ttl_ms,
    facts: laneFacts(id, config),
    rules,
  }
}

export function makeLane(o: LaneUnitOptions): LaneUnit {
  const { id, config, devices, clock } = o
  const barrier = devices.get(config.barrier)
  const light = config.light === undefined ? null : devices.get(config.light)
  const cameras = (['front', 'rear'] as const).flatMap((position) =>
    config.cameras[position].flatMap((camera) => {
      const found: Camera | undefined = devices.get(camera).camera
      return found ? [{ id: camera, position, camera: found }] : []
    }),
  )
  const identifier = new Identifier({
    lane: id,
    cameras,
    scale: config.scale === undefined ? null : (devices.get(config.scale).scale ?? null),
    readers: readersOf(config, devices),
    pool: o.pool,
    clock,
    log: o.log,
    vote: { minFrames: o.plates.min_frames, minWeakest: o.plates.min_weakest },
    settleMs: SETTLE_MS,
  })
  let plan = storedPlan(o.plan, config.direction)
  const runner = new LaneRunner({
    ...o,
    lookalikes: o.plates.lookalike,
    settings: laneSettings(config, hasLimits(o.loaded, config.barrier)),
    policy: policyOf(id, config, o.rules),
    barrier: barrier.barrier ?? missingBarrier(config.barrier),
    signal: light?.signal ?? null,
    identifier,
    onChange: (r) => {
      const wanted = r.state.plan
      if (wanted.closed !== plan.closed || wanted.direction !== plan.direction) {
        plan = { closed: wanted.closed, direction: wanted.direction }
        o.savePlan(plan).catch(() => {})
      }
      o.onChange(r)
    },
  })
  const wiring = new SensorWiring({ config, devices, clock, onSensor: (role, value, at) => runner.sensor(role, value, at) })
  let offBarrier: (() => void) | null = null
  return {
    runner,
    config,
    deviceIds: laneDevices(o.loaded, config),
    start() {
      identifier.start()
      runner.start({
        unfinished: o.unfinished ? recalled(o.unfinished, config.direction, clock) : null,
        opened: o.unfinished !== null && o.unfinished.decidedAt !== null && o.unfinished.outcome === null,
        ...plan,
      })
      wiring.start()
      offBarrier = barrier.barrier?.onPosition((position, at) => runner.barrier(position, at)) ?? null
      if (barrier.barrier) runner.barrier(barrier.barrier.position(), clock.mono())
    },
    stop() {
      wiring.stop()
      offBarrier?.()
      runner.stop()
    },
  }
}

function readersOf(config: LaneConfig, devices: Devices): LaneReader[] {
  return (['tag', 'code'] as const).flatMap((kind) => {
    const id = config[kind]
    const reader = id === undefined ? undefined : devices.get(id)[kind]
    return id === undefined || reader === undefined ? [] : [{ id, kind, reader }]
  })
}

/** A lane whose barrier driver could not be made: every command fails, and says so. */
function missingBarrier(id: string): LaneRunnerOptions['barrier'] {
  const refuse = () => Promise.reject(new Error(`device ${id} is not a working barrier`))
  return { open: refuse, close: refuse, position: () => 'unknown', onPosition: () => () => {} }
}

function hasLimits(loaded: LoadedSite, barrier: string): boolean {
  const settings = loaded.devices.get(barrier)?.settings as { open_limit?: string; closed_limit?: string } | undefined
  return settings?.open_limit !== undefined || settings?.closed_limit !== undefined
}

function storedPlan(value: unknown, direction: Direction): LanePlan {
  const p = value as Partial<LanePlan> | undefined
  return { closed: p?.closed === true, direction: p?.direction === 'import' || p?.direction === 'export' ? p.direction : direction }
}

/** The passage that the last run left open, as far as the journal's projection knows it. */
function recalled(row: PassageRow, direction: Direction, clock: Clock): Passage {
  const way = row.direction === 'import' || row.direction === 'export' ? row.direction : direction
  const fresh = newPassage(0, row.lane, way, { at: row.arrivedAt, mono: clock.mono() - Math.max(0, clock.now() - row.arrivedAt) })
  return { ...fresh, id: row.id, historical: true }
}

function laneDevices(loaded: LoadedSite, config: LaneConfig): string[] {
  const ids = [config.barrier, config.light, config.scale, config.tag, config.code, ...config.cameras.front, ...config.cameras.rear]
  const refs = Object.values(config.sensors).flatMap((v) => v ?? [])
  const boards = refs.map((ref) => ref.split('.')[0]!)
  const all = [...new Set([...ids.filter((x): x is string => x !== undefined), ...boards])]
  return all.filter((id) => loaded.devices.has(id))
}

/**
 * Vehicles that wait at the lane, as far as its loops see: the one that is not let in yet, and the one on the approach behind a vehicle
 * that has driven through. Who stands farther back is not seen. Null without an approach loop, or while that is not known.
 */
export function queueOf(state: LaneRunner['state'], approach: boolean): number | null {
  if (!approach || state.sensors.approach === null) return null
  const { vehicle, phase } = state
  const waits = vehicle !== null && !vehicle.authorised
  const behind = (phase === 'clearing' || phase === 'closing') && !waits && state.sensors.approach === true
  return waits || behind ? 1 : 0
}

/** What others than the lane itself know of it. */
interface LaneAbout {
  readonly desk: ReturnType<Desk['of']>
  /** What it waits for, where lanes lead into one place; null: for no turn. */
  readonly turn: string | null
  readonly plan?: ReturnType<LanePlans['about']>
}

/** The retained state of a lane. */
export function laneState(
  unit: LaneUnit,
  { desk, turn, plan }: LaneAbout,
  devices: Devices,
  lists: Freshness,
  zone: Zone,
  now: number,
): LaneState {
  const { runner, config } = unit
  const { state } = runner
  const p = runner.passage
  return {
    phase: state.phase,
    direction: runner.direction,
    takes: runner.policy.facts.takes as LaneState['takes'],
    barrier: state.arm,
    light: config.light === undefined ? null : (runner.light ?? 'off'),
    devices: Object.fromEntries(
      unit.deviceIds.map((id) => {
        const { state: health, why } = devices.get(id).health()
        return [id, { ok: health === 'ok', ...(why ? { why: why.slice(0, 300) } : {}) }]
      }),
    ),
    queue: queueOf(state, config.sensors.approach !== undefined),
    passage: p
      ? {
          id: p.id,
          plate: p.identity?.plate ?? p.plates[0]?.text ?? null,
          arrived: zone.format(p.arrived.at),
          ...(p.decision ? { outcome: p.decision.outcome } : {}),
          ...(p.decision?.lane ? { lane: p.decision.lane } : {}),
          ...(desk?.by ? { taken_by: desk.by } : {}),
        }
      : null,
    alarms: [...runner.alarms, ...(desk?.escalated ? ['desk-unattended'] : [])],
    lists: { stale: lists.stale, contact: lists.contact === null ? null : zone.format(lists.contact) },
    ...(plan ? { plan } : {}),
    ...(runner.fault ? { why: runner.fault } : turn ? { why: turn.slice(0, 500) } : {}),
    at: zone.format(now),
  }
}
