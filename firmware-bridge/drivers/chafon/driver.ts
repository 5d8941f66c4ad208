/** A UHF reader of the UHFReader families: what its frames mean. The rest is {@link TagReader}. */
import type { Device, DriverContext } from '../../driver.ts'
import type { Read } from '../../presences.ts'
import { type Heard, TagReader } from '../../tag-reader.ts'
import { answers, BROADCAST, CMD, type Frame, inventory, pushedTag, STATUS, type Tag, tagsOf } from './codec.ts'
import type { Settings } from './schema.ts'

const SILENT_MS = 6_000

export function createChafon(settings: Settings, context: DriverContext): Device {
  const { mode, family, address, antennas, scan_ms, min_rssi } = settings
  let turn = 0
  const ask = () => inventory(family, address, antennas[turn++ % antennas.length]!, scan_ms)
  const silent_ms = settings.silent_ms ?? (mode === 'ask' ? SILENT_MS : undefined)
  return new TagReader({ ...settings, silent_ms, min_rssi }, context, {
    framing: answers,
    hear: (frame) => hear(settings, frame),
    ...(mode === 'ask' ? { ask } : {}),
  })
}

function hear({ family, address }: Settings, frame: Frame): Heard {
  if (address !== BROADCAST && frame.address !== address) return { tags: [], foreign: true }
  const seen = (tags: readonly Tag[]): Read[] =>
    tags.map(({ epc, rssi, antenna }) => ({ text: epc, rssi, antenna, raw: Buffer.from(frame.raw).toString('hex').toUpperCase() }))
  if (frame.command === CMD.active) {
    if (frame.status === STATUS.heartbeat) return { tags: [] }
    const tag = frame.status === STATUS.ok ? pushedTag(family, frame.data) : null
    return tag ? { tags: seen([tag]) } : odd(frame)
  }
  if (frame.command !== CMD.inventory) return { tags: [], foreign: true }
  if (frame.status >= STATUS.last && frame.status <= STATUS.full) {
    const tags = tagsOf(family, frame.data)
    return tags ? { tags: seen(tags), more: frame.status === STATUS.more } : odd(frame)
  }
  if (frame.status === STATUS.noTag || frame.status === STATUS.statistics) return { tags: [] }
  return odd(frame)
}

function odd({ status }: Frame): Heard {
  const code = status.toString(16).toUpperCase().padStart(2, '0')
  if (status === STATUS.antenna) return { tags: [], trouble: `the reader reports status ${code}: an antenna is missing or broken` }
  if (status <= STATUS.full) return { tags: [], trouble: 'the tags it sends do not add up; is the family right?' }
  return { tags: [], trouble: `the reader reports status ${code}; are family and mode right?` }
}
