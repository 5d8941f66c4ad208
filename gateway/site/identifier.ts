/**
 * Finds out who stands at the lane: feeds the lane's pictures to the reader pool while a vehicle is there, votes over the reads,
 * and says when it knows enough or when its time is up. It goes on while the truck stands still.
 */
import type { Camera, Frame, Scale } from '../../firmware-bridge/driver.ts'
import type { ReaderPool } from '../../models/plate.ts'
import type { Seen, VotedPlate } from '../identity/identity.ts'
import { addReads, emptyVote, tally, type VoteOptions } from '../identity/vote.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { type LaneReader, Sightings } from './sightings.ts'

type Position = 'front' | 'rear'

export interface IdentifierOptions {
  readonly lane: string
  readonly cameras: readonly { readonly id: string; readonly position: Position; readonly camera: Camera }[]
  readonly scale: Scale | null
  /** Tag readers and code scanners of the lane. */
  readonly readers: readonly LaneReader[]
  readonly pool: Pick<ReaderPool, 'submit'>
  readonly clock: Clock
  readonly log: Log
  readonly vote: VoteOptions
  /** Time to wait for a sure rear plate and for a tag once the front plate is sure, ms. */
  readonly settleMs: number
}

/** What is known when the rules are asked. */
export interface Findings {
  readonly plates: readonly VotedPlate[]
  readonly weight_kg: number | null
  /** Strongest first. */
  readonly tags: readonly Seen[]
  readonly codes: readonly Seen[]
  /** Pictures that show the plates best, one a camera. */
  readonly pictures: readonly { readonly camera: string; readonly image: Uint8Array }[]
}

/** A picture that came this long before the vehicle was noticed shows it already. */
const BEFORE_MS = 400
/** No vehicle weighs less, kg: it does not stand on the scale, and must not be taken for an empty truck. */
const LEAST_KG = 500
/** A camera that can be asked for pictures is asked this often. */
const TRIGGER_MS = 400

export class Identifier {
  readonly #o: IdentifierOptions
  readonly #last = new Map<string, Frame>()
  #capture: Capture | null = null
  readonly #unsubscribe: (() => void)[] = []

  constructor(options: IdentifierOptions) {
    this.#o = options
  }

  start(): void {
    for (const { id, position, camera } of this.#o.cameras)
      this.#unsubscribe.push(
        camera.onFrame((frame) => {
          this.#last.set(id, frame)
          this.#capture?.frame(id, position, frame)
        }),
      )
  }

  stop(): void {
    this.end()
    for (const off of this.#unsubscribe.splice(0)) off()
    this.#last.clear()
  }

  /** Looks at the vehicle until {@link end}; `done` is called once, at the latest after `limitMs`. */
  begin(limitMs: number, done: (findings: Findings) => void): void {
    this.end()
    this.#capture = new Capture(this.#o, limitMs, done)
    const since = this.#o.clock.mono() - BEFORE_MS
    for (const { id, position } of this.#o.cameras) {
      const frame = this.#last.get(id)
      if (frame && frame.at >= since) this.#capture.frame(id, position, frame)
    }
  }

  end(): void {
    this.#capture?.end()
    this.#capture = null
  }
}

class Capture {
  readonly #o: IdentifierOptions
  readonly #done: (findings: Findings) => void
  readonly #best = new Map<string, { image: Uint8Array; score: number }>()
  readonly #timers: Timer[] = []
  readonly #reading = new Set<string>()
  /** Cameras whose next picture gets a closer look. */
  readonly #closer = new Set<string>()
  readonly #next = new Map<string, Frame>()
  readonly #offScale: (() => void) | null
  readonly #sightings: Sightings
  #vote = emptyVote
  #settling = false
  #settled = false
  #over = false

  constructor(options: IdentifierOptions, limitMs: number, done: (findings: Findings) => void) {
    this.#o = options
    this.#done = done
    this.#timers.push(options.clock.after(limitMs, () => this.#conclude()))
    this.#offScale = options.scale?.onWeight(() => this.#look()) ?? null
    this.#sightings = new Sightings(options.readers, () => this.#look())
    this.#trigger()
  }

