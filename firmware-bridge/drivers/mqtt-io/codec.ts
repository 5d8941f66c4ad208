/** From settings and presets to plain topics and texts, and from a message to a level. Pure. */
import { at } from '../../json-pointer.ts'
import { PRESETS, type Preset } from './presets.ts'
import type { Settings } from './schema.ts'

/** Where a level is published and which texts mean on and off. */
export interface LevelSource {
  readonly topic: string
  readonly on: string
  readonly off: string
  readonly pointer?: string | undefined
}

export interface Switched {
  readonly topic: string
  readonly on: string
  readonly off: string
  readonly state?: LevelSource | undefined
  readonly pulse?: { readonly topic: string; readonly payload: string } | undefined
}

export interface Query {
  readonly topic: string
  readonly payload: string
}

/** Everything a device publishes and listens to, with all templates filled in (except the pulse time). */
export interface Plan {
  readonly inputs: ReadonlyMap<string, LevelSource>
  readonly outputs: ReadonlyMap<string, Switched>
  /** `on` is online. */
  readonly availability: LevelSource | undefined
  readonly query: Query | undefined
}

/** Larger messages are not looked at. */
export const MAX_BYTES = 64 * 1_024

/** Fills `{name}` for the names given; other braces stay, so that JSON can be written as it is. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{([a-z]+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? values[name]! : whole))
}

/** What to send for a pulse of `ms`. Tenths of a second are rounded up. */
export function pulsePayload(template: string, ms: number): string {
  return fill(template, { ms: String(Math.round(ms)), s: String(ms / 1_000), ds: String(Math.ceil(ms / 100)) })
}

const defined = (point: object): object => Object.fromEntries(Object.entries(point).filter(([, value]) => value !== undefined))

function filled<T>(template: T, values: Record<string, string>): T {
  return JSON.parse(JSON.stringify(template), (_key, value) => (typeof value === 'string' ? fill(value, values) : value)) as T
}

/** Settings (already parsed by the schema) with their preset → topics. What a point says itself goes before the preset. */
export function planOf(settings: Settings): Plan {
  const preset: Preset | undefined = settings.preset === undefined ? undefined : PRESETS[settings.preset]
  const base = settings.base ?? ''
  const points = <T>(given: Record<string, { channel?: string | undefined }>, template: T | undefined): Map<string, T> => {
    const resolve = ({ channel, ...own }: { channel?: string | undefined }) => {
      const from = channel === undefined ? {} : filled(template, { base, channel })
      return { ...from, ...defined(own) } as T
    }
    return new Map(Object.entries(given).map(([name, point]) => [name, resolve(point)]))
  }
  const own = settings.availability
  return {
    inputs: points<LevelSource>(settings.inputs, preset?.input),
    outputs: points<Switched>(settings.outputs, preset?.output),
    availability: own
      ? { topic: own.topic, on: own.online, off: own.offline, pointer: own.pointer }
      : preset?.availability && filled(preset.availability, { base }),
    query: settings.query ?? (preset?.query && filled(preset.query, { base })),
  }
}

/** What the device says, and what it listens to. */
export function topicsOf({ inputs, outputs, availability, query }: Plan): { publish: string[]; subscribe: string[] } {
  const switched = [...outputs.values()]
  const some = (topics: readonly (string | undefined)[]) => [...new Set(topics.filter((t) => t !== undefined))]
  return {
    publish: some([...[...inputs.values()].map((i) => i.topic), ...switched.map((o) => o.state?.topic), availability?.topic]),
    subscribe: some([...switched.flatMap((o) => [o.topic, o.pulse?.topic]), query?.topic]),
  }
}

/** `absent`: the message is about something else. `unclear`: neither text, so the level is not known any more. */
export type Level = boolean | 'absent' | 'unclear'

/** What a message says about a level. Never throws. */
export function levelIn(payload: Uint8Array, source: LevelSource): Level {
  if (payload.length > MAX_BYTES) return 'unclear'
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8').trim()
  const value = source.pointer === undefined ? text : scalarAt(text, source.pointer)
  if (value === undefined) return 'absent'
  return value === source.on ? true : value === source.off ? false : 'unclear'
}

/** Text that is not JSON counts as the value itself: older firmwares publish plain `online` where newer ones publish JSON. */
function scalarAt(text: string, pointer: string): string | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return text
  }
  if (typeof document !== 'object' || document === null) return text
  const value = at(document, pointer)
  return value === undefined ? undefined : typeof value === 'object' ? JSON.stringify(value) : String(value)
}
