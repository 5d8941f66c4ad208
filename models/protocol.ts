/** Messages between the pool and its worker threads. */
import type { ErrorCode } from '../gateway/kernel/errors.ts'
import type { ReadOptions, ReadResult } from './plate.ts'
import type { ReaderSettings } from './reader.ts'

export interface WorkerSettings {
  readonly reader: Partial<ReaderSettings>
  /** Another manifest than the package's own. */
  readonly manifest?: string
}

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

export type ToWorker =
  | { readonly type: 'read'; readonly id: number; readonly image: Uint8Array; readonly options: ReadOptions }
  /** End when what is under way is done. */
  | { readonly type: 'end' }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'unfit'; readonly error: Failure }
  | { readonly type: 'result'; readonly id: number; readonly result: ReadResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
