/** The cameras of the bench, in a thread of their own: their pictures must not delay the boards of the bench. */
import { parentPort, workerData } from 'node:worker_threads'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { systemClock } from '../../gateway/kernel/clock.ts'
import { silentLog } from '../../gateway/kernel/log.ts'

export interface CameraWork {
  readonly url: string
  readonly fps: number
  /** Topic of each camera, its lane and side. */
  readonly cameras: readonly { readonly topic: string; readonly lane: string; readonly side: 'front' | 'rear' }[]
  /** Pictures by truck number; 0 is the empty lane. */
  readonly album: ReadonlyMap<number, { readonly front: readonly Uint8Array[]; readonly rear: readonly Uint8Array[] }>
}

/** Which truck is at the lane now, 0 for none. */
export interface Presence {
  readonly lane: string
  readonly truck: number
}

const { url, fps, cameras, album } = workerData as CameraWork
const present = new Map<string, number>()
const messages = mqttTransport({ name: 'cameras', url, clock: systemClock, log: silentLog })
messages.start()
parentPort!.on('message', ({ lane, truck }: Presence) => present.set(lane, truck))
let n = 0
cameras.forEach(({ topic, lane, side }, i) => {
  const shoot = () => {
    const pictures = album.get(present.get(lane) ?? 0)![side]
    messages.publish(topic, pictures[n++ % pictures.length]!, { qos: 0, retain: false }).catch(() => {})
  }
  // Cameras are not in step with each other.
  setTimeout(() => setInterval(shoot, 1000 / fps), i * 33)
})
