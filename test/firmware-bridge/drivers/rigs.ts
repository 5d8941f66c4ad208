/** Rigs for the drivers that hang on a board or a broker. */
import { makeRig, type Rig } from '../../contract/rig.ts'

export const BOARD = { driver: 'modbus-io', link: 'bus', profile: 'waveshare-relay-d' } as const

export const barrierSettings = {
  driver: 'barrier',
  kind: 'pulse',
  open: 'io.do1',
  close: 'io.do2',
  stop: 'io.do3',
  pulse_ms: 500,
  open_limit: 'io.di1',
  closed_limit: 'io.di2',
  travel_ms: 4_000,
  inhibit: ['io.di3', 'io.di4'],
} as const

/** Leaves settings of undefined out. */
export const withoutGaps = <T extends object>(settings: T): T =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T

/** A barrier on a simulated Waveshare board, with whatever differs. */
export function barrierRig(differs: Record<string, unknown> = {}, board: Record<string, unknown> = {}): Promise<Rig> {
  return makeRig({
    links: { bus: 'bytes' },
    devices: { io: { ...BOARD, ...board }, arm: withoutGaps({ ...barrierSettings, ...differs }) },
    subject: 'arm',
  })
}

export const HOLD = { kind: 'hold', close: undefined, stop: undefined } as const

export function lightRig(differs: Record<string, unknown> = {}): Promise<Rig> {
  return makeRig({
    links: { bus: 'bytes' },
    devices: { io: BOARD, light: { driver: 'traffic-light', red: 'io.do4', green: 'io.do5', amber: 'io.do6', ...differs } },
    subject: 'light',
  })
}

/** One device alone on a line or a broker. */
export function soloRig(kind: 'bytes' | 'mqtt', settings: { driver: string } & Record<string, unknown>): Promise<Rig> {
  return makeRig({ links: { wire: kind }, devices: { dev: { link: 'wire', ...settings } }, subject: 'dev' })
}
