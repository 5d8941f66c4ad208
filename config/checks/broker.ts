/** The embedded broker: who can reach it, its ports, its users. */

import { topicMatches } from '../../firmware-bridge/transport/topic.ts'
import type { Site } from '../schema/site.ts'
import { among, type Finding, readable, type SiteView } from './view.ts'

const PATH = ['broker', 'embedded'] as const

export function checkBroker(view: SiteView): Finding[] {
  const { broker, http } = view
  if (broker === null || !('embedded' in broker)) return []
  const { host, port, users, tls } = broker.embedded
  const out: Finding[] = []
  const taken = (path: readonly string[], wanted: number, by: string) =>
    out.push({ path, message: `port ${wanted} is already taken by ${by}`, hint: 'choose another' })
  const anybody = { hint: 'add users, or listen on 127.0.0.1' }
  if (!isLoopback(host) && users.length === 0)
    out.push({ path: [...PATH, 'host'], message: `the broker would listen on ${host} for anybody`, ...anybody })
  if (tls && !isLoopback(tls.host) && users.length === 0)
    out.push({ path: [...PATH, 'tls', 'host'], message: `the broker would listen on ${tls.host} for anybody`, ...anybody })
  users.forEach((user, i) => {
    out.push(...deviceUser(user, [...PATH, 'users', i], view))
    if (users.findIndex((u) => u.name === user.name) < i)
      out.push({ path: [...PATH, 'users', i, 'name'], message: `there are two users named ${user.name}` })
  })
  if (http !== null && port !== 0 && port === http.port) taken(['http', 'port'], port, 'the broker')
  if (!tls) return out
  if (tls.port !== 0 && tls.port === port) taken([...PATH, 'tls', 'port'], port, 'the plain listener')
  if (http !== null && tls.port !== 0 && tls.port === http.port) taken(['http', 'port'], tls.port, 'the broker')
  if (tls.client_certificates !== 'none' && !tls.ca)
    out.push({
      path: [...PATH, 'tls', 'client_certificates'],
      message: 'needs `ca`: who must have signed them',
      hint: 'give the certificate of that authority',
    })
  if (tls.client_certificates === 'none' && tls.ca)
    out.push({
      path: [...PATH, 'tls', 'ca'],
      message: 'has no effect: certificates of clients are not asked for',
      hint: 'set client_certificates: required, or leave it out',
      severity: 'warning',
    })
  return out
}

type User = Extract<Site['broker'], { embedded: unknown }>['embedded']['users'][number]

/** A user for devices: are they there, do they speak MQTT, and can it pass itself off as another one. */
function deviceUser(user: User, path: readonly PropertyKey[], { devices }: SiteView): Finding[] {
  if (user.role !== 'device')
    return user.devices.length === 0
      ? []
      : [{ path: [...path, 'devices'], message: `role ${user.role} is no device`, hint: 'set role: device' }]
  const out = user.devices.flatMap((id, i): Finding[] => {
    const at = [...path, 'devices', i]
    const device = devices.get(id)
    if (device === undefined) return [{ path: at, message: `there is no device "${id}"`, hint: among(id, devices.keys(), 'device') }]
    return device && !device.entry.topics
      ? [{ path: at, message: `${id} (${device.driver}) does not speak MQTT`, hint: 'leave it out' }]
      : []
  })
  for (const [id, device] of readable(devices)) {
    if (user.devices.includes(id) || user.publish.length === 0) continue
    const forged = device.entry
      .topics?.(device.settings)
      .publish.find((topic) => user.publish.some((filter) => topicMatches(filter, topic)))
    if (forged === undefined) continue
    // Without `devices` the filters are all there is: then one of them may well be meant.
    if (user.devices.length === 0 && user.publish.includes(forged)) continue
    const hint = 'name its own devices under `devices` and leave `publish` out'
    out.push({ path: [...path, 'publish'], message: `${user.name} could speak as device ${id}, on ${forged}`, hint, severity: 'warning' })
  }
  return out
}

export const isLoopback = (host: Site['http']['host']): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
