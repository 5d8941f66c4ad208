/** A UHF reader with an R200, YRM100, M100 or JRD module: what its frames mean. The rest is {@link TagReader}. */
import type { Device, DriverContext } from '../../driver.ts'
import { type Heard, TagReader } from '../../tag-reader.ts'
import { CMD, errorWords, type Frame, framing, multi, NO_TAG, single, stop, TYPE, tagOf } from './codec.ts'
import type { Settings } from './schema.ts'

export function createR200(settings: Settings, context: DriverContext): Device {
  const continuous = settings.mode === 'multi'
  const question = continuous ? multi : single
  return new TagReader(settings, context, { framing, hear, ask: () => question, continuous, ...(continuous ? { bye: stop } : {}) })
}

function hear(frame: Frame): Heard {
  if (frame.type === TYPE.notice && frame.command === CMD.single) {
    const tag = tagOf(frame)
    if (tag === null) return { tags: [], trouble: 'the reader sends a tag without an EPC' }
    return { tags: [{ text: tag.epc, rssi: tag.rssi, antenna: null, raw: Buffer.from(frame.raw).toString('hex').toUpperCase() }] }
  }
  if (frame.type === TYPE.answer && frame.command === CMD.error) {
    const code = frame.parameters[0] ?? 0
    return code === NO_TAG ? { tags: [] } : { tags: [], trouble: errorWords(code) }
  }
  // The last word of a look that was stopped.
  if (frame.type === TYPE.answer && frame.command === CMD.stop) return { tags: [] }
  return { tags: [], foreign: true }
}
