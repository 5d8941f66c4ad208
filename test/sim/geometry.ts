/** Where things stand along a lane, metres after the stop line (minus: before it). Trucks drive towards plus. */

export type Span = readonly [from: number, to: number]

export interface Geometry {
  readonly approach: Span
  readonly presence: Span
  readonly curtain: number
  readonly arm: number
  readonly exit: Span
  /** The weighbridge, where there is one: a truck at the stop line stands on it with all its axles. */
  readonly scale: Span
  /** Positions of the front bumper at which the tag reader sees the tag on the windscreen. */
  readonly tagView: Span
  /** Positions of the front bumper at which the cameras see the plate. */
  readonly frontView: Span
  readonly rearView: Span
  /** Where the second truck waits until the first is through. */
  readonly waitingLine: number
  /** Where trucks come into the world, into an empty lane and behind others; and where they are out of the lane. */
  readonly firstEntry: number
  readonly entry: number
  readonly gone: number
}

/** What a site file says under `simulation`: middles, metres. */
export interface Places {
  readonly approach_m?: number | undefined
  readonly presence_m?: number | undefined
  readonly curtain_m?: number | undefined
  readonly exit_m?: number | undefined
}

export function geometry(places: Places = {}): Geometry {
  const around = (middle: number, length: number): Span => [middle - length / 2, middle + length / 2]
  const approach = around(places.approach_m ?? -1.8, 3)
  const presence = around(places.presence_m ?? 3.5, 2)
  const arm = (presence[0] + presence[1]) / 2
  const exit = around(places.exit_m ?? arm + 7, 2)
  return {
    approach,
    presence,
    curtain: places.curtain_m ?? arm,
    arm,
    exit,
    scale: [-19.5, 0.8],
    tagView: [-6, 3],
    frontView: [-7, 0.4],
    rearView: [-2.5, 2],
    waitingLine: -27,
    firstEntry: -20,
    entry: -48,
    gone: exit[1] + 4,
  }
}
