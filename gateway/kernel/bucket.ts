/** What is left of a debt by rounding: nobody waits for it. */
const DUST = 1e-6

/** A token bucket that may go into debt: what has come is paid afterwards. */
export class Bucket {
  #perS: number
  #most: number
  #tokens: number
  #at: number
  /** @param now mono, ms */
  constructor(perS: number, most: number, now: number) {
    this.#perS = perS
    this.#most = most
    this.#tokens = most
    this.#at = now
  }
  /** Another rate from now on; what is owed stays owed. */
  change(perS: number, most: number, now: number): void {
    this.#fill(now)
    this.#perS = perS
    this.#most = most
    this.#tokens = Math.min(this.#tokens, most)
  }
  take(n: number, now: number): void {
    this.#fill(now)
    this.#tokens -= n
  }
  /** How long until nothing is owed, ms. */
  wait(now: number): number {
    this.#fill(now)
    return this.#tokens >= -DUST ? 0 : Math.ceil((-this.#tokens / this.#perS) * 1_000)
  }
  /** Nothing was taken for so long that it is as good as new. */
  full(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= this.#most
  }
  #fill(now: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#at) / 1_000) * this.#perS)
    this.#at = now
  }
}
