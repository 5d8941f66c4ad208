/**
 * Passwords that are kept as a hash: scrypt (RFC 7914) by OpenSSL, written as a PHC string, `$scrypt$ln=15,r=8,p=3$SALT$HASH`, where N is
 * 2^ln and salt and hash are base64 without padding.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

export interface ScryptCost {
  /** log2 of N. */
  readonly ln: number
  readonly r: number
  readonly p: number
}

export interface PasswordHash extends ScryptCost {
  /** Not Buffers: they go to another thread, and come out of it as what they are here. */
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** 32 MiB and a quarter of a second on a small box: what OWASP asks for (N 2^15, r 8, p 3). */
export const PASSWORD_COST: ScryptCost = { ln: 15, r: 8, p: 3 }

/** The work of one check, N·r·p, from where guessing is no longer cheap to where one check is no longer quick; its memory, bytes. */
const WORK = { least: 2 ** 14 * 8, most: 2 ** 21 }
const MEMORY = 64 * 1024 * 1024
const [SALT_BYTES, HASH_BYTES] = [16, 32]
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** @throws Error in words that do not repeat the text: a password may have been written there by mistake */
export function readPasswordHash(text: string): PasswordHash {
  const kind = /^\$([a-z0-9-]{1,16})\$/.exec(text)?.[1]
  if (kind !== undefined && kind !== 'scrypt') throw new Error(`it is made with ${kind}; only scrypt is understood`)
  const found = FORM.exec(text)
  if (!found) throw new Error('it is no password hash ($scrypt$ln=…,r=…,p=…$SALT$HASH)')
  const [ln = 0, r = 0, p = 0] = found.slice(1, 4).map(Number)
  const [salt, hash] = [bytes(found[4]), bytes(found[5])]
  const work = 2 ** ln * r * p
  if (work < WORK.least) throw new Error(`ln=${ln},r=${r},p=${p} is too weak: passwords could be guessed quickly`)
  if (work > WORK.most || memory({ ln, r }) > MEMORY) throw new Error(`ln=${ln},r=${r},p=${p} is too much work for each connection`)
  if (salt === null || salt.length < 8 || salt.length > 64) throw new Error('its salt must be 8 to 64 bytes in base64 without padding')
  if (hash === null || hash.length < 16 || hash.length > 64) throw new Error('its hash must be 16 to 64 bytes in base64 without padding')
  return { ln, r, p, salt, hash }
}

/** Null: this is not how these bytes are written. */
function bytes(text = ''): Buffer | null {
  const read = Buffer.from(text, 'base64')
  return base64(read) === text ? read : null
}

const base64 = (of: Buffer) => of.toString('base64').replace(/=+$/, '')
const memory = ({ ln, r }: Pick<ScryptCost, 'ln' | 'r'>) => 128 * r * 2 ** ln

/** The PHC string of a password, with a salt of its own. */
export async function hashPassword(password: string, cost: ScryptCost = PASSWORD_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(Buffer.from(password, 'utf8'), { ...cost, salt }, HASH_BYTES)
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(hash)}`
}

/** Whether it is the password. Works in a thread of Node's pool; comparing takes the same time wherever they differ. */
export async function fitsHash(password: Uint8Array, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, known, known.hash.length), known.hash)
}

/** A hash that no password is known for: checking against it takes as long as against `like`. */
export function decoyHash(like: PasswordHash): PasswordHash {
  return { ...like, salt: randomBytes(like.salt.length), hash: randomBytes(like.hash.length) }
}

export function sameHash(a: PasswordHash, b: PasswordHash): boolean {
  return a.ln === b.ln && a.r === b.r && a.p === b.p && Buffer.compare(a.salt, b.salt) === 0 && Buffer.compare(a.hash, b.hash) === 0
}

function derive(password: Uint8Array, { ln, r, p, salt }: Omit<PasswordHash, 'hash'>, length: number): Promise<Buffer> {
  // OpenSSL counts a little more than the formula.
  const options = { N: 2 ** ln, r, p, maxmem: memory({ ln, r }) + 1024 * 1024 + 256 * r * p }
  return new Promise((done, fail) => scrypt(password, salt, length, options, (error, key) => (error ? fail(error) : done(key))))
}
