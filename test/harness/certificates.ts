/** Authorities and certificates made on the spot with openssl (Debian package `openssl`): nothing secret is ever committed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LuongError } from '../../gateway/kernel/errors.ts'

export interface Issued {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
}

export interface IssueOptions {
  /** `DNS:gate.example` or `IP:127.0.0.1`; default: both of this machine. */
  readonly names?: readonly string[]
  /** From today on; -1: it ended yesterday. Default 365. */
  readonly days?: number
}

export interface Authority {
  /** Path of its certificate. */
  readonly ca: string
  /** A certificate for `name` (its CN), and its key. */
  issue(name: string, options?: IssueOptions): Issued
}

/** A folder with what was made; `remove` deletes it. */
export class Certificates {
  readonly dir = mkdtempSync(join(tmpdir(), 'luong-tls-'))
  #made = 0

  authority(name: string): Authority {
    const base = this.#file(name)
    const [ca, key] = [`${base}.pem`, `${base}.key`]
    openssl(['req', '-x509', ...NEW_KEY, '-nodes', '-subj', `/CN=${name}`, '-days', '3650', '-keyout', key, '-out', ca])
    return { ca, issue: (subject, options = {}) => this.#issue({ ca, key }, subject, options) }
  }

  #issue(
    by: { ca: string; key: string },
    subject: string,
    { names = ['DNS:localhost', 'IP:127.0.0.1'], days = 365 }: IssueOptions,
  ): Issued {
    const base = this.#file(subject)
    const [cert, key, request, extensions] = [`${base}.pem`, `${base}.key`, `${base}.csr`, `${base}.ext`]
    openssl(['req', '-new', ...NEW_KEY, '-nodes', '-subj', `/CN=${subject}`, '-keyout', key, '-out', request])
    writeFileSync(extensions, `subjectAltName=${names.join(',')}\nbasicConstraints=CA:FALSE\n`)
    const signed = ['-CA', by.ca, '-CAkey', by.key, '-CAcreateserial', '-extfile', extensions]
    openssl(['x509', '-req', '-in', request, '-days', String(days), ...signed, '-out', cert])
    return { cert, key }
  }

  /** A copy of two files under other names, to be overwritten later. */
  place(name: string, { cert, key }: Issued): Issued {
    const at = { cert: join(this.dir, `${name}-live.pem`), key: join(this.dir, `${name}-live.key`) }
    writeFileSync(at.cert, readFileSync(cert))
    writeFileSync(at.key, readFileSync(key), { mode: 0o600 })
    return at
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }

  #file(name: string): string {
    this.#made++
    return join(this.dir, `${this.#made}-${name.replace(/[^\w-]/g, '_')}`)
  }
}

/** Made in a few ms, unlike RSA keys. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

function openssl(args: readonly string[]): void {
  const { status, error, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (error)
    throw new LuongError('PROGRAM_MISSING', 'openssl is not installed', { hint: 'Install the Debian package openssl.', cause: error })
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
}
