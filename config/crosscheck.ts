/** Does what is written fit together? Each part has been checked by itself before. */
import { checkBroker } from './checks/broker.ts'
import { checkCalling } from './checks/calling.ts'
import { checkLanes, deviceUses } from './checks/lanes.ts'
import { checkLinks, linkOf } from './checks/links.ts'
import { checkPeer } from './checks/peer.ts'
import { checkPlans } from './checks/plans.ts'
import { checkPoints, devicesWithUsedPoints } from './checks/points.ts'
import { type Finding, readable, type SiteView } from './checks/view.ts'

export type { Finding, LoadedDevice, SiteView } from './checks/view.ts'

/** All that does not fit, errors and warnings. Parts that are wrong in themselves (null in the view) are left out. */
export function crosscheck(view: SiteView): Finding[] {
  return [
    ...checkLinks(view),
    ...checkBroker(view),
    ...checkPoints(view),
    ...checkLanes(view),
    ...checkPlans(view),
    ...checkCalling(view),
    ...checkPeer(view),
    ...unused(view),
  ]
}

function unused(view: SiteView): Finding[] {
  const devices = devicesWithUsedPoints(view)
  for (const [id, lane] of readable(view.lanes)) for (const use of deviceUses(id, lane)) devices.add(use.id)
  const links = new Set(readable(view.devices).map(([, device]) => linkOf(device)))
  const idle = (kind: 'devices' | 'links', ids: Iterable<string>, used: ReadonlySet<string | undefined>, hint: string): Finding[] =>
    [...ids].filter((id) => !used.has(id)).map((id) => ({ path: [kind, id], key: true, message: 'is not used', hint, severity: 'warning' }))
  return [
    ...idle('devices', view.devices.keys(), devices, 'no lane or device names it'),
    ...idle('links', view.links.keys(), links, 'no device is on it'),
  ]
}
