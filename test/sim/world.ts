/**
 * The simulated world: the other ends of all of a site's devices, and the trucks that move them. Tests, the demo and
 * `luong simulate` use the same one.
 */
import { buildSim, type SimDevices } from '../../firmware-bridge/build-sim.ts'
import type { DriverEntry } from '../../firmware-bridge/driver.ts'
import type { DeviceSpec, Links } from '../../firmware-bridge/plan.ts'
import type { SimLine } from '../../firmware-bridge/sim.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { type Painter, scenePainter } from './camera.ts'
import { warmUp } from './draw/picture.ts'
import { type Feed, MqttFeed } from './feed.ts'
import type { Places } from './geometry.ts'
import type { LaneHappening, LaneSim } from './lane.ts'
import { type OfficerOptions, OfficerSim } from './officer.ts'
import type { Scenario } from './scenario.ts'
import { Script, type ScriptHost } from './script.ts'
import { Site } from './site.ts'
import { type Arrival, Traffic, type TrafficOptions } from './traffic.ts'
import type { Truck } from './truck.ts'
import { type Truth, TruthLog, type VehicleTruth } from './truth.ts'

/** What the world needs of a loaded site (config/load.ts gives more). */
export interface WorldSite {
  readonly site: {
    readonly site: { readonly id: string; readonly root: string }
    readonly links: Links
    readonly lanes: Readonly<Record<string, WorldLane>>
  }
  readonly devices: ReadonlyMap<string, DeviceSpec>
}
export interface WorldLane {
  readonly direction: 'import' | 'export'
  readonly takes: readonly string[]
  readonly sensors: {
    readonly approach?: readonly string[] | undefined
    readonly presence: readonly string[]
    readonly curtain?: readonly string[] | undefined
    readonly exit?: readonly string[] | undefined
  }
  readonly barrier: string
  readonly light?: string | undefined
  readonly cameras: { readonly front: readonly string[]; readonly rear: readonly string[] }
  readonly scale?: string | undefined
  readonly tag?: string | undefined
  readonly code?: string | undefined
  readonly simulation?: Places | undefined
}

export interface WorldOptions {
  readonly clock: Clock
  readonly log: Log
  readonly seed: string | number
  /** The devices' end of each byte link. */
  readonly lineFor: (link: string) => SimLine
  /** The world's own connection to the site's broker; whoever made it starts and stops it. */
  readonly messages: MessageTransport
  /** Ordinary traffic; false: none. Default on, unless a scenario is given that says otherwise. */
  readonly traffic?: TrafficOptions | false
  readonly scenario?: Scenario
  /** The simulated exception desk; false (default): nobody answers. */
  readonly officer?: OfficerOptions | false
  /** Where declarations go; default: retained on the site's broker. */
  readonly feed?: Feed
  /** Makes the pictures; default: drawn scenes. */
  readonly painter?: Painter
  /** Frames a second while a truck comes into view. Default 3. */
  readonly fps?: number
  /** Vehicles kept in the truth log. Default 2,000. */
  readonly keep?: number
  readonly registry?: ReadonlyMap<string, DriverEntry>
}

export interface WorldEvent {
  readonly what: LaneHappening
  /** Clock ms (mono) and wall clock. */
  readonly at: number
  readonly time: number
  readonly lane: string
  readonly vehicle: VehicleTruth
  readonly truck: Truck
}

export interface World {
  start(): void
  /** Nothing moves any more; settles within a few seconds. */
  stop(): Promise<void>
  onEvent(fn: (event: WorldEvent) => void): () => void
  readonly truth: Truth
  /** Where declarations go. */
  readonly feed: Feed
  /** Resolves when the passages asked for, or the scene, are over, or the world was stopped. */
  readonly done: Promise<void>
  readonly devices: SimDevices
  readonly lanes: ReadonlyMap<string, LaneSim>
  /** Sends one more truck; returns its truth. */
  send(lane: string, arrival: Arrival): VehicleTruth
}

/** Seconds after a truck is gone until its declaration is withdrawn. */
const WITHDRAW_S = 30

