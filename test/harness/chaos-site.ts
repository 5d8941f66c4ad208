/** Sites for tests that break things: a site file of any number of like lanes, and a reader that knows what the painter painted. */
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { stringify } from 'yaml'
import { silentLog } from '../../gateway/kernel/log.ts'
import type { PlateRead, PoolStats, ReaderPool, ReadResult } from '../../models/plate.ts'
import type { Painter } from '../sim/camera.ts'

export type Tree = { [key: string]: unknown }

export interface SiteFileOptions {
  readonly dir: string
  readonly id?: string
  readonly lanes: readonly string[]
  /** The link all boards hang on. */
  readonly bus: Tree
  readonly broker: Tree
  readonly uplink?: Tree
  readonly data?: Tree
  readonly httpPort?: number
  readonly plates?: Tree
  readonly timing?: Tree
}

/** Wired as config/sites/shared/kim-thanh-lanes.yaml, with a quicker arm. */
export function siteTree(o: SiteFileOptions): Tree {
  const devices: Tree = {}
  const lanes: Tree = {}
  for (const [i, lane] of o.lanes.entries()) {
    const io = `io-${lane}`
    devices[io] = { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d', unit: i + 1 }
    devices[`arm-${lane}`] = {
      driver: 'barrier',
      kind: 'pulse',
      open: `${io}.do1`,
      close: `${io}.do2`,
      stop: `${io}.do3`,
      open_limit: `${io}.di5`,
      closed_limit: `${io}.di6`,
      travel_ms: 1_500,
      inhibit: [`${io}.di2`, `${io}.di3`],
    }
    devices[`light-${lane}`] = { driver: 'traffic-light', red: `${io}.do4`, green: `${io}.do5` }
    devices[`front-${lane}`] = { driver: 'mqtt-camera', link: 'local', topic: `camera/${lane}/front` }
    devices[`rear-${lane}`] = { driver: 'mqtt-camera', link: 'local', topic: `camera/${lane}/rear` }
    lanes[lane] = {
      direction: 'import',
      takes: ['loaded'],
      sensors: { approach: `${io}.di1`, presence: `${io}.di2`, curtain: `${io}.di3`, exit: `${io}.di4` },
      barrier: `arm-${lane}`,
      light: `light-${lane}`,
      cameras: { front: [`front-${lane}`], rear: [`rear-${lane}`] },
      ...(o.timing ? { timing: o.timing } : {}),
    }
  }
  return {
    version: 1,
    site: { id: o.id ?? 'chaos', name: { vi: 'Thử', zh: '试验', en: 'Trial' } },
    links: { bus: o.bus, local: { kind: 'mqtt' } },
    broker: o.broker,
    ...(o.uplink ? { uplink: o.uplink } : {}),
    http: { port: o.httpPort ?? 0 },
    data: { dir: join(o.dir, 'data'), min_free_mb: 16, ...o.data },
    ...(o.plates ? { plates: o.plates } : {}),
    devices,
    lanes,
    rules: [resolve('config/rules/basic.yaml')],
  }
}

/** Writes the site file into `dir`; returns its path. */
export async function writeSite(o: SiteFileOptions, name = 'site.yaml'): Promise<string> {
  const path = join(o.dir, name)
  await writeFile(path, stringify(siteTree(o)))
  return path
}

const MARK = Buffer.from('\nPLATE:')
const GREY = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#888' } })
  .jpeg()
  .toBuffer()

/** A small JPEG that says behind its end what is on the plate, so that no time goes into drawing and reading it. */
export function labelled(plate: string | null, padding = 0): Buffer {
  return Buffer.concat([GREY, Buffer.alloc(padding), MARK, Buffer.from(plate ?? '')])
}

export const labelPainter: Painter = async ({ side, vehicle }) =>
  labelled((side === 'front' ? vehicle.truck.front : vehicle.truck.rear)?.text ?? null)

export function plateRead(text: string, p = 0.98): PlateRead {
  const chars = [...text].map((char) => ({ char, p, others: [] }))
  const corners = [0, 0] as const
  return {
    text,
    country: /^\d/.test(text) ? 'vn' : 'cn',
    lines: 1,
    colour: 'yellow',
    confidence: p ** chars.length,
    weakest: p,
    accepted: true,
    quad: [corners, corners, corners, corners],
    chars,
  }
}

/** Reads the labels of {@link labelled}. One picture a turn of the event loop, as a worker would answer. */
export class LabelPool implements ReaderPool {
  #done = 0
  async start(): Promise<void> {}
  async close(): Promise<void> {}
  stats(): PoolStats {
    const zero = { p50: 0, p99: 0 }
    return { workers: 0, queued: 0, done: this.#done, dropped: 0, failed: 0, wait: zero, total: zero }
  }
  async submit(_key: string, image: Uint8Array): Promise<ReadResult> {
    await new Promise((done) => setImmediate(done))
    this.#done++
    const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
    const at = bytes.lastIndexOf(MARK)
    const text = at < 0 ? '' : bytes.subarray(at + MARK.length).toString()
    return { plates: text === '' ? [] : [plateRead(text)], width: 32, height: 32, ms: { decode: 0, detect: 0, read: 0 } }
  }
}

/** Waits until `fn` gives something true; throws with `what` after `ms` of real time. */
export async function until<T>(what: string, fn: () => T | Promise<T>, ms = 60_000): Promise<NonNullable<T>> {
  const end = performance.now() + ms
  for (;;) {
    const value = await fn()
    if (value) return value as NonNullable<T>
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

export const quiet = silentLog
