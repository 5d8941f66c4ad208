/** A camera's end: publishes pictures in one of the forms that real cameras use. */
import type { SimContext, SimDevice, SimFault } from '../../sim.ts'
import type { Settings } from './schema.ts'

export type PictureForm = 'raw' | 'base64' | 'data-uri' | 'json'

export interface MqttCameraSim extends SimDevice {
  readonly camera: { send(image: Uint8Array): Promise<void> }
  /** How many times a picture was asked for. */
  readonly triggered: () => number
  /** Called when a picture is asked for. */
  onTrigger(fn: () => void): void
  /** The form of the pictures to come; at first `json` where the settings name a pointer, else `raw`. */
  form(form: PictureForm): void
  fault(kind: SimFault): void
}

export function createMqttCameraSim(settings: Settings, context: SimContext): MqttCameraSim {
  const link = context.messages(settings.link)
  let form: PictureForm = settings.pointer === undefined ? 'raw' : 'json'
  let fault: SimFault = 'none'
  let triggered = 0
  let asked = () => {}
  let off = () => {}
  const wrapped = (image: Uint8Array): Uint8Array | string => {
    if (fault === 'garbage' || fault === 'bad-crc') return 'camera offline'
    if (fault === 'half') return wrap(image.subarray(0, 4), form, settings.pointer)
    return wrap(image, form, settings.pointer)
  }
  return {
    id: context.id,
    start() {
      if (settings.trigger === undefined) return
      off = link.subscribe(settings.trigger.topic, () => {
        triggered++
        asked()
      })
    },
    async stop() {
      off()
      off = () => {}
    },
    camera: {
      async send(image) {
        if (fault === 'silent') return
        await link.publish(settings.topic, wrapped(image), { qos: 1, retain: false })
      },
    },
    triggered: () => triggered,
    onTrigger(fn) {
      asked = fn
    },
    form(next) {
      form = next
    },
    fault(kind) {
      fault = kind
    },
  }
}

/** A picture as a camera of that form sends it. JSON nests it where `pointer` says. */
export function wrap(image: Uint8Array, form: PictureForm, pointer = '/values/image'): Uint8Array | string {
  if (form === 'raw') return image
  const base64 = Buffer.from(image).toString('base64')
  if (form === 'base64') return base64
  const uri = `data:image/jpeg;base64,${base64}`
  if (form === 'data-uri') return uri
  const keys = pointer.split('/').slice(1)
  return JSON.stringify(keys.reduceRight<unknown>((inner, key) => ({ [key.replaceAll('~1', '/').replaceAll('~0', '~')]: inner }), uri))
}
