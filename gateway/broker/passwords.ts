/**
 * Checks passwords of users of whom only a hash is known. That is slow by design, so one is checked at a time, in a thread of Node's pool
 * (which also reads files and names for everybody else), and each only once: what was right or wrong is remembered by a digest whose
 * key is made anew at each start. A flood of connections waits in a bounded queue of its own address, and wrong ones wear out its credit.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Bucket } from '../kernel/bucket.ts'
import type { Clock } from '../kernel/clock.ts'
import { decoyHash, fitsHash, type PasswordHash } from '../kernel/password-hash.ts'

export interface Attempt {
  readonly name: string
  readonly password: Uint8Array
  /** Null: there is no such user; it takes as long to find out as with one. */
  readonly hash: PasswordHash | null
  /** Address it comes from. */
  readonly from: string
  /** Nobody waits for the answer any more. */
  readonly gone: () => boolean
}

/** busy: not checked, too many wait or were wrong; try later. */
export type Verdict = 'right' | 'wrong' | 'busy'

/** All that wait. Half of the places that the broker has at most: each is a connection that has not said who it is. */
const WAITING = 128
const WAIT_MS = 20_000
/** Wrong ones of one address: so many at once, then so many a second, are checked. */
const WRONG = { burst: 20, perS: 1 }
const ADDRESSES = 4_096
const REMEMBERED_WRONG = 1_024

interface Waiting extends Attempt {
  readonly since: number
  readonly digest: Buffer
  readonly settle: (verdict: Verdict) => void
}

export class Passwords {
  readonly #clock: Pick<Clock, 'mono'>
  readonly #key = randomBytes(32)
  /** Digest of the last right password, by user. */
  readonly #right = new Map<string, Buffer>()
  readonly #wrong = new Set<string>()
  /** By address; the first address is next. */
  readonly #queues = new Map<string, Waiting[]>()
  readonly #credit = new Map<string, Bucket>()
  #decoy: PasswordHash | null = null
  #busy = false
  /** How many were worked out, and not remembered. */
  checked = 0

  constructor(clock: Pick<Clock, 'mono'>) {
    this.#clock = clock
  }

  get waiting(): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.length, 0)
  }

  /** Forgets users who are not among `names` any more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#right.keys()) if (!names.has(name)) this.#right.delete(name)
  }

  /**
   * Always settles, at once where the password is known. @param like the hash of some user, where `hash` is null
   */
  check(attempt: Attempt, like: PasswordHash): Promise<Verdict> {
    const digest = this.#digest(attempt)
    const known = this.#known(attempt, digest)
    if (known) return Promise.resolve(known)
    const { from } = attempt
    const queue = this.#queues.get(from) ?? []
    if (this.#creditOf(from).wait(this.#clock.mono()) > 0 || !this.#room(queue)) return Promise.resolve('busy')
    this.#decoy ??= decoyHash(like)
    return new Promise((settle) => {
      queue.push({ ...attempt, since: this.#clock.mono(), digest, settle })
      this.#queues.set(from, queue)
      this.#next()
    })
  }

  /** In a full waiting room, whoever has sent most gives up a place for somebody who has sent less. */
  #room(own: readonly Waiting[]): boolean {
    if (this.waiting < WAITING) return true
    const longest = [...this.#queues.values()].reduce((a, b) => (b.length > a.length ? b : a))
    if (longest.length <= own.length + 1) return false
    longest.pop()?.settle('busy')
    return true
  }

  #next(): void {
    if (this.#busy) return
    for (let one = this.#take(); one; one = this.#take()) {
      // What was found out meanwhile, or is not worth while any more, costs nothing.
      const known = this.#known(one, one.digest)
      const now = this.#clock.mono()
      const late = one.gone() || now - one.since > WAIT_MS || this.#creditOf(one.from).wait(now) > 0
      if (known === null && !late) return void this.#work(one)
      one.settle(known ?? 'busy')
    }
  }

  async #work(one: Waiting): Promise<void> {
    this.#busy = true
    this.checked++
    let verdict: Verdict = 'busy'
    try {
      const right = await fitsHash(one.password, one.hash ?? (this.#decoy as PasswordHash))
      verdict = right && one.hash ? 'right' : 'wrong'
      this.#remember(one, verdict)
    } catch {
      // No memory for it at this moment: not checked.
    }
    this.#busy = false
    one.settle(verdict)
    this.#next()
  }

  /** Of each address in turn. */
  #take(): Waiting | undefined {
    const [first] = this.#queues
    if (!first) return
    const [from, queue] = first
    const one = queue.shift()
    this.#queues.delete(from)
    if (queue.length > 0) this.#queues.set(from, queue)
    return one
  }

  #known({ name }: Attempt, digest: Buffer): Verdict | null {
    const right = this.#right.get(name)
    if (right && timingSafeEqual(right, digest)) return 'right'
    return this.#wrong.has(digest.toString('hex')) ? 'wrong' : null
  }

  #remember({ name, digest, from }: Waiting, verdict: Verdict): void {
    if (verdict === 'right') return void this.#right.set(name, digest)
    this.#creditOf(from).take(1, this.#clock.mono())
    if (this.#wrong.size >= REMEMBERED_WRONG) this.#wrong.clear()
    this.#wrong.add(digest.toString('hex'))
  }

  #creditOf(from: string): Bucket {
    const now = this.#clock.mono()
    if (this.#credit.size >= ADDRESSES) for (const [address, credit] of this.#credit) if (credit.full(now)) this.#credit.delete(address)
    if (this.#credit.size >= ADDRESSES) this.#credit.clear()
    const credit = this.#credit.get(from) ?? new Bucket(WRONG.perS, WRONG.burst, now)
    this.#credit.set(from, credit)
    return credit
  }

  /** Another hash of the same user has another digest: a changed password is checked anew. */
  #digest({ name, password, hash }: Attempt): Buffer {
    const mac = createHmac('sha256', this.#key)
    for (const part of [Buffer.from(name, 'utf8'), hash?.salt ?? '', hash?.hash ?? '', password]) {
      mac.update(`${part.length}:`).update(part)
    }
    return mac.digest()
  }
}
