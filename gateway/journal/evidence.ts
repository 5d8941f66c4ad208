/**
 * Pictures beside the journal: `evidence/YYYY-MM-DD/PASSAGE/name.jpg`. Written one at a time, each complete or absent. The
 * caller never waits for the lane's sake: the queue is bounded and a full disk costs pictures, not passages.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock, withDeadline } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { type Zone, zoneOf } from './zone.ts'

export interface EvidenceOptions {
  /** Data folder; pictures go to its `evidence/`. */
  readonly dir: string
  readonly quotaMb: number
  /** Days kept, today included. */
  readonly days: number
  readonly clock: Clock
  readonly log: Log
  /** IANA zone of the day folders. */
  readonly timezone?: string
  /** Pictures that may wait for the disk. Rule: refuse newest. */
  readonly maxWaiting?: number
}

export interface EvidenceFile {
  /** Relative to the data folder, with slashes. */
  readonly path: string
  /** Hex SHA-256 of the file. */
  readonly sha256: string
  readonly bytes: number
}

export interface EvidenceStats {
  readonly waiting: number
  readonly written: number
  /** Refused because the queue was full. */
  readonly refused: number
  /** Not written because the disk failed or was full. */
  readonly failed: number
  /** Passages or days removed to keep quota and retention. */
  readonly removed: number
  readonly bytes: number
}

export interface Evidence {
  /** Counts what is there and removes what is too old or too much, in the background. */
  start(): void
  /** Rejects with QUEUE_FULL, JOURNAL_UNAVAILABLE (not written), PAYLOAD_INVALID (bad name) or STOPPED; the lane goes on without it. */
  put(passage: string, name: string, image: Uint8Array): Promise<EvidenceFile>
  stats(): EvidenceStats
  /** Waits for the pictures under way, 10 s at most. */
  stop(): Promise<void>
}

const MB = 1024 * 1024
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/
const MAX_WAITING_BYTES = 64 * MB
const WARN_EVERY_MS = 60_000
const STOP_MS = 10_000

export function createEvidence(options: EvidenceOptions): Evidence {
  return new EvidenceStore(options)
}

