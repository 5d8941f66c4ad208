/** The lane's cameras: pictures of the truck in view, a few a second, fewer when it stands there for long. */
import type { SimDevice } from '../../firmware-bridge/sim.ts'
import type { Clock, Timer } from '../../gateway/kernel/clock.ts'
import { messageOf } from '../../gateway/kernel/errors.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { frame, type PictureSize, QHD, type Still, still } from './draw/picture.ts'
import type { Geometry } from './geometry.ts'
import type { Vehicle } from './vehicle.ts'

export type CameraSide = 'front' | 'rear'

/** What a camera takes a picture of. */
export interface Shot {
  readonly lane: string
  readonly side: CameraSide
  readonly vehicle: Vehicle
  /** Running number of this camera's frame of this vehicle, from 0. */
  readonly number: number
  /** 0 far … 1 at the stop line. */
  readonly near: number
  readonly night: boolean
}

/** Makes the picture of a shot, encoded. */
export type Painter = (shot: Shot) => Promise<Uint8Array>

/** Stills kept: more than trucks are in view at once. When there are more, the oldest is drawn again. */
const STILLS = 12

/** Draws with test/sim/draw. Frames of one vehicle are cut from one still. */
export function scenePainter(seed: string | number, size: PictureSize = QHD): Painter {
  const stills = new Map<string, Promise<Still>>()
  return async (shot) => {
    const { truck } = shot.vehicle
    const key = `${truck.no} ${shot.side} ${shot.night}`
    const made =
      stills.get(key) ??
      still(
        {
          plate: shot.side === 'front' ? truck.front : truck.rear,
          ...(shot.side === 'front' && truck.second ? { second: truck.second } : {}),
          side: shot.side,
          night: shot.night,
        },
        `${seed} ${key}`,
        size,
      )
    stills.delete(key)
    stills.set(key, made)
    if (stills.size > STILLS) stills.delete(stills.keys().next().value!)
    return frame(await made, `${seed} ${key} ${shot.number}`, shot.near)
  }
}

export interface CameraOptions {
  readonly lane: string
  readonly side: CameraSide
  readonly device: NonNullable<SimDevice['camera']>
  readonly geometry: Geometry
  readonly vehicles: () => readonly Vehicle[]
  readonly clock: Clock
  readonly log: Log
  readonly painter: Painter
  /** Frames a second while a truck comes into view. */
  readonly fps: number
  readonly night: () => boolean
}

/** Full rate for this many frames of a vehicle, then one in two seconds, then none. */
const EAGER = 10
const LAST = 60

export class CameraSim {
  /** No more pictures, as from a broken camera. */
  dead = false
  readonly #o: CameraOptions
  #timer: Timer | null = null
  #busy = false
  #of = 0
  #number = 0
  #running = false

  constructor(options: CameraOptions) {
    this.#o = options
  }

  start(): void {
    this.#running = true
  }

  stop(): void {
    this.#running = false
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Something moved: is a truck in view now? */
  look(): void {
    if (!this.#running || this.#timer !== null) return
    const vehicle = this.#inView()
    if (!vehicle) return
    if (vehicle.truck.no !== this.#of) {
      this.#of = vehicle.truck.no
      this.#number = 0
    }
    if (this.#number >= LAST) return
    const pause = this.#number < EAGER ? 1000 / this.#o.fps : 2_000
    this.#shoot(vehicle)
    this.#timer = this.#o.clock.after(pause, () => {
      this.#timer = null
      this.look()
    })
  }

  #inView(): Vehicle | undefined {
    const [from, to] = this.#o.side === 'front' ? this.#o.geometry.frontView : this.#o.geometry.rearView
    return this.#o.vehicles().find((v) => v.heading === 1 && v.x > from && v.x < to)
  }

  #shoot(vehicle: Vehicle): void {
    // One picture at a time: a camera whose link is slow leaves pictures out.
    if (this.dead || this.#busy) return
    this.#busy = true
    const { clock, log, painter, lane, side, geometry, device } = this.#o
    const [from] = geometry.frontView
    const shot: Shot = {
      lane,
      side,
      vehicle,
      number: this.#number++,
      near: Math.min(1, Math.max(0, (vehicle.x - from) / -from)),
      night: this.#o.night(),
    }
    const work = painter(shot)
      .then((picture) => device.send(picture))
      .catch((error) => log.debug({ lane, side, err: messageOf(error) }, 'a picture did not get through'))
      .finally(() => {
        this.#busy = false
      })
    void clock.track(work)
  }
}
