/**
 * A lane that is never idle: one truck after the other at the terminals of the simulated board, and something that comes under
 * the closing arm. Shorter than real trucks, so that a few minutes hold hundreds of commands.
 */
import type { LoadedSite } from '../../config/load.ts'
import type { SimDevices } from '../../firmware-bridge/build-sim.ts'
import { sleep, systemClock } from '../../gateway/kernel/clock.ts'
import type { Feed } from '../sim/feed.ts'
import { rng } from '../sim/random.ts'
import { type Arrival, announce, makeArrival } from '../sim/traffic.ts'

export interface BusyLaneOptions {
  readonly id: string
  readonly loaded: LoadedSite
  readonly devices: SimDevices
  readonly feed: Feed
  /** Trucks that come in turn, again and again. */
  readonly trucks: readonly Arrival[]
  /** Times that something comes under the closing arm, per truck. */
  readonly reopens: number
  /** A truck comes, or the one that came is gone (null). */
  readonly onTruck: (arrival: Arrival | null) => void
}

const OPEN_MS = 25_000
const CLOSE_MS = 8_000

/** Ordinary declared trucks for a lane; what is wrong with trucks is not measured here. */
export function trucksFor(loaded: LoadedSite, id: string, count: number): Arrival[] {
  const lane = loaded.site.lanes[id]!
  const facts = { id, direction: lane.direction, takes: lane.takes, scale: lane.scale !== undefined }
  const r = rng('bench', id)
  const base = 1 + 1_000 * Object.keys(loaded.site.lanes).indexOf(id)
  return Array.from({ length: count }, (_, i) => makeArrival(base + i, facts, Date.now(), r, { trouble: 0 }))
}

export class BusyLane {
  readonly #o: BusyLaneOptions
  readonly #set: (role: 'approach' | 'presence' | 'curtain' | 'exit', on: boolean) => void
  /** Trucks that went through, and trucks that nobody opened for. */
  passed = 0
  refused = 0
  #running = false
  #loop: Promise<void> = Promise.resolve()

  constructor(options: BusyLaneOptions) {
    this.#o = options
    const { sensors } = options.loaded.site.lanes[options.id]!
    this.#set = (role, on) => {
      for (const ref of sensors[role] ?? []) {
        const [device, point] = ref.split('.')
        options.devices.get(device!).terminals!.setInput(point!, on)
      }
    }
  }

  start(): void {
    this.#running = true
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#loop
  }

  async #run(): Promise<void> {
    const { feed, trucks, onTruck } = this.#o
    for (let i = 0; this.#running; i++) {
      const arrival = trucks[i % trucks.length]!
      announce(feed, arrival)
      // The cameras have seen an empty lane before.
      await wait(500)
      onTruck(arrival)
      await this.#truck(arrival)
      onTruck(null)
      if (arrival.declaration) feed.withdraw(arrival.declaration.id)
    }
  }

  async #truck(arrival: Arrival): Promise<void> {
    const { loaded, devices, id, reopens } = this.#o
    const lane = loaded.site.lanes[id]!
    const arm = devices.get(lane.barrier).arm!
    const scale = lane.scale === undefined ? undefined : devices.get(lane.scale).scale
    scale?.setLoad(arrival.truck.weight_kg)
    this.#set('approach', true)
    const opened = await until(() => arm.opening === 1 || !this.#running, OPEN_MS)
    if (!opened || !this.#running) {
      this.refused++
      this.#set('approach', false)
      scale?.setLoad(0)
      return wait(1_500)
    }
    await wait(150)
    await this.#through()
    scale?.setLoad(0)
    for (let i = 0; i < reopens && this.#running; i++) {
      // It comes down: something drives under it.
      if (!(await until(() => arm.opening < 0.95, CLOSE_MS))) break
      await wait(60 + 40 * (i % 5))
      this.#set('presence', true)
      await until(() => arm.opening === 1, CLOSE_MS)
      await wait(200)
      this.#set('presence', false)
    }
    await until(() => arm.opening === 0, CLOSE_MS)
    this.passed++
    await wait(300)
  }

  /** Over the loops, in driving order. */
  async #through(): Promise<void> {
    this.#set('presence', true)
    await wait(120)
    this.#set('curtain', true)
    await wait(120)
    this.#set('exit', true)
    this.#set('approach', false)
    await wait(220)
    this.#set('presence', false)
    await wait(60)
    this.#set('curtain', false)
    await wait(200)
    this.#set('exit', false)
  }
}

const wait = (ms: number) => sleep(systemClock, ms)

async function until(done: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms
  while (!done()) {
    if (performance.now() > end) return false
    await wait(10)
  }
  return true
}
