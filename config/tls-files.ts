/** Reads the PEM files of a parsed site and says what is wrong with them. */
import type { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { keyFits, keyProblem, readCertificates, type Validity, validity, validityProblem } from '../gateway/kernel/certificates.ts'
import { messageOf } from '../gateway/kernel/errors.ts'
import type { Finding } from './checks/view.ts'
import { reason } from './origin.ts'
import { PemFile } from './schema/tls.ts'
import { type Found, findAll } from './secrets.ts'

const MAX_LENGTH = 1_000_000

/** All PEM files in parsed settings, with their paths. */
export const findPems = (value: unknown): Found<PemFile>[] => findAll(value, PemFile)

const isKey = ({ path }: Found<PemFile>) => path.at(-1) === 'key'

/**
 * Reads them; answers what is wrong, and as warnings what soon will be.
 * @param fileOf the file in which the value at a path is written: names are relative to it
 * @param now wall clock, ms
 */
export async function resolvePems(
  found: readonly Found<PemFile>[],
  fileOf: (path: readonly PropertyKey[]) => string,
  now: number,
): Promise<Finding[]> {
  const read = await Promise.all(found.map((f) => readOne(f, resolve(dirname(fileOf(f.path)), f.value.source), now)))
  return [...read.flat(), ...pairs(found)]
}

async function readOne(one: Found<PemFile>, file: string, now: number): Promise<Finding[]> {
  const { path, value } = one
  const say = (message: string, hint: string, severity?: 'warning'): Finding[] => [
    { path, message: `${value.source}: ${message}`, hint, ...(severity ? { severity } : {}) },
  ]
  let pem: string
  let open = false
  try {
    const { mode, size } = await stat(file)
    if (size > MAX_LENGTH) return say('it is too large', `at most ${MAX_LENGTH} bytes`)
    open = (mode & 0o004) !== 0
    pem = await readFile(file, 'utf8')
  } catch (error) {
    return say(`it cannot be read: ${reason(error)}`, `looked for ${file}; the user that runs the program must be able to read it`)
  }
  if (isKey(one)) {
    const wrong = keyProblem(pem)
    if (wrong) return say(wrong, 'write the key without passphrase: openssl pkey -in KEY -out KEY.pem, readable by its owner alone')
    value.resolve(pem, [])
    return open ? say('every user of this machine can read this key', `chmod o-r ${file}`, 'warning') : []
  }
  let certificates: X509Certificate[]
  try {
    certificates = readCertificates(pem)
  } catch (error) {
    return say(messageOf(error), 'openssl x509 -in FILE -noout -text shows what a certificate is')
  }
  value.resolve(pem, certificates)
  const held = validity(certificates)
  const ends = validityProblem(held, now)
  return ends ? say(`the certificate of ${held.subject} ${ends}`, 'renew it, then reload (SIGHUP)', 'warning') : []
}

/** Certificate and key side by side. */
function pairs(found: readonly Found<PemFile>[]): Finding[] {
  const beside = (f: Found<PemFile>, name: string) =>
    found.find(({ path }) => path.length === f.path.length && path.at(-1) === name && f.path.slice(0, -1).every((p, i) => p === path[i]))
  return found.flatMap((f): Finding[] => {
    const name = f.path.at(-1)
    if (name !== 'cert' && name !== 'key') return []
    const other = beside(f, name === 'cert' ? 'key' : 'cert')
    if (!other) return [{ path: f.path, message: `needs ${name === 'cert' ? '`key`' : '`cert`'} beside it`, hint: 'give both, or none' }]
    const leaf = f.value.certificates[0]
    if (name === 'key' || !leaf || !readable(other.value) || keyFits(leaf, other.value.pem)) return []
    const message = `${other.value.source} is not the key of the certificate ${f.value.source}`
    return [
      { path: other.path, message, hint: 'were they renewed together? The certificate comes first in its file, its authorities after it' },
    ]
  })
}

function readable(file: PemFile): boolean {
  try {
    return file.pem !== ''
  } catch {
    return false
  }
}

/** How long what a site file names is valid, for health and metrics. */
export interface KnownCertificate extends Validity {
  /** Setting: `uplink.tls.ca`. */
  readonly use: string
  /** As written in the site file. */
  readonly file: string
}

/** All certificates that a loaded site uses. */
export function certificatesOf(site: unknown): KnownCertificate[] {
  return findPems(site).flatMap((f) =>
    f.value.certificates.length === 0 ? [] : [{ use: f.path.join('.'), file: f.value.source, ...validity(f.value.certificates) }],
  )
}