/** Makes the simulated ends of all devices. Nothing moves before `start`. Rejects with CONFIG_INVALID on what the site file causes. */
export async function createWorld(loaded: WorldSite, options: WorldOptions): Promise<World> {
  const { clock, log, seed, messages } = options
  const { id, root } = loaded.site.site
  const base = `${root}/${id}`
  const devices = await buildSim({
    links: loaded.site.links,
    devices: loaded.devices,
    clock,
    log,
    lineFor: options.lineFor,
    messages,
    ...(options.registry ? { registry: options.registry } : {}),
  })
  if (!options.painter) await warmUp()
  const painter = options.painter ?? scenePainter(seed)
  const truth = new TruthLog(options.keep ?? 2_000)
  const events = new Listeners<[WorldEvent]>()
  const ownFeed = options.feed ? null : new MqttFeed(messages, base, log)
  const feed = options.feed ?? ownFeed!
  const withdrawals = new Set<Timer>()
  const site = new Site({
    loaded,
    devices,
    clock,
    log,
    truth,
    painter,
    fps: options.fps ?? 2,
    listen(lane, what, vehicle) {
      events.emit({ what, at: Math.round(clock.mono()), time: clock.now(), lane, vehicle: vehicle.truth, truck: vehicle.truck })
      if (what === 'left') gone(vehicle.truth)
    },
  })
  let numbers = 0
  let running = false
  let finish = () => {}
  let offBroker = () => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const trafficOn = options.traffic !== false && (options.scenario === undefined || options.scenario.traffic)
  const passages = options.traffic === false ? undefined : options.traffic?.passages
  let left = 0

  const gone = (vehicle: VehicleTruth) => {
    left++
    const declared = vehicle.declaration?.id
    if (declared !== undefined) {
      const timer = clock.after(WITHDRAW_S * 1000, () => {
        withdrawals.delete(timer)
        feed.withdraw(declared)
      })
      withdrawals.add(timer)
    }
    if (trafficOn && passages !== undefined && left >= passages + (script?.trucks ?? 0)) finish()
    script?.check()
  }

  const send = (lane: string, { truck, declaration, trouble, waiting }: Arrival): VehicleTruth => {
    const vehicle: VehicleTruth = {
      no: truck.no,
      lane,
      body: truck.body,
      length: truck.length,
      habit: truck.habit.name,
      plate: truck.front?.text ?? null,
      trailer: truck.body === 'rigid' ? null : (truck.rear?.text ?? null),
      weight_kg: truck.weight_kg,
      declaration,
      trouble,
      arrivedAt: Math.round(clock.mono()),
      stoppedAt: null,
      enteredAt: null,
      throughAt: null,
      goneAt: null,
      outcome: 'on-the-way',
    }
    site.lane(lane).add(truck, vehicle, waiting)
    return vehicle
  }

  const host: ScriptHost = { clock, feed, seed, site, nextNo: () => ++numbers, send }
  const script = options.scenario ? new Script(options.scenario, host, () => !trafficOn && finish()) : null
  const traffic = trafficOn
    ? new Traffic({
        traffic: options.traffic || {},
        clock,
        feed,
        seed,
        lanes: site.facts.filter((l) => !options.traffic || (options.traffic.direction ?? l.direction) === l.direction),
        waiting: (lane) => site.lane(lane).vehicles.length,
        arrive: (lane, arrival) => void send(lane, arrival),
        nextNo: () => ++numbers,
      })
    : null
  const officer = options.officer
    ? new OfficerSim({
        messages,
        base,
        clock,
        log,
        seed,
        officer: options.officer,
        sendBack: (lane) => site.lanes.get(lane)?.sendBack(2),
      })
    : null

  return {
    truth,
    feed,
    done,
    devices,
    lanes: site.lanes,
    send,
    onEvent: (fn) => events.add(fn),
    start() {
      if (running) return
      running = true
      devices.start()
      site.start()
      ownFeed?.start()
      officer?.start()
      // Nobody comes before the broker can be told of them.
      let begun = false
      offBroker = messages.onState((up) => {
        if (!up || begun) return
        begun = true
        traffic?.start()
        script?.start()
      })
    },
    async stop() {
      running = false
      offBroker()
      traffic?.stop()
      script?.stop()
      officer?.stop()
      site.stop()
      for (const timer of withdrawals) timer.cancel()
      withdrawals.clear()
      await ownFeed?.stop()
      await devices.stop()
      finish()
    },
  }
}
