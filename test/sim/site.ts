/** The lanes of a site with their simulated devices: what is wired to what. */
import type { SimDevices } from '../../firmware-bridge/build-sim.ts'
import { deviceOf } from '../../firmware-bridge/plan.ts'
import type { SimDevice } from '../../firmware-bridge/sim.ts'
import { wired } from '../../firmware-bridge/sim-terminal.ts'
import type { Clock } from '../../gateway/kernel/clock.ts'
import { LuongError } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { CameraSim, type Painter } from './camera.ts'
import { Contact } from './contact.ts'
import type { Breakable } from './faults.ts'
import { geometry } from './geometry.ts'
import { type LaneHappening, LaneSim, type Role } from './lane.ts'
import type { LaneFacts } from './traffic.ts'
import type { TruthLog } from './truth.ts'
import type { Vehicle } from './vehicle.ts'
import type { WorldLane, WorldSite } from './world.ts'

export interface SiteOptions {
  readonly loaded: WorldSite
  readonly devices: SimDevices
  readonly clock: Clock
  readonly log: Log
  readonly truth: TruthLog
  readonly painter: Painter
  readonly fps: number
  readonly listen: (lane: string, what: LaneHappening, vehicle: Vehicle) => void
}

export class Site {
  readonly lanes = new Map<string, LaneSim>()
  readonly breakables = new Map<string, Breakable>()
  readonly facts: readonly LaneFacts[]
  readonly #o: SiteOptions

  constructor(options: SiteOptions) {
    this.#o = options
    const lanes = Object.entries(options.loaded.site.lanes)
    for (const [id, settings] of lanes) this.#add(id, settings)
    this.facts = lanes.map(([id, l]) => ({
      id,
      direction: l.direction,
      takes: l.takes,
      scale: l.scale !== undefined,
      tag: l.tag !== undefined,
      code: l.code !== undefined,
    }))
  }

  start(): void {
    for (const lane of this.lanes.values()) lane.start()
    for (const { cameras } of this.breakables.values()) for (const c of cameras) c.sim.start()
  }

  stop(): void {
    for (const { cameras } of this.breakables.values()) for (const c of cameras) c.sim.stop()
    for (const lane of this.lanes.values()) lane.stop()
  }

  lane(id: string): LaneSim {
    const lane = this.lanes.get(id)
    if (!lane) throw new LuongError('CONFIG_INVALID', `there is no lane ${id}; there are ${[...this.lanes.keys()].join(', ')}`)
    return lane
  }

  /** A lane by id or number from 1, going round. */
  laneId(which: string | number): string {
    if (typeof which === 'string') return this.lane(which).id
    return [...this.lanes.keys()][(which - 1) % this.lanes.size]!
  }

  #add(id: string, settings: WorldLane): void {
    const { devices, clock, log, truth, painter, fps, listen } = this.#o
    const part = <K extends keyof SimDevice>(device: string, kind: K): NonNullable<SimDevice[K]> => {
      const found = devices.get(device)[kind]
      if (found === undefined) throw new LuongError('CONFIG_INVALID', `lane ${id}: device ${device} has no simulated ${kind}`)
      return found as NonNullable<SimDevice[K]>
    }
    const refs = (role: Role) => (settings.sensors[role] ?? []).map((ref) => this.#contact(ref))
    const places = geometry(settings.simulation)
    const cameras = (['front', 'rear'] as const).flatMap((side) =>
      settings.cameras[side].map((device) => ({
        side,
        device: devices.get(device),
        sim: new CameraSim({
          lane: id,
          side,
          device: part(device, 'camera'),
          geometry: places,
          vehicles: () => this.lane(id).vehicles,
          clock,
          log,
          painter,
          fps,
          night: () => isNight(clock.now()),
        }),
      })),
    )
    const ends = {
      sensors: { approach: refs('approach'), presence: refs('presence'), curtain: refs('curtain'), exit: refs('exit') },
      arm: part(settings.barrier, 'arm'),
      light: settings.light === undefined ? null : part(settings.light, 'light'),
      scale: settings.scale === undefined ? null : part(settings.scale, 'scale'),
      tag: settings.tag === undefined ? null : part(settings.tag, 'tag'),
      code: settings.code === undefined ? null : part(settings.code, 'code'),
    }
    const lane = new LaneSim({
      id,
      ends,
      geometry: places,
      clock,
      truth,
      listen: (what, vehicle) => listen(id, what, vehicle),
      onMove() {
        for (const c of cameras) c.sim.look()
      },
    })
    this.lanes.set(id, lane)
    const boards = new Set(Object.values(ends.sensors).flatMap((list) => list.map((c) => deviceOf(c.ref))))
    this.breakables.set(id, {
      ends,
      cameras,
      boards: [...boards].map((board) => devices.get(board)),
      scale: settings.scale === undefined ? null : devices.get(settings.scale),
      tag: settings.tag === undefined ? null : devices.get(settings.tag),
    })
  }

  /** An input as a cable: an input that the site file inverts is wired to a contact that opens on metal. */
  #contact(ref: string): Contact {
    const device = deviceOf(ref)
    const point = ref.slice(device.length + 1)
    const board = this.#o.devices.get(device).terminals
    if (!board) throw new LuongError('CONFIG_INVALID', `${ref}: device ${device} has no terminals to wire a sensor to`)
    return new Contact(ref, wired(board, point).set)
  }
}

/** Dark from six to six, by Indochina time (UTC+7), where the gates are. */
const isNight = (time: number): boolean => {
  const hour = Math.floor(time / 3_600_000 + 7) % 24
  return hour < 6 || hour >= 18
}
