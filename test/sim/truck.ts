/** Trucks: bodies as loops see them, plates, loads, and drivers' habits. */
import type { PlateLook } from './draw/plate.ts'
import type { Span } from './geometry.ts'
import type { Profile } from './motion.ts'
import { between, chance, pick, type Rng, whole } from './random.ts'

/** A kind of vehicle. rigid: one body. semi: tractor and semi-trailer, high between the axles. drawbar: truck and trailer on a drawbar. */
export type Body = 'rigid' | 'semi' | 'drawbar'

/** How somebody drives. Positions are of the front bumper, metres after the stop line. */
export interface Habit {
  readonly name: string
  /** Seconds until the driver reacts to a lamp, an arm, a leaving truck. */
  readonly reaction_s: number
  readonly profile: Profile
  /** Stands still on the way through. */
  readonly stops: readonly { readonly at: number; readonly for_s: number }[]
  /** Backs out after standing at the stop line this long. */
  readonly reverse_after_s?: number | undefined
  /** Follows the truck in front through the open arm. */
  readonly tailgate?: boolean | undefined
  /** Comes in through the exit. */
  readonly wrong_way?: boolean | undefined
  /** Gives up after standing this long with nobody caring. */
  readonly patience_s: number
}

export interface Truck {
  readonly no: number
  readonly body: Body
  /** Metres. */
  readonly length: number
  /** What loops see, metres behind the front bumper. */
  readonly metal: readonly Span[]
  readonly front: PlateLook | null
  readonly rear: PlateLook | null
  /** A second plate at the front, of the other country. */
  readonly second?: PlateLook
  /** EPC of the UHF tag on the windscreen. */
  readonly tag?: string
  /** Text of the QR sticker that its driver holds before the scanner. */
  readonly code?: string
  readonly weight_kg: number
  readonly tare_kg: number
  readonly habit: Habit
}

const calm: Profile = { speed: 4, accelerate: 1, brake: 1.6 }
const habit = (name: string, more: Partial<Habit> = {}): Habit => ({
  name,
  reaction_s: 1,
  profile: calm,
  stops: [],
  patience_s: 900,
  ...more,
})

/** Named habits; scenarios may name one and change parts of it. */
export const HABITS = {
  normal: habit('normal'),
  brisk: habit('brisk', { reaction_s: 0.5, profile: { speed: 6, accelerate: 1.6, brake: 2.2 } }),
  sleepy: habit('sleepy', { reaction_s: 6 }),
  creeper: habit('creeper', { profile: { speed: 1.2, accelerate: 0.5, brake: 1 } }),
  hesitant: habit('hesitant', { stops: [{ at: 5.2, for_s: 4 }] }),
  reverser: habit('reverser', { reverse_after_s: 6 }),
  tailgater: habit('tailgater', { tailgate: true, reaction_s: 0.2, profile: { speed: 5, accelerate: 1.4, brake: 3 } }),
  abandoner: habit('abandoner', { stops: [{ at: 5.2, for_s: 420 }] }),
  'wrong-way': habit('wrong-way', { wrong_way: true }),
} as const satisfies Record<string, Habit>
export type HabitName = keyof typeof HABITS

/** A body of that kind: its length and what loops see of it. The gaps are longer than a loop, so that loops let go for a moment. */
export function shape(body: Body, r: Rng): { readonly length: number; readonly metal: readonly Span[] } {
  const round = (n: number) => Math.round(n * 100) / 100
  if (body === 'rigid') {
    const length = round(between(r, 6, 11))
    return { length, metal: [[0, length]] }
  }
  const first = round(body === 'semi' ? between(r, 5.8, 6.6) : between(r, 7.6, 8.6))
  const second = round(first + (body === 'semi' ? between(r, 2.3, 3) : between(r, 2.2, 2.5)))
  const length = round(second + (body === 'semi' ? between(r, 5.6, 8.2) : between(r, 5.6, 6.8)))
  return {
    length,
    metal: [
      [0, first],
      [second, length],
    ],
  }
}

/** How ordinary drivers differ. */
export function ordinary(r: Rng): Habit {
  const base = pick(r, [HABITS.normal, HABITS.normal, HABITS.normal, HABITS.brisk, HABITS.sleepy, HABITS.creeper, HABITS.hesitant])
  const factor = between(r, 0.85, 1.15)
  const { speed, accelerate, brake } = base.profile
  return { ...base, reaction_s: base.reaction_s * factor, profile: { speed: speed * factor, accelerate, brake } }
}

const VN_LOCALITIES = ['24', '21', '22', '12', '14', '15', '20', '29', '30', '34', '88', '98', '99']
const VN_TRUCK_LETTERS = ['C', 'H', 'D', 'F', 'K']
const CN_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
const digits = (r: Rng, n: number): string => Array.from({ length: n }, () => whole(r, 0, 9)).join('')
const serial = (r: Rng, n: number): string =>
  Array.from({ length: n }, () => (chance(r, 0.8) ? `${whole(r, 0, 9)}` : pick(r, [...CN_LETTERS]))).join('')
const cnIssuer = (r: Rng): string => pick(r, ['云G', '云G', '云A', '云N', '云E', '桂F', '桂A', '桂P'])

/** A front plate as freight trucks at these gates carry it. */
export function frontPlate(country: 'vn' | 'cn', r: Rng): PlateLook {
  if (country === 'vn') {
    const text = `${pick(r, VN_LOCALITIES)}${pick(r, VN_TRUCK_LETTERS)}${digits(r, 5)}`
    return { text, country, colour: 'yellow', lines: chance(r, 0.6) ? 1 : 2 }
  }
  if (chance(r, 0.08)) return { text: `${cnIssuer(r)}${digits(r, 5)}D`, country, colour: 'green', lines: 1 }
  return { text: `${cnIssuer(r)}${serial(r, 5)}`, country, colour: chance(r, 0.1) ? 'blue' : 'yellow', lines: 1 }
}

/** A trailer's plate. */
export function trailerPlate(country: 'vn' | 'cn', r: Rng): PlateLook {
  const text = country === 'vn' ? `${pick(r, VN_LOCALITIES)}RM${digits(r, 5)}` : `${cnIssuer(r)}${serial(r, 4)}挂`
  return { text, country, colour: 'yellow', lines: 2 }
}

/** The tag of a truck by its number: nothing is left to chance, so that trucks stay the same with and without readers. */
export const tagOf = (no: number): string => `E280689400005000${no.toString(16).toUpperCase().padStart(8, '0')}`

/** The QR sticker of a truck that carries one instead of a tag; every third does. Absent: it has a tag. */
export const stickerOf = (no: number): string | undefined => (no % 3 === 0 ? `LC-NS-${String(no).padStart(6, '0')}` : undefined)

/** How a plate with that text looks: guessed from its letters, for scenarios that name plates. */
export function lookOf(text: string, r: Rng): PlateLook {
  const vn = /^\d/.test(text)
  if (vn) return { text, country: 'vn', colour: 'yellow', lines: /^\d\d(RM|R)\d/.test(text) || chance(r, 0.4) ? 2 : 1 }
  if ([...text].length === 8) return { text, country: 'cn', colour: 'green', lines: 1 }
  return { text, country: 'cn', colour: 'yellow', lines: text.endsWith('挂') ? 2 : 1 }
}
