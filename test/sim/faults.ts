/** What may go wrong with a lane's devices, put into the simulated ends. */
import type { SimDevice, SimFault } from '../../firmware-bridge/sim.ts'
import type { CameraSim } from './camera.ts'
import { type LaneEnds, ROLES, type Role } from './lane.ts'

export const PARTS = ['all', 'barrier', 'light', 'scale', 'tag', 'board', 'camera', 'front-camera', 'rear-camera', ...ROLES] as const
export type Part = (typeof PARTS)[number]
export const FAULTS = [
  'power-cut',
  'jam',
  'dead',
  'stuck-on',
  'stuck-off',
  'silent',
  'late',
  'garbage',
  'bad-crc',
  'exception',
  'half',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** The ends of a lane that faults work on. */
export interface Breakable {
  readonly ends: LaneEnds
  readonly cameras: readonly { readonly side: 'front' | 'rear'; readonly sim: CameraSim; readonly device: SimDevice }[]
  /** Boards with this lane's sensors and relays. */
  readonly boards: readonly SimDevice[]
  readonly scale: SimDevice | null
  /** The tag reader. */
  readonly tag: SimDevice | null
}

/** Why that fault cannot be had at that part, or undefined when it can. */
export function misfit(part: Part, fault: FaultKind): string | undefined {
  const fits: Record<string, readonly Part[]> = {
    'power-cut': ['all'],
    jam: ['barrier'],
    dead: ['camera', 'front-camera', 'rear-camera'],
    'stuck-on': ROLES,
    'stuck-off': ROLES,
  }
  const wire: readonly Part[] = ['board', 'scale', 'tag', 'camera', 'front-camera', 'rear-camera']
  const parts = fits[fault] ?? wire
  return parts.includes(part) ? undefined : `${fault} is a fault of ${parts.join(', ')}, not of ${part}`
}

/** Breaks a part of a lane, or mends it again. */
export function breakPart(lane: Breakable, part: Part, fault: FaultKind, on: boolean): void {
  const wire = (device: SimDevice | null, kind: SimFault) => device?.fault?.(on ? kind : 'none')
  const cameras = lane.cameras.filter((c) => part === 'all' || part === 'camera' || part === `${c.side}-camera`)
  if (fault === 'power-cut') {
    for (const board of lane.boards) wire(board, 'silent')
    wire(lane.scale, 'silent')
    wire(lane.tag, 'silent')
    lane.ends.arm.jam(on)
    for (const c of cameras) c.sim.dead = on
  } else if (fault === 'jam') lane.ends.arm.jam(on)
  else if (fault === 'dead') for (const c of cameras) c.sim.dead = on
  else if (fault === 'stuck-on' || fault === 'stuck-off') {
    for (const contact of lane.ends.sensors[part as Role]) contact.stick(on ? fault === 'stuck-on' : null)
  } else {
    if (part === 'board') for (const board of lane.boards) wire(board, fault)
    if (part === 'scale') wire(lane.scale, fault)
    if (part === 'tag') wire(lane.tag, fault)
    for (const c of cameras) wire(c.device, fault)
  }
}
