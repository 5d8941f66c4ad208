/** A profile's way of saying things, as Modbus requests. Pure. */
import type { Answer, ReadRequest, WriteRequest } from '../../modbus/master.ts'
import type { Profile, ReadForm } from './profiles.ts'

/** Reads a whole group of channels. */
export function readRequest(form: ReadForm): ReadRequest {
  return { fc: form.fc, addr: form.addr, count: form.count }
}

/** The channels of an answer to {@link readRequest}: a bit each, or a register each that is not 0. */
export function channels(answer: Pick<Answer, 'bits' | 'registers'>): boolean[] {
  if (answer.bits) return [...answer.bits]
  return (answer.registers ?? []).map((r) => r !== 0)
}

/** Switches output `index` (0 = the first). */
export function setRequest(profile: Profile, index: number, on: boolean): WriteRequest {
  const { fc, base, on: onValue, off } = profile.write
  return { fc, addr: base + index, value: on ? onValue : off }
}

/**
 * Has the board pulse output `index` by itself for `ms`, rounded up to the board's unit; null when the board cannot, or not for so
 * long: then the gateway must switch it off.
 */
export function pulseRequest(profile: Profile, index: number, ms: number): { request: WriteRequest; ms: number } | null {
  const pulse = profile.pulse
  if (!pulse) return null
  const units = Math.max(1, Math.ceil(ms / pulse.unitMs))
  if (units > pulse.max) return null
  const request: WriteRequest =
    pulse.kind === 'single'
      ? { fc: pulse.fc, addr: pulse.base + index, value: pulse.add + units }
      : { fc: 16, addr: pulse.base + index * pulse.stride, values: [pulse.mode, units] }
  return { request, ms: units * pulse.unitMs }
}
