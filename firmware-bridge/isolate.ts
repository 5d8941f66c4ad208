/** Keeps one device's trouble its own. */
import { type Clock, withDeadline } from '../gateway/kernel/clock.ts'
import { LuongError, messageOf } from '../gateway/kernel/errors.ts'
import { Listeners } from '../gateway/kernel/listeners.ts'
import type { Log } from '../gateway/kernel/log.ts'
import type { Device, DeviceHealth } from './driver.ts'

/** A device that could not be made: it is down, does nothing and says why. */
export function deadDevice(id: string, why: string): Device {
  const health: DeviceHealth = { state: 'down', why, counters: {} }
  return { id, start() {}, async stop() {}, health: () => health, onHealth: () => () => {} }
}

/** The same device, except that a `start` that throws makes it `down` and a `stop` that fails or hangs settles after `stopMs`. */
export function isolate(device: Device, clock: Clock, log: Log, stopMs: number): Device {
  let failed: DeviceHealth | undefined
  const listeners = new Listeners<[DeviceHealth]>()
  return {
    id: device.id,
    start() {
      failed = undefined
      try {
        device.start()
      } catch (error) {
        failed = { state: 'down', why: `${device.id} could not be started: ${messageOf(error)}`, counters: {} }
        log.error({ device: device.id, err: messageOf(error) }, 'a device could not be started; the others go on')
        listeners.emit(failed)
      }
    },
    async stop() {
      const late = () => new LuongError('STOPPED', `${device.id} did not stop within ${stopMs} ms`)
      try {
        await withDeadline(clock, device.stop(), stopMs, late)
      } catch (error) {
        log.warn({ device: device.id, err: messageOf(error) }, 'a device did not stop cleanly')
      }
    },
    health: () => failed ?? device.health(),
    onHealth(fn) {
      const off = [listeners.add(fn), device.onHealth((h) => failed ?? fn(h))]
      return () => {
        for (const f of off) f()
      }
    },
    ...(device.probe ? { probe: () => device.probe!() } : {}),
    ...(device.points ? { points: device.points } : {}),
    ...(device.barrier ? { barrier: device.barrier } : {}),
    ...(device.signal ? { signal: device.signal } : {}),
    ...(device.camera ? { camera: device.camera } : {}),
    ...(device.scale ? { scale: device.scale } : {}),
    ...(device.tag ? { tag: device.tag } : {}),
    ...(device.code ? { code: device.code } : {}),
  }
}
