/** One interface for whatever reads plates: the models are replaced, this is not. */

export type PlateCountry = 'vn' | 'cn'
export type PlateColour = 'white' | 'yellow' | 'blue' | 'green' | 'red' | 'black' | 'unknown'
export type Point = readonly [x: number, y: number]
/** Clockwise from the top-left corner of the plate as it is read, pixels of the original picture. */
export type Quad = readonly [Point, Point, Point, Point]

export interface CharRead {
  readonly char: string
  /** Probability of `char`, 0…1. */
  readonly p: number
  /** Next best, falling probability. */
  readonly others: readonly { readonly char: string; readonly p: number }[]
}

/**
 * Why a reading is not good enough to open on: it is of a vehicle behind, since the plate of another one in the picture is much larger; the plate
 * may go on beyond the picture's edge; its characters are lower than six pixels; they are not probable enough; two looks at it differ; it is small or
 * steep and was not found again in a nearer look; another syntax allows another text that is nearly as probable; no such plates come in its colour;
 * no such province, locality or code is known.
 */
export type Doubt = 'farther' | 'edge' | 'tiny' | 'unclear' | 'looks-differ' | 'one-look' | 'rival' | 'colour' | 'issuer'

export interface PlateRead {
  /** Without dots, dashes or spaces; Đ as D. Fits the grammar of `country`. */
  readonly text: string
  readonly country: PlateCountry
  readonly lines: 1 | 2
  readonly colour: PlateColour
  /** Product of the characters' probabilities. */
  readonly confidence: number
  /** Lowest character probability. */
  readonly weakest: number
  /** Good enough to open on. */
  readonly accepted: boolean
  /** Why it is not accepted. */
  readonly doubt?: Doubt
  readonly quad: Quad
  readonly chars: readonly CharRead[]
}

export interface ReadResult {
  /** Best first; empty when no plate was found. */
  readonly plates: readonly PlateRead[]
  readonly width: number
  readonly height: number
  /** Milliseconds. */
  readonly ms: { readonly decode: number; readonly detect: number; readonly read: number }
}

export interface ReadOptions {
  /** The picture is one plate: no detection. */
  readonly crop?: boolean
  /** Only the first look, also when it finds no clear plate: for pictures of which more will come. */
  readonly quick?: boolean
}

/** Reads on the calling thread. Rejects with IMAGE_INVALID for what is no picture or too large. */
export interface PlateReader {
  read(image: Uint8Array, options?: ReadOptions): Promise<ReadResult>
  close(): Promise<void>
}

export interface PoolStats {
  readonly workers: number
  readonly queued: number
  readonly done: number
  readonly dropped: number
  readonly failed: number
  /** Of the last 500 pictures: queue wait and whole inference, ms. */
  readonly wait: { readonly p50: number; readonly p99: number }
  readonly total: { readonly p50: number; readonly p99: number }
}

/** Workers with a bounded queue per `key` (camera): the oldest waiting picture of that key is dropped first. */
export interface ReaderPool {
  start(): Promise<void>
  /**
   * Rejects with QUEUE_FULL when this picture was dropped for a newer one, STOPPED on close, IMAGE_INVALID when bad,
   * READER_FAILED when its reader crashed, hung or was not free in time.
   */
  submit(key: string, image: Uint8Array, options?: ReadOptions): Promise<ReadResult>
  stats(): PoolStats
  close(): Promise<void>
}
