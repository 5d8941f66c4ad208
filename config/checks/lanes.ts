/** Lanes: the right devices, a barrier of its own that its presence inputs hold up, and times that fit the arm. */
import type { LaneConfig } from '../schema/site.ts'
import { among, type DeviceKind, type Finding, inhibits, kindOf, type LoadedDevice, readable, type SiteView, setting } from './view.ts'

/** Beyond the arm's own travel time: relay, switch and poll need time as well. */
export const ARM_MARGIN_MS = 1_000

const NEEDED: Readonly<Record<DeviceKind, string>> = {
  points: 'a board',
  barrier: 'a barrier',
  signal: 'a traffic light',
  camera: 'a camera',
  scale: 'a weighbridge',
  tag: 'a tag reader',
  code: 'a code scanner',
}

/** One place where a lane names a device. */
export interface DeviceUse {
  readonly lane: string
  readonly id: string
  readonly kind: DeviceKind
  readonly path: readonly PropertyKey[]
}

export function checkLanes(view: SiteView): Finding[] {
  const lanes = readable(view.lanes)
  const uses = lanes.flatMap(([id, lane]) => deviceUses(id, lane))
  return [
    ...uses.flatMap((use) => rightKind(use, view)),
    ...oneLaneEach(uses.filter((use) => rightKind(use, view).length === 0)),
    ...lanes.flatMap(([id, lane]) => [...heldUp(id, lane, view), ...armTimes(id, lane, view), ...blind(id, lane)]),
    ...foreignInhibits(view),
  ]
}

export function deviceUses(id: string, lane: LaneConfig): DeviceUse[] {
  const use = (device: string, kind: DeviceKind, ...path: PropertyKey[]): DeviceUse => ({
    lane: id,
    id: device,
    kind,
    path: ['lanes', id, ...path],
  })
  return [
    use(lane.barrier, 'barrier', 'barrier'),
    ...(lane.light === undefined ? [] : [use(lane.light, 'signal', 'light')]),
    ...lane.cameras.front.map((camera, i) => use(camera, 'camera', 'cameras', 'front', i)),
    ...lane.cameras.rear.map((camera, i) => use(camera, 'camera', 'cameras', 'rear', i)),
    ...(lane.scale === undefined ? [] : [use(lane.scale, 'scale', 'scale')]),
    ...(lane.tag === undefined ? [] : [use(lane.tag, 'tag', 'tag')]),
    ...(lane.code === undefined ? [] : [use(lane.code, 'code', 'code')]),
  ]
}

function rightKind(use: DeviceUse, view: SiteView): Finding[] {
  const device = view.devices.get(use.id)
  const fitting = () => readable(view.devices).flatMap(([id, d]) => (kindOf(d) === use.kind ? [id] : []))
  const what = NEEDED[use.kind].replace(/^a /, '')
  if (device === undefined) return [{ path: use.path, message: `there is no device "${use.id}"`, hint: among(use.id, fitting(), what) }]
  const kind = device === null ? undefined : kindOf(device)
  if (device === null || kind === undefined || kind === use.kind) return []
  const message = `${use.id} is ${NEEDED[kind]} (${device.driver}), not ${NEEDED[use.kind]}`
  return [{ path: use.path, message, hint: among(use.id, fitting(), what) }]
}

/** A barrier, light, camera, scale or reader belongs to one lane: a plate, weight or tag must never open another lane's arm. */
function oneLaneEach(uses: readonly DeviceUse[]): Finding[] {
  const owners = new Map<string, string>()
  return uses.flatMap(({ id, lane, path }) => {
    const owner = owners.get(id) ?? lane
    owners.set(id, owner)
    return owner === lane ? [] : [{ path, message: `${id} already belongs to lane ${owner}`, hint: 'each lane has its own' }]
  })
}

const barrierOf = (lane: LaneConfig, view: SiteView): LoadedDevice | undefined => {
  const device = view.devices.get(lane.barrier)
  return device && kindOf(device) === 'barrier' ? device : undefined
}

/** Every presence input must be among the inputs that keep the barrier from closing. */
function heldUp(id: string, lane: LaneConfig, view: SiteView): Finding[] {
  const barrier = barrierOf(lane, view)
  if (!barrier) return []
  const held = inhibits(barrier)
  const missing = (role: 'presence' | 'curtain', ref: string) => ({
    path: ['lanes', id, 'sensors', role],
    message: `${role} input ${ref} does not keep the arm from closing`,
    hint: `add ${ref} to devices.${lane.barrier}.inhibit`,
  })
  return [
    ...lane.sensors.presence.filter((ref) => !held.includes(ref)).map((ref) => missing('presence', ref)),
    ...(lane.sensors.curtain ?? [])
      .filter((ref) => !held.includes(ref))
      .map((ref) => ({ ...missing('curtain', ref), severity: 'warning' as const })),
  ]
}

function armTimes(id: string, lane: LaneConfig, view: SiteView): Finding[] {
  const { timing } = lane
  const path = (key: string) => ['lanes', id, 'timing', key]
  const barrier = barrierOf(lane, view)
  const travel = barrier ? setting(barrier, 'travel_ms') : undefined
  const findings: Finding[] = []
  if (typeof travel === 'number') {
    const least = travel + ARM_MARGIN_MS
    const hint = `${lane.barrier} travels ${travel} ms; at least ${least} ms`
    if (timing.arm_open_ms < least)
      findings.push({ path: path('arm_open_ms'), message: `${timing.arm_open_ms} ms is too short for the arm to open`, hint })
    if (timing.arm_close_ms < least)
      findings.push({ path: path('arm_close_ms'), message: `${timing.arm_close_ms} ms is too short for the arm to close`, hint })
  }
  if (timing.authorised_ms < timing.arm_open_ms)
    findings.push({
      path: path('authorised_ms'),
      message: `${timing.authorised_ms} ms would lapse before the arm is open`,
      hint: `arm_open_ms is ${timing.arm_open_ms} ms`,
    })
  return findings
}

function blind(id: string, lane: LaneConfig): Finding[] {
  if (lane.cameras.front.length + lane.cameras.rear.length > 0) return []
  return [
    {
      path: ['lanes', id],
      key: true,
      message: 'no camera: every vehicle is referred to the desk',
      hint: 'add cameras.front',
      severity: 'warning',
    },
  ]
}

/** An inhibit input that is another lane's sensor holds this arm up for the neighbour's trucks: probably a slip. */
function foreignInhibits(view: SiteView): Finding[] {
  const lanes = readable(view.lanes)
  const sensors = new Map(
    lanes.flatMap(([id, lane]) => Object.values(lane.sensors).flatMap((refs) => (refs ?? []).map((ref) => [ref, id] as const))),
  )
  return lanes.flatMap(([id, lane]) => {
    const barrier = barrierOf(lane, view)
    return (barrier ? inhibits(barrier) : []).flatMap((ref, i) => {
      const owner = sensors.get(ref)
      if (owner === undefined || owner === id) return []
      const path = ['devices', lane.barrier, 'inhibit', i]
      return [
        {
          path,
          message: `${ref} is a sensor of lane ${owner}, but ${lane.barrier} is the barrier of lane ${id}`,
          severity: 'warning' as const,
        },
      ]
    })
  })
}
