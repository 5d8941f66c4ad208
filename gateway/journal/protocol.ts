/** What the main thread and the journal's thread say to each other. Everything is already text: cloning it is cheap. */
import type { WireError } from '../kernel/wire-error.ts'
import type { JournalHead } from './journal.ts'
import type { LoadRow } from './loads.ts'

/** One entry on its way to the disk. `type` null: an input. `text`: JSON of an event's `data`, or of an input's `[body, actions]`. */
export interface NewRow {
  readonly type: string | null
  readonly lane: string | null
  readonly passage: string | null
  readonly subject: string | null
  readonly at: number
  readonly text: string
  readonly plate: string | null
  readonly direction: string | null
  /** What was declared, when this is the record of a decision. */
  readonly load: LoadRow | null
  /** Of the event that goes on above numbers that are lost (continue.ts); all others get the next one. */
  readonly sequence?: number
}

export interface NewDocument {
  readonly collection: string
  readonly key: string
  /** JSON; null deletes. */
  readonly value: string | null
  readonly at: number
}

/** Documents that were set aside, to be put in force, or (`to` null) to be forgotten. */
export interface Move {
  readonly from: string
  readonly to: string | null
  /** Delete what is in `to` and not in `from`. */
  readonly replace: boolean
}

/** Where documents are set aside: a collection that begins so. */
export const ASIDE = 'aside:'

/** One transaction. */
export interface Batch {
  readonly rows: readonly NewRow[]
  readonly documents: readonly NewDocument[]
  /** After the documents. */
  readonly moves?: readonly Move[]
  readonly cursors: readonly (readonly [target: string, sequence: number])[]
}

export interface WorkerSettings {
  readonly dir: string
  readonly site: string
  readonly timezone: string
  /** Below this much free disk the journal warns (`writable: false`) and still accepts. */
  readonly minFreeMb: number
  /** Below this much free disk appends are refused, so that other programs keep working. */
  readonly reserveMb: number
}

export interface Space {
  readonly writable: boolean
  readonly why?: string
}

/** Questions the thread answers, by name. */
export type QueryName =
  | 'events'
  | 'cursor'
  | 'hashOf'
  | 'inputs'
  | 'passage'
  | 'unfinished'
  | 'documents'
  | 'crossings'
  | 'lastCrossed'
  | 'uses'
  | 'siteAlarms'
  | 'deskEvents'

export type ToWorker =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'query'; readonly id: number; readonly name: QueryName; readonly args: readonly (string | number)[] }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'open'; readonly head: JournalHead; readonly bytes: number; readonly space: Space }
  | { readonly kind: 'open-failed'; readonly error: WireError }
  | { readonly kind: 'stored'; readonly head: JournalHead; readonly bytes: number; readonly space: Space }
  | { readonly kind: 'refused'; readonly error: WireError; readonly space: Space }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: WireError }
  | { readonly kind: 'space'; readonly space: Space }
  | { readonly kind: 'closed' }