  #trigger(): void {
    if (this.#over) return
    let any = false
    for (const { camera } of this.#o.cameras)
      if (camera.trigger) {
        camera.trigger()
        any = true
      }
    if (any) this.#timers.push(this.#o.clock.after(TRIGGER_MS, () => this.#trigger()))
  }

  frame(camera: string, position: Position, frame: Frame): void {
    if (this.#over) return
    // Where nothing was read the first picture is kept all the same: an officer wants to see what the camera saw.
    if (!this.#best.has(camera)) this.#best.set(camera, { image: frame.image, score: -1 })
    // One picture of each camera is read at a time and the newest waits: old ones are of no use, and other lanes want their turn.
    if (this.#reading.has(camera)) this.#next.set(camera, frame)
    else if (!this.#sure(position)) this.#read(camera, position, frame)
  }

  #read(camera: string, position: Position, frame: Frame): void {
    this.#reading.add(camera)
    this.#o.clock
      .track(this.#o.pool.submit(camera, frame.image, { quick: !this.#closer.has(camera) }))
      .then((result) => {
        if (this.#over) return
        // No plate at the first look: every other picture is worth a closer one.
        if (result.plates.length === 0 && !this.#closer.has(camera)) this.#closer.add(camera)
        else this.#closer.delete(camera)
        this.#vote = addReads(this.#vote, position, result.plates)
        const score = result.plates[0]?.confidence ?? -1
        if (score > (this.#best.get(camera)?.score ?? -2)) this.#best.set(camera, { image: frame.image, score })
        this.#look()
      })
      .catch((error: unknown) => {
        // Dropped for a newer picture, or stopping: nothing to say. Anything else is the camera's or the model's fault.
        if (error instanceof LuongError && (error.code === 'QUEUE_FULL' || error.code === 'STOPPED')) return
        this.#o.log.warn({ lane: this.#o.lane, camera, err: messageOf(error) }, 'a picture could not be read')
      })
      .finally(() => {
        this.#reading.delete(camera)
        const next = this.#next.get(camera)
        this.#next.delete(camera)
        if (next) this.frame(camera, position, next)
      })
  }

  #plates(): VotedPlate[] {
    return tally(this.#vote, this.#o.vote)
  }

  #sure(position: Position, plates = this.#plates()): boolean {
    return plates.some((p) => p.position === position && p.sure)
  }

  #look(): void {
    if (this.#over) return
    const plates = this.#plates()
    const fitted = (position: Position) => this.#o.cameras.some((c) => c.position === position)
    if (!this.#sure(fitted('front') ? 'front' : 'rear', plates)) return
    const platesDone = this.#settled || !fitted('rear') || this.#sure('rear', plates)
    // Codes are not waited for: a driver shows one when asked to. Nor is a truck kept waiting that has no tag.
    const tagDone = this.#settled || this.#sightings.has('tag') || !this.#o.readers.some((r) => r.kind === 'tag')
    // A scale settles only once the truck stands: it is waited for until the time is up.
    if (platesDone && tagDone && (this.#o.scale === null || this.#weight() !== null)) {
      this.#conclude()
      return
    }
    if (this.#settling) return
    this.#settling = true
    this.#timers.push(
      this.#o.clock.after(this.#o.settleMs, () => {
        this.#settled = true
        this.#look()
      }),
    )
  }

  #weight(): number | null {
    const w = this.#o.scale?.read()
    return w?.stable && !w.overload && w.kg >= LEAST_KG ? w.kg : null
  }

  #conclude(): void {
    if (this.#over) return
    this.end()
    this.#done({
      plates: this.#plates(),
      weight_kg: this.#weight(),
      tags: this.#sightings.seen('tag'),
      codes: this.#sightings.seen('code'),
      pictures: [...this.#best].map(([camera, { image }]) => ({ camera, image })),
    })
  }

  end(): void {
    this.#over = true
    this.#offScale?.()
    this.#sightings.end()
    for (const t of this.#timers.splice(0)) t.cancel()
  }
}
