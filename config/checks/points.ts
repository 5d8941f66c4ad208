/** Inputs and outputs: is each there, on the right side, and claimed once. */
import { among, type Finding, inhibits, type LoadedDevice, readable, type SiteView } from './view.ts'

type Path = readonly PropertyKey[]
type Side = 'inputs' | 'outputs'
const ONE: Readonly<Record<Side, string>> = { inputs: 'input', outputs: 'output' }

/** One place in the site that names a point. */
interface Use {
  readonly ref: string
  readonly side: Side
  readonly path: Path
  /** For messages: `lane import-1 (presence)`. */
  readonly by: string
  /** Inhibit inputs are read by several; all else has one owner. */
  readonly shared: boolean
}

export function checkPoints(view: SiteView): Finding[] {
  const uses = [...laneUses(view), ...readable(view.devices).flatMap(([id, device]) => deviceUses(id, device, view))]
  return [...uses.flatMap((use) => offered(use, view)), ...claimedTwice(uses)]
}

/** Ids of the devices whose points are named somewhere. */
export function devicesWithUsedPoints(view: SiteView): Set<string> {
  const uses = [...laneUses(view), ...readable(view.devices).flatMap(([id, device]) => deviceUses(id, device, view))]
  return new Set(uses.map((use) => deviceOf(use.ref)))
}

const deviceOf = (ref: string) => ref.split('.', 1)[0]!

function laneUses(view: SiteView): Use[] {
  return readable(view.lanes).flatMap(([id, lane]) =>
    Object.entries(lane.sensors).flatMap(([role, refs]) =>
      (refs ?? []).map((ref, i) => {
        const path = ['lanes', id, 'sensors', role]
        const listed = Array.isArray(dig(view.raw, path))
        return { ref, side: 'inputs' as const, path: listed ? [...path, i] : path, by: `lane ${id} (${role})`, shared: false }
      }),
    ),
  )
}

function deviceUses(id: string, device: LoadedDevice, view: SiteView): Use[] {
  const { inputs, outputs } = device.entry.uses(device.settings)
  const inhibit = new Set(inhibits(device))
  const root = ['devices', id]
  const written = dig(view.raw, root)
  const uses = (refs: readonly string[], side: Side) =>
    [...new Set(refs)].flatMap((ref) =>
      placesOf(written, ref, root).map((path) => {
        const shared = side === 'inputs' && inhibit.has(ref) && path[2] === 'inhibit'
        return { ref, side, path, by: `device ${id} (${String(path[2] ?? '')})`, shared }
      }),
    )
  return [...uses(inputs, 'inputs'), ...uses(outputs, 'outputs')]
}

/** Paths below `path` at which `text` is written; `path` itself when it is not written (a default). */
function placesOf(value: unknown, text: string, path: Path): Path[] {
  const found: Path[] = []
  const visit = (v: unknown, at: Path) => {
    if (v === text) found.push(at)
    else if (Array.isArray(v)) v.forEach((item, i) => void visit(item, [...at, i]))
    else if (typeof v === 'object' && v !== null) for (const [key, item] of Object.entries(v)) visit(item, [...at, key])
  }
  visit(value, path)
  return found.length > 0 ? found : [path]
}

function dig(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined), data)
}

function offered(use: Use, view: SiteView): Finding[] {
  const id = deviceOf(use.ref)
  const name = use.ref.slice(id.length + 1)
  const device = view.devices.get(id)
  if (device === undefined)
    return [{ path: use.path, message: `there is no device "${id}"`, hint: among(id, view.devices.keys(), 'device') }]
  if (device === null) return []
  const offers = device.entry.offers?.(device.settings)
  const wanted = ONE[use.side]
  if (offers === undefined) {
    const boards = readable(view.devices).flatMap(([other, d]) => (d.entry.offers ? [other] : []))
    return [{ path: use.path, message: `${id} (${device.driver}) has no ${use.side}`, hint: among(id, boards, 'board') }]
  }
  if (offers[use.side].includes(name)) return []
  const other = use.side === 'inputs' ? 'outputs' : 'inputs'
  if (offers[other].includes(name))
    return [
      { path: use.path, message: `${use.ref} is an ${ONE[other]}; an ${wanted} is needed here`, hint: has(id, offers[use.side], use.side) },
    ]
  return [{ path: use.path, message: `${id} has no ${wanted} "${name}"`, hint: has(id, offers[use.side], use.side) }]
}

function has(id: string, names: readonly string[], side: Side): string {
  if (names.length === 0) return `${id} has no ${side}`
  return names.length > 3 ? `it has ${names[0]} … ${names.at(-1)}` : `it has ${names.join(', ')}`
}

function claimedTwice(uses: readonly Use[]): Finding[] {
  const owners = new Map<string, Use>()
  return uses.flatMap((use) => {
    if (use.shared) return []
    const owner = owners.get(use.ref)
    if (owner === undefined) owners.set(use.ref, use)
    return owner === undefined
      ? []
      : [{ path: use.path, message: `${use.ref} is already used by ${owner.by}`, hint: `one ${ONE[use.side]}, one purpose` }]
  })
}
