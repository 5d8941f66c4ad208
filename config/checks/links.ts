/** Links: is each there and of the right kind, and does each wire have one owner. */
import { PROFILES } from '../../firmware-bridge/drivers/modbus-io/profiles.ts'
import type { LinkConfig } from '../schema/site.ts'
import { among, type Finding, kindOf, type LoadedDevice, linkKindsOf, readable, type SiteView, setting } from './view.ts'

/** The link a device is on, when its settings name one. */
export const linkOf = (device: LoadedDevice): string | undefined => device.entry.uses(device.settings).link

export function checkLinks(view: SiteView): Finding[] {
  return [...sameWire(view), ...readable(view.devices).flatMap(([id, d]) => deviceLink(id, d, view)), ...buses(view)]
}

/** One serial port or TCP address can have one owner only: two would mix their requests and answers. */
function sameWire(view: SiteView): Finding[] {
  const owners = new Map<string, string>()
  return readable(view.links).flatMap(([id, link]) => {
    const [key, address] = wire(link)
    if (address === undefined) return []
    const owner = owners.get(address)
    if (owner === undefined) owners.set(address, id)
    else
      return [
        {
          path: ['links', id, key],
          message: `${address} is already taken by link ${owner}`,
          hint: 'put all devices of one line on one link',
        },
      ]
    return []
  })
}

function wire(link: LinkConfig): [key: string, address: string | undefined] {
  if (link.kind === 'serial') return ['path', link.path.replace(/\/{2,}/g, '/')]
  if (link.kind === 'tcp') return ['host', `${link.host.toLowerCase()}:${link.port}`]
  return ['kind', undefined]
}

function deviceLink(id: string, device: LoadedDevice, view: SiteView): Finding[] {
  const name = linkOf(device)
  if (name === undefined) return []
  const path = ['devices', id, 'link']
  const link = view.links.get(name)
  if (link === undefined) return [{ path, message: `there is no link "${name}"`, hint: among(name, view.links.keys(), 'link') }]
  if (link === null) return []
  const kinds = linkKindsOf(device)
  if (kinds && !kinds.includes(link.kind)) {
    const message = `link ${name} is of kind ${link.kind}; ${device.driver} needs ${kinds.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`
    return [{ path, message, hint: among('', fitting(view, kinds), `link of kind ${kinds[0]}`) }]
  }
  if (setting(device, 'framing') === 'tcp' && link.kind === 'serial')
    return [
      {
        path: ['devices', id, 'framing'],
        message: `tcp framing on the serial link ${name}`,
        hint: 'serial lines and device servers carry rtu',
      },
    ]
  return []
}

const fitting = (view: SiteView, kinds: readonly LinkConfig['kind'][]) =>
  readable(view.links).flatMap(([id, link]) => (kinds.includes(link.kind) ? [id] : []))

/** Devices on one byte line: one protocol, and every unit once. */
function buses(view: SiteView): Finding[] {
  const lines = new Map<string, [string, LoadedDevice][]>()
  for (const [id, device] of readable(view.devices)) {
    const name = linkOf(device)
    const kind = name === undefined ? undefined : view.links.get(name)?.kind
    if (name === undefined || kind === undefined || kind === 'mqtt' || deviceLink(id, device, view).length > 0) continue
    lines.set(name, [...(lines.get(name) ?? []), [id, device]])
  }
  return [...lines].flatMap(([name, devices]) => devices.flatMap(([id, device], i) => sharesLine(name, id, device, devices.slice(0, i))))
}

function sharesLine(line: string, id: string, device: LoadedDevice, before: readonly [string, LoadedDevice][]): Finding[] {
  const first = before[0]
  if (first === undefined) return []
  const path = ['devices', id, 'link']
  const unit = unitOf(device)
  if (first[1].driver !== device.driver || unit === undefined)
    return [{ path, message: `link ${line} already carries ${first[0]} (${first[1].driver}); ${device.driver} needs a line of its own` }]
  if (setting(first[1], 'framing') !== setting(device, 'framing'))
    return [{ path: ['devices', id, 'framing'], message: `framing differs from that of ${first[0]} on the same link ${line}` }]
  const same = before.find(([, other]) => unitOf(other) === unit)
  if (!same) return []
  const message = `unit ${unit} on link ${line} is already ${same[0]}`
  return [{ path: ['devices', id, 'unit'], message, hint: 'give each board on a bus its own unit address' }]
}

/** Address on the bus; boards that do not say it have the one they are delivered with. */
function unitOf(device: LoadedDevice): unknown {
  if (kindOf(device) !== 'points') return undefined
  const profile = setting(device, 'profile')
  const factory =
    typeof profile === 'string' && Object.hasOwn(PROFILES, profile) ? PROFILES[profile as keyof typeof PROFILES].unit : undefined
  return setting(device, 'unit') ?? factory
}