class EvidenceStore implements Evidence {
  readonly #options: EvidenceOptions
  readonly #root: string
  readonly #zone: Zone
  /** Bytes by day; the sum is what the quota is about. */
  readonly #days = new Map<string, number>()
  #counted = false
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0
  #waitingBytes = 0
  #written = 0
  #refused = 0
  #failed = 0
  #removed = 0
  #today = ''
  #warned = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(options: EvidenceOptions) {
    this.#options = options
    this.#root = join(options.dir, 'evidence')
    this.#zone = zoneOf(options.timezone ?? 'Asia/Ho_Chi_Minh')
  }

  start(): void {
    const today = this.#day()
    // Today's folder is the only one that grows: it is counted first, in line with the pictures; old ones need no order.
    this.#queue(() => this.#count(today))
    void this.#countOld(today).then(
      () => this.#queue(() => this.#tidy()),
      (error) => this.#warn('evidence cannot be counted', error),
    )
  }

  put(passage: string, name: string, image: Uint8Array): Promise<EvidenceFile> {
    if (this.#stopped) return Promise.reject(new LuongError('STOPPED', 'evidence is closed'))
    const bad = [passage, name].find((n) => !NAME.test(n))
    if (bad !== undefined) return Promise.reject(new LuongError('PAYLOAD_INVALID', `evidence: "${bad}" is no file name`))
    if (this.#waiting >= (this.#options.maxWaiting ?? 64) || this.#waitingBytes + image.length > MAX_WAITING_BYTES) {
      this.#refused++
      const error = new LuongError(
        'QUEUE_FULL',
        `evidence: ${this.#waiting} pictures are waiting for the disk; ${passage}/${name} is not kept`,
      )
      this.#warn('a picture was not kept', error)
      return Promise.reject(error)
    }
    this.#waiting++
    this.#waitingBytes += image.length
    const written = new Promise<EvidenceFile>((resolve, reject) => {
      this.#queue(async () => {
        try {
          resolve(await this.#write(passage, name, image))
          this.#written++
        } catch (error) {
          this.#failed++
          this.#warn('a picture was not kept', error)
          const why = `evidence: ${passage}/${name} could not be written: ${messageOf(error)}`
          reject(
            new LuongError('JOURNAL_UNAVAILABLE', why, {
              hint: 'Check disk space and permissions; lanes go on without pictures.',
              cause: error,
            }),
          )
        } finally {
          this.#waiting--
          this.#waitingBytes -= image.length
        }
        await this.#tidy()
      })
    })
    return this.#options.clock.track(written)
  }

  stats(): EvidenceStats {
    const { waiting, written, refused, failed, removed } = {
      waiting: this.#waiting,
      written: this.#written,
      refused: this.#refused,
      failed: this.#failed,
      removed: this.#removed,
    }
    return { waiting, written, refused, failed, removed, bytes: this.#total() }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await withDeadline(systemClock, this.#tail, STOP_MS, () => new Error('late')).catch(() => {})
  }

  /** One thing at a time touches the disk. `work` that throws is warned of and does not stop the next. */
  #queue(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(work).catch((error) => this.#warn('evidence', error))
  }

  #day(): string {
    return this.#zone.format(this.#options.clock.now()).slice(0, 10)
  }

  async #write(passage: string, name: string, image: Uint8Array): Promise<EvidenceFile> {
    const day = this.#day()
    const folder = join(this.#root, day, passage)
    const file = `${name}.${extension(image)}`
    await mkdir(folder, { recursive: true })
    const fresh = join(folder, `.${file}.new`)
    try {
      const handle = await open(fresh, 'w')
      try {
        await handle.writeFile(image)
        await handle.sync()
      } finally {
        await handle.close()
      }
      const before = await stat(join(folder, file)).then(
        (s) => s.size,
        () => 0,
      )
      await rename(fresh, join(folder, file))
      this.#add(day, image.length - before)
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => {})
      throw error
    }
    const handle = await open(folder, 'r')
    await handle.sync().finally(() => handle.close())
    return {
      path: `evidence/${day}/${passage}/${file}`,
      sha256: createHash('sha256').update(image).digest('hex'),
      bytes: image.length,
    }
  }

  #add(day: string, bytes: number): void {
    this.#days.set(day, (this.#days.get(day) ?? 0) + bytes)
  }

  #total(): number {
    let sum = 0
    for (const bytes of this.#days.values()) sum += bytes
    return sum
  }

  async #countOld(today: string): Promise<void> {
    for (const day of await names(this.#root)) if (DAY.test(day) && day !== today) await this.#count(day)
    this.#counted = true
  }

  async #count(day: string): Promise<void> {
    for (const passage of await names(join(this.#root, day))) this.#add(day, await folderBytes(join(this.#root, day, passage)))
  }

  /** Oldest first: days past retention, then passages of the oldest day until the rest fits the quota. */
  async #tidy(): Promise<void> {
    const quota = this.#options.quotaMb * MB
    const today = this.#day()
    if (!this.#counted || (today === this.#today && this.#total() <= quota)) return
    const first = this.#zone.format(this.#options.clock.now() - (this.#options.days - 1) * 86_400_000).slice(0, 10)
    for (const day of [...this.#days.keys()].sort()) {
      if (day < first) await this.#removeDay(day)
      else if (this.#total() > quota) await this.#shrink(day, quota)
    }
    this.#today = today
  }

  async #shrink(day: string, quota: number): Promise<void> {
    for (const passage of (await names(join(this.#root, day))).sort()) {
      if (this.#total() <= quota) return
      const folder = join(this.#root, day, passage)
      const bytes = await folderBytes(folder)
      await rm(folder, { recursive: true, force: true })
      this.#add(day, -bytes)
      this.#removed++
    }
    await this.#removeDay(day)
  }

  async #removeDay(day: string): Promise<void> {
    await rm(join(this.#root, day), { recursive: true, force: true })
    this.#days.delete(day)
    this.#removed++
  }

  #warn(what: string, error: unknown): void {
    const now = this.#options.clock.mono()
    if (now - this.#warned < WARN_EVERY_MS) return
    this.#warned = now
    this.#options.log.warn({ error: messageOf(error), refused: this.#refused, failed: this.#failed }, what)
  }
}

function extension(image: Uint8Array): 'jpg' | 'png' | 'webp' {
  if (image[0] === 0x89 && image[1] === 0x50) return 'png'
  if (image[0] === 0x52 && image[1] === 0x49 && image[8] === 0x57) return 'webp'
  return 'jpg'
}

async function names(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as { code?: unknown }).code))) return []
    throw error
  }
}

async function folderBytes(dir: string): Promise<number> {
  let sum = 0
  for (const name of await names(dir)) {
    sum += await stat(join(dir, name)).then(
      (s) => s.size,
      () => 0,
    )
  }
  return sum
}
