/** What the fleet's processes say to each other. */
export interface GateSettings {
  readonly site: string
  readonly urls: readonly string[]
  readonly username?: string
  readonly password?: string
}

export interface Start {
  readonly kind: 'start'
  readonly gates: readonly GateSettings[]
  readonly dir: string
  readonly seed: string
  readonly trucks: number
}
export type ToGates =
  | Start
  /** The gates' day begins and takes this long. */
  | { readonly kind: 'go'; readonly ms: number }
  | { readonly kind: 'stop' }

export interface Progress {
  readonly kind: 'progress'
  /** Events in the journals, and those not yet acknowledged. */
  readonly recorded: number
  readonly lag: number
  readonly sent: number
  /** Connections made. */
  readonly connects: number
  readonly up: number
  readonly why: readonly string[]
  /** Bytes of the journals. */
  readonly bytes: number
  /** The day is over. */
  readonly over: boolean
  readonly heads: Readonly<Record<string, number>>
  readonly cpuS: number
  readonly rss: number
}
export type FromGates = { readonly kind: 'ready' } | Progress | { readonly kind: 'stopped' }
