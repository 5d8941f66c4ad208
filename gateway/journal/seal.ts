/**
 * Sealed heads: where the journal stood, signed with the box's own key (Ed25519, RFC 8032). The hash chain shows a change only to somebody
 * who knows a later hash; a centre that keeps sealed heads knows one, and that it came from this box. Whoever then rewrites the
 * journal, or cuts off its end, is found by `luong journal --verify --against`.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { syncFolder } from './database.ts'
import type { JournalHead } from './journal.ts'

/** What is signed. */
export interface HeadClaim extends JournalHead {
  readonly site: string
  /** Of the run that signed. */
  readonly boot: string
  /** RFC 3339, by the site's clock. */
  readonly at: string
}

export interface SealedHead extends HeadClaim {
  /** Public key: SPKI in DER, base64. */
  readonly key: string
  /** Over {@link signedText}, base64. */
  readonly signature: string
}

export interface Seal {
  readonly key: string
  /** First 16 hex digits of the public key's SHA-256, for people to compare. */
  readonly fingerprint: string
  sign(claim: HeadClaim): SealedHead
}

const FILE = 'identity.pem'

/** The bytes that are signed, as text: a JSON array in this order, so that any language makes the same. */
export function signedText({ site, boot, sequence, entry, hash, at }: HeadClaim): string {
  return JSON.stringify(['luong.head.v1', site, boot, sequence, entry, hash, at])
}

/** Whether the data folder has a key already. */
export const sealed = (dir: string): boolean => existsSync(join(dir, FILE))

/**
 * The key of the data folder, made on the first start (readable by its owner alone). It is not part of backups.
 * @throws JOURNAL_UNAVAILABLE when it can be neither read nor made
 */
export function openSeal(dir: string): Seal {
  const file = join(dir, FILE)
  try {
    return sealOf(existsSync(file) ? createPrivateKey(readFileSync(file)) : create(dir, file))
  } catch (cause) {
    throw new LuongError('JOURNAL_UNAVAILABLE', `${file}: the key that signs the journal cannot be used: ${messageOf(cause)}`, {
      hint: 'Put it back from where it was saved, or delete it: then a new key is made, and the centre must be told.',
      cause,
    })
  }
}

/** Whole or not at all, also when the power goes. */
function create(dir: string, file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519')
  const fresh = `${file}.new`
  writeFileSync(fresh, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
  syncFolder(dir)
  return privateKey
}

function sealOf(privateKey: KeyObject): Seal {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key')
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const key = der.toString('base64')
  return {
    key,
    fingerprint: fingerprint(key),
    sign: (claim) => ({ ...claim, key, signature: signBytes(null, Buffer.from(signedText(claim)), privateKey).toString('base64') }),
  }
}

/** First 16 hex digits of the SHA-256 of a public key (base64 of its DER). */
export function fingerprint(key: string): string {
  return createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 16)
}

/** Whether the signature is the key's own. Never throws. */
export function genuine(head: SealedHead): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(head.key, 'base64'), type: 'spki', format: 'der' })
    return (
      key.asymmetricKeyType === 'ed25519' && verifyBytes(null, Buffer.from(signedText(head)), key, Buffer.from(head.signature, 'base64'))
    )
  } catch {
    return false
  }
}
