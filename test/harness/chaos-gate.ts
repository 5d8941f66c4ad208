/** A busy gate outside of the gateway: the simulated world over TCP with its own trucks, and an officer who looks at lane states. */

import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { listenLine, type OpenSimLine } from '../../firmware-bridge/transport/sim-line.ts'
import type { MessageTransport } from '../../firmware-bridge/transport/transport.ts'
import { type Clock, systemClock, type Timer } from '../../gateway/kernel/clock.ts'
import type { Painter } from '../sim/camera.ts'
import { MqttFeed } from '../sim/feed.ts'
import { between, chance, type Rng, rng } from '../sim/random.ts'
import { announce, makeArrival, type TrafficOptions } from '../sim/traffic.ts'
import { HABITS, type Habit } from '../sim/truck.ts'
import { createWorld, type World, type WorldSite } from '../sim/world.ts'
import type { Collector } from './chaos-process.ts'
import { quiet } from './chaos-site.ts'

export interface GateOptions {
  readonly loaded: WorldSite
  readonly brokerUrl: string
  readonly bus: OpenSimLine
  readonly seed: string | number
  readonly painter?: Painter
  readonly fps?: number
  readonly traffic?: TrafficOptions
  /** Seconds between two trucks of one lane, at least and at most. */
  readonly gap_s?: readonly [number, number]
  readonly habit?: Habit
}

/** Sends trucks as long as it is told to, so that a test can let the lanes run empty at its end. */
export class Gate {
  readonly world: World
  readonly messages: MessageTransport
  /** Wall clock minus the world's clock, ms. */
  readonly offset = Date.now() - systemClock.mono()
  readonly #feed: MqttFeed
  readonly #o: GateOptions
  readonly #r: Rng
  readonly #clock: Clock = systemClock
  readonly #timers = new Set<Timer>()
  #sending = true
  #no = 0

  private constructor(o: GateOptions, world: World, messages: MessageTransport, feed: MqttFeed) {
    this.#o = o
    this.world = world
    this.messages = messages
    this.#feed = feed
    this.#r = rng(o.seed, 'gate')
  }

  static async make(o: GateOptions): Promise<Gate> {
    const messages = mqttTransport({ name: 'world', url: o.brokerUrl, clock: systemClock, log: quiet })
    const { site } = o.loaded.site
    const feed = new MqttFeed(messages, `${site.root}/${site.id}`, quiet)
    const world = await createWorld(o.loaded, {
      clock: systemClock,
      log: quiet,
      seed: o.seed,
      lineFor: () => o.bus.line,
      messages,
      feed,
      traffic: false,
      ...(o.painter ? { painter: o.painter } : {}),
      ...(o.fps === undefined ? {} : { fps: o.fps }),
    })
    return new Gate(o, world, messages, feed)
  }

  start(): void {
    this.messages.start()
    this.#feed.start()
    this.world.start()
    for (const [i, [id, l]] of Object.entries(this.#o.loaded.site.lanes).entries())
      this.#later(0.3 + i, () => this.#next({ id, direction: l.direction, takes: l.takes, scale: l.scale !== undefined }))
  }

  /** No more trucks come. */
  enough(): void {
    this.#sending = false
  }

  get empty(): boolean {
    return [...this.world.lanes.values()].every((l) => l.vehicles.length === 0)
  }

  #later(seconds: number, fn: () => void): void {
    const timer = this.#clock.after(seconds * 1000, () => {
      this.#timers.delete(timer)
      fn()
    })
    this.#timers.add(timer)
  }

  #next(lane: Parameters<typeof makeArrival>[1]): void {
    if (!this.#sending) return
    const [least, most] = this.#o.gap_s ?? [3, 9]
    const busy = this.world.lanes.get(lane.id)!.vehicles.length >= 2
    if (!busy) {
      const arrival = makeArrival(++this.#no, lane, this.#clock.now(), this.#r, this.#o.traffic ?? {}, this.#o.habit ?? HABITS.brisk)
      announce(this.#feed, arrival)
      this.#later(1, () => this.world.send(lane.id, arrival))
    }
    this.#later(between(this.#r, least, most), () => this.#next(lane))
  }

  async stop(): Promise<void> {
    this.enough()
    for (const t of this.#timers) t.cancel()
    await this.world.stop()
    await this.#feed.stop()
    await this.messages.stop()
  }
}

/** An officer who sees the lanes' states only: lets most waiting trucks through, sends some back, closes arms that were left open. */
export function desk(collector: Collector, gate: Gate, base: string, seed: string): () => void {
  const r = rng(seed, 'desk')
  const since = new Map<string, { key: string; at: number }>()
  let n = 0
  const command = (lane: string, what: string, extra: object = {}) =>
    collector
      .publish(`${base}/command`, {
        id: `${seed}-${++n}`,
        lane,
        do: what,
        by: 'desk',
        reason: 'test',
        expires: new Date(Date.now() + 20_000).toISOString(),
        ...extra,
      })
      .catch(() => {})
  const look = () => {
    for (const [lane, state] of collector.lanes) {
      const passage = state.passage as { id: string; outcome?: string } | null
      const key = `${state.phase} ${state.barrier} ${passage?.id}`
      const known = since.get(lane)
      if (known?.key !== key) {
        since.set(lane, { key, at: Date.now() })
        continue
      }
      if (Date.now() - known.at < 2_500) continue
      known.at = Date.now()
      if (state.phase === 'fault') void command(lane, 'close')
      else if (state.phase === 'waiting' && passage) {
        if (chance(r, 0.7)) void command(lane, 'open', { passage: passage.id })
        else {
          void command(lane, 'refuse', { passage: passage.id })
          gate.world.lanes.get(lane)?.sendBack(1)
        }
      }
    }
  }
  const timer = setInterval(look, 500)
  return () => clearInterval(timer)
}

export { listenLine }
