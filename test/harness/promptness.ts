/**
 * How soon a site decides once it knows enough, taken from outside by the real clock: on a virtual clock a decision takes no time at
 * all, so only the process can tell.
 */
import type { LoadedSite } from '../../config/load.ts'
import type { MemoryLine } from '../../firmware-bridge/transport/memory.ts'
import type { Clock } from '../../gateway/kernel/clock.ts'
import type { Passage } from '../../gateway/site/passage.ts'
import type { ReaderPool } from '../../models/plate.ts'
import { WireTap } from '../bench/wire-tap.ts'
import type { SiteWatch } from './site.ts'

/** What the lane had waited for: the last of them came in the moment of the decision. `time`: nothing more came in time. */
export type LastInput = 'plates' | 'weight' | 'tag or code' | 'time'

export interface Prompt {
  readonly passage: string
  readonly lane: string
  readonly last: LastInput
  /** Real ms from the last input to the decision. */
  readonly decided_ms: number
  /** The decision was to let it in. */
  readonly pass: boolean
  /** Real ms from the last input until the board has the last byte of *open*; what else this process did meanwhile is in it. */
  open_ms?: number
  /** The same on the site's clock: waiting for the line. The two overlap at most, so their sum is an upper bound. */
  wire_ms?: number
}

interface Heard {
  readonly what: LastInput
  readonly real: number
  readonly mono: number
}

/** The lane that each board opens, by `LINK UNIT`: of relay boards on a Modbus line. */
export function openers({ site, devices }: LoadedSite): Map<string, string> {
  const all = new Map<string, string>()
  for (const [lane, { barrier }] of Object.entries(site.lanes)) {
    const open = (devices.get(barrier)?.settings as { open?: string } | undefined)?.open
    const board = devices.get(open?.split('.')[0] ?? '')?.settings as { link?: string; unit?: number } | undefined
    if (board?.link !== undefined) all.set(`${board.link} ${board.unit ?? 1}`, lane)
  }
  return all
}

export class Promptness implements SiteWatch {
  /** In the order of the decisions. */
  readonly all: Prompt[] = []
  readonly #clock: Clock
  /** What comes over a link or of a camera, for which lanes. */
  readonly #byLink = new Map<string, { lane: string; what: LastInput }[]>()
  readonly #byCamera = new Map<string, string>()
  readonly #openers: ReadonlyMap<string, string>
  readonly #heard = new Map<string, Heard>()
  /** By lane: who waits for its *open*. */
  readonly #opening = new Map<string, { prompt: Prompt; since: Heard }>()

  constructor(loaded: LoadedSite, clock: Clock) {
    this.#clock = clock
    this.#openers = openers(loaded)
    for (const [lane, { cameras, scale, tag, code }] of Object.entries(loaded.site.lanes)) {
      for (const camera of [...cameras.front, ...cameras.rear]) this.#byCamera.set(camera, lane)
      for (const [device, what] of [
        [scale, 'weight'],
        [tag, 'tag or code'],
        [code, 'tag or code'],
      ] as const) {
        const link = (devices(loaded, device) as { link?: string } | undefined)?.link
        if (link !== undefined) this.#byLink.set(link, [...(this.#byLink.get(link) ?? []), { lane, what }])
      }
    }
  }

  pool(pool: ReaderPool): ReaderPool {
    return {
      start: () => pool.start(),
      close: () => pool.close(),
      stats: () => pool.stats(),
      submit: async (camera, image, options) => {
        const result = await pool.submit(camera, image, options)
        const lane = this.#byCamera.get(camera)
        if (lane !== undefined) this.#hear(lane, 'plates')
        return result
      },
    }
  }

  line(id: string, line: MemoryLine): MemoryLine {
    const { master } = line
    const lanes = this.#byLink.get(id) ?? []
    const onData: typeof master.onData = (fn) =>
      master.onData((bytes) => {
        for (const { lane, what } of lanes) this.#hear(lane, what)
        fn(bytes)
      })
    const tap = new WireTap(
      () => {},
      (unit, at) => this.#opened(this.#openers.get(`${id} ${unit}`) ?? '', at),
    )
    return {
      ...line,
      device: tap.tap(line.device),
      master: {
        name: master.name,
        get up() {
          return master.up
        },
        start: () => master.start(),
        stop: () => master.stop(),
        write: (bytes) => master.write(bytes),
        onState: (fn) => master.onState(fn),
        onData,
      },
    }
  }

  onPassage(type: string, p: Passage): void {
    if (type !== 'luong.passage.decided.v1') return
    const real = performance.now()
    const heard = this.#heard.get(p.lane)
    // What is decided upon an input is decided before time goes on.
    const since: Heard = heard && heard.mono === this.#clock.mono() ? heard : { what: 'time', real, mono: this.#clock.mono() }
    const pass = p.decision?.outcome === 'pass'
    const prompt: Prompt = { passage: p.id, lane: p.lane, last: since.what, decided_ms: real - since.real, pass }
    this.all.push(prompt)
    this.#opening.delete(p.lane)
    if (pass) this.#opening.set(p.lane, { prompt, since })
  }

  #hear(lane: string, what: LastInput): void {
    this.#heard.set(lane, { what, real: performance.now(), mono: this.#clock.mono() })
  }

  #opened(lane: string, at: number): void {
    const opening = this.#opening.get(lane)
    if (!opening) return
    this.#opening.delete(lane)
    opening.prompt.open_ms = at - opening.since.real
    opening.prompt.wire_ms = this.#clock.mono() - opening.since.mono
  }
}

const devices = (loaded: LoadedSite, id: string | undefined): unknown => (id === undefined ? undefined : loaded.devices.get(id)?.settings)
