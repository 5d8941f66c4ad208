/**
 * What the Modbus boards on the market differ in, as data: a new board is a new entry here, not code.
 * Sources: the vendors' protocol pages (Waveshare wiki, Moxa manual App. A, Wirenboard) and published register lists of the others.
 */

/** How an output is switched: FC05 with the board's own values, or FC06 into a command register. `base` is the address of output 1. */
export interface WriteForm {
  readonly fc: 5 | 6
  readonly base: number
  readonly on: number
  readonly off: number
}

/** How the board times a pulse by itself, so that a dead gateway cannot leave the relay on. Times are in units of `unitMs`. */
export type PulseForm =
  /** One write (FC05 or FC06) whose value is `add` + the time. */
  | {
      readonly kind: 'single'
      readonly fc: 5 | 6
      readonly base: number
      readonly add: number
      readonly unitMs: number
      readonly max: number
    }
  /** FC16 of two registers [mode, time] at `base` + n × `stride`. */
  | {
      readonly kind: 'pair'
      readonly base: number
      readonly stride: number
      readonly mode: number
      readonly unitMs: number
      readonly max: number
    }

/** How a group of channels is read. `fc` 1/2: bits; 3: one register a channel. */
export interface ReadForm {
  readonly fc: 1 | 2 | 3
  readonly addr: number
  readonly count: number
}

export interface Profile {
  readonly title: string
  /** Unit address as delivered. */
  readonly unit: number
  readonly outputs: number
  readonly inputs: number
  /** Read back of outputs 1…n. */
  readonly readOutputs: ReadForm
  /** Absent where the board has no inputs. */
  readonly readInputs?: ReadForm
  readonly write: WriteForm
  /** Absent: the gateway times the pulse itself. */
  readonly pulse?: PulseForm
  /** A holding register with the firmware version, for `luong probe`. */
  readonly version?: number
  /** The board needs this much silence before each request, ms. */
  readonly minGapMs?: number
}

const coils = { fc: 5, base: 0, on: 0xff00, off: 0x0000 } as const
const flash = { kind: 'single', fc: 5, base: 0x0200, add: 0, unitMs: 100, max: 0x7fff } as const
const waveshare = {
  unit: 1,
  outputs: 8,
  readOutputs: { fc: 1, addr: 0, count: 8 },
  write: coils,
  pulse: flash,
  version: 0x8000,
} as const
const di8 = { fc: 2, addr: 0, count: 8 } as const

export const PROFILES = {
  'waveshare-relay-d': { title: 'Waveshare Modbus RTU Relay (D): 8 relays, 8 inputs', ...waveshare, inputs: 8, readInputs: di8 },
  'waveshare-io-8ch': { title: 'Waveshare Modbus RTU IO 8CH: 8 outputs, 8 inputs', ...waveshare, inputs: 8, readInputs: di8 },
  'waveshare-relay': { title: 'Waveshare Modbus RTU Relay: 8 relays', ...waveshare, inputs: 0 },
  'waveshare-poe': {
    title: 'Waveshare Modbus POE ETH Relay: 8 relays, 8 inputs (RTU frames over TCP)',
    ...waveshare,
    inputs: 8,
    readInputs: di8,
  },
  'lc-tech-8': {
    title: 'LC Technology LC-Modbus-8R-D7: 8 relays, 8 inputs',
    unit: 255,
    outputs: 8,
    inputs: 8,
    readOutputs: { fc: 1, addr: 0, count: 8 },
    readInputs: di8,
    write: coils,
    // Vendor sheets disagree on which of the modes 2 and 4 is "flash on": see lc-tech-8-mode4.
    pulse: { kind: 'pair', base: 3, stride: 5, mode: 2, unitMs: 100, max: 0xffff },
  },
  'lc-tech-8-mode4': {
    title: 'LC Technology LC-Modbus-8R-D7 whose flash-on mode is 4',
    unit: 255,
    outputs: 8,
    inputs: 8,
    readOutputs: { fc: 1, addr: 0, count: 8 },
    readInputs: di8,
    write: coils,
    pulse: { kind: 'pair', base: 3, stride: 5, mode: 4, unitMs: 100, max: 0xffff },
  },
  r4d8: {
    title: 'Eletechsup / LaskaKit R4D8 family: 8 relays, 8 inputs, command registers',
    unit: 1,
    outputs: 8,
    inputs: 8,
    readOutputs: { fc: 3, addr: 1, count: 8 },
    readInputs: { fc: 3, addr: 0x80, count: 8 },
    write: { fc: 6, base: 1, on: 0x0100, off: 0x0200 },
    pulse: { kind: 'single', fc: 6, base: 1, add: 0x0600, unitMs: 1000, max: 255 },
  },
  'stc-kc': {
    title: 'STC microcontroller boards "KC/AC": 8 relays, coil 1 first, own ON value',
    unit: 1,
    outputs: 8,
    inputs: 0,
    readOutputs: { fc: 1, addr: 1, count: 8 },
    write: { fc: 5, base: 1, on: 0x0100, off: 0x0000 },
  },
  'wellpro-8025': {
    title: 'Wellpro WP8025ADAM: 8 relays',
    unit: 1,
    outputs: 8,
    inputs: 0,
    readOutputs: { fc: 1, addr: 0, count: 8 },
    write: coils,
  },
  'moxa-e1214': {
    title: 'Moxa ioLogik E1214: 6 relays, 6 inputs (Modbus TCP)',
    unit: 1,
    outputs: 6,
    inputs: 6,
    readOutputs: { fc: 1, addr: 0, count: 6 },
    readInputs: { fc: 2, addr: 0, count: 6 },
    write: coils,
  },
  'wirenboard-6': {
    title: 'Wirenboard relay module: 6 relays, 6 inputs',
    unit: 1,
    outputs: 6,
    inputs: 6,
    readOutputs: { fc: 1, addr: 0, count: 6 },
    readInputs: { fc: 2, addr: 0, count: 6 },
    write: coils,
  },
} as const satisfies Record<string, Profile>

export type ProfileName = keyof typeof PROFILES
export const profileNames = Object.keys(PROFILES) as [ProfileName, ...ProfileName[]]

/** Names of a board's points: `di1`… and `do1`…, in the order of the channels. */
export function pointNames(profile: Profile): { inputs: string[]; outputs: string[] } {
  const names = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}${i + 1}`)
  return { inputs: names('di', profile.inputs), outputs: names('do', profile.outputs) }
}
