/** Certificates and keys for TLS as they stand in PEM files (RFC 7468): are they what they are said to be, and until when. */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { messageOf } from './errors.ts'

/** What one side of a TLS connection has: PEM texts. Without `ca` the authorities that Node.js ships count. */
export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that the other side's certificate must have, where it is not that of the URL. */
  readonly servername?: string
}

/** Nothing older is spoken. */
export const MIN_TLS = 'TLSv1.2'

/** Health and `luong check` begin to say that a certificate ends. */
export const EXPIRY_WARNING_DAYS = 30

const DAY_MS = 86_400_000
const BLOCK = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

/** All certificates of a PEM text, in its order. Throws an Error in words when there is none, or one cannot be read. */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(BLOCK)
  if (!blocks) {
    const other = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem)?.[1]
    throw new Error(other ? `it holds a ${other.toLowerCase()}, not a certificate` : 'it holds no certificate in PEM form')
  }
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw new Error(`certificate ${i + 1} of ${blocks.length} in it cannot be read: ${messageOf(error)}`)
    }
  })
}

/** Why a PEM text is no private key that can be used; null: it is one. */
export function keyProblem(pem: string): string | null {
  if (/ENCRYPTED/.test(pem)) return 'it is protected by a passphrase, which nobody could type at a start'
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return 'it holds no private key in PEM form'
  try {
    createPrivateKey(pem)
    return null
  } catch {
    // What OpenSSL says of a broken key helps nobody, and might show a part of it.
    return 'its private key cannot be read'
  }
}

/** Whether a private key belongs to a certificate; both are known to be readable. */
export function keyFits(certificate: X509Certificate, key: string): boolean {
  const spki = (k: Parameters<typeof createPublicKey>[0]) => createPublicKey(k).export({ type: 'spki', format: 'der' })
  return spki(createPrivateKey(key) as never).equals(certificate.publicKey.export({ type: 'spki', format: 'der' }))
}

/** How long a certificate still counts. */
export interface Validity {
  /** The common name, or the whole subject in one line. */
  readonly subject: string
  /** Wall clock, ms. */
  readonly from: number
  readonly to: number
}

/** The one of `certificates` that ends first: with it, the whole file is worth nothing. */
export function validity(certificates: readonly X509Certificate[]): Validity {
  const all = certificates.map((c) => ({ subject: commonName(c), from: Date.parse(c.validFrom), to: Date.parse(c.validTo) }))
  return all.reduce((first, one) => (one.to < first.to ? one : first))
}

/** Common name of the holder, or the whole subject in one line. */
export function commonName({ subject }: Pick<X509Certificate, 'subject'>): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')
}

/** In words, when a certificate is not valid now or ends soon; null: all is well. */
export function validityProblem({ from, to }: Validity, now: number): string | null {
  const days = (ms: number) => (ms < DAY_MS ? 'less than a day' : ms < 2 * DAY_MS ? 'a day' : `${Math.floor(ms / DAY_MS)} days`)
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  if (now > to) return `expired ${days(now - to)} ago (${day(to)})`
  if (now < from) return `is not valid before ${day(from)}; is the clock of this machine right?`
  return to - now < EXPIRY_WARNING_DAYS * DAY_MS ? `expires in ${days(to - now)} (${day(to)})` : null
}
