/** Small translations from the site file to what the parts take. */
import { createHash } from 'node:crypto'
import type { Site } from '../../config/schema/site.ts'
import { accessOf } from '../../firmware-bridge/transport/access.ts'
import type { RunningBroker } from '../broker/config.ts'
import type { LaneSettings, LaneTimings } from '../lane/model.ts'
import type { Facts } from '../rules/facts.ts'
import type { TargetOptions } from './links.ts'

type Lane = Site['lanes'][string]

/** One hash for settings and rules: it stands in status and site events. */
export function combinedHash(settings: string, rules: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(`${settings}\n${rules}`).digest('hex')}`
}

/** The site broker first; MQTT devices have a connection of their own to it, made the same way. */
export function targetConnections(
  site: Site,
  broker: RunningBroker | null,
  uplinkUrl: string | undefined,
): Pick<TargetOptions, 'target' | 'connection' | 'window' | 'latePerSecond' | 'orders'>[] {
  const out: Pick<TargetOptions, 'target' | 'connection' | 'window' | 'latePerSecond' | 'orders'>[] = []
  const WINDOW = 32
  if (broker) out.push({ target: 'local', connection: { ...broker.internal, protocol: 4 }, window: WINDOW })
  else if ('external' in site.broker) {
    const { external } = site.broker
    out.push({
      target: 'local',
      // No session kept: the devices' connection is made like this one, and pictures or sensor changes that the broker saved up
      // while we were away would be taken for what is in the lane now.
      connection: { url: external.url, ...accessOf(external), keepSession: false, protocol: 'auto' },
      window: WINDOW,
    })
  }
  const up = site.uplink
  if (uplinkUrl !== undefined && uplinkUrl !== up?.url)
    out.push({
      target: 'uplink',
      connection: { url: uplinkUrl, keepSession: true, protocol: 'auto' },
      window: up?.window ?? WINDOW,
      ...(up ? { latePerSecond: up.late_per_s, orders: up.commands } : {}),
    })
  else if (up)
    out.push({
      target: 'uplink',
      connection: { url: up.url, others: up.others, ...accessOf(up), keepSession: true, protocol: 'auto' },
      window: up.window,
      latePerSecond: up.late_per_s,
      orders: up.commands,
    })
  return out
}

interface Connected {
  readonly name: TargetOptions['target']
  readonly connection: { readonly up: boolean }
}

/** Whether the broker that the platform speaks through is connected: the uplink, else an external broker; null: there is neither. */
export function platformLink(site: Site, targets: readonly Connected[]): boolean | null {
  const link = targets.find((t) => t.name === 'uplink') ?? ('external' in site.broker ? targets[0] : undefined)
  return link?.connection.up ?? null
}

/** A lane as the rules know it, but for its direction, which may change. */
export function laneFacts(id: string, lane: Lane): Omit<Facts['lane'], 'direction'> {
  const { takes, priority, scale, tag, code } = lane
  return { id, takes: [...takes], priority, scale: scale !== undefined, tag: tag !== undefined, code: code !== undefined }
}

/** All lanes of a site in the directions of the site file. */
export function siteLanes(site: Site): Facts['lane'][] {
  return Object.entries(site.lanes).map(([id, lane]) => ({ ...laneFacts(id, lane), direction: lane.direction }))
}

/** What the lane core must know of how the lane is fitted. */
export function laneSettings(lane: Lane, limits: boolean): LaneSettings {
  return {
    approach: lane.sensors.approach !== undefined,
    curtain: lane.sensors.curtain !== undefined,
    exit: lane.sensors.exit !== undefined,
    limits,
    idleAspect: lane.idle_light,
  }
}

export function laneTimings(lane: Lane): LaneTimings {
  const t = lane.timing
  return {
    identify: t.identify_ms,
    turn: t.turn_ms,
    authorised: t.authorised_ms,
    'arm-open': t.arm_open_ms,
    'arm-close': t.arm_close_ms,
    dwell: t.dwell_ms,
    gap: t.gap_ms,
    abandoned: t.abandoned_ms,
    retry: t.retry_ms,
  }
}
