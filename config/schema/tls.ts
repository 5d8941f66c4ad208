/** Certificates and keys: named in the site file, kept in PEM files beside it. */
import type { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { about, host, line, tcpPort } from './common.ts'

/** A PEM file. The loader reads and checks it; what was read then is what is used until the next reload. */
export class PemFile {
  /** As written in the site file. */
  readonly source: string
  #pem: string | undefined
  #certificates: readonly X509Certificate[] = []
  constructor(source: string) {
    this.source = source
  }
  /** Called once by the loader. */
  resolve(pem: string, certificates: readonly X509Certificate[]): void {
    this.#pem = pem
    this.#certificates = certificates
  }
  /** The text. Throws when the site was not loaded through `loadSite`. */
  get pem(): string {
    if (this.#pem === undefined) throw new Error('file used before it was read: load the site with loadSite')
    return this.#pem
  }
  /** Empty for a key. */
  get certificates(): readonly X509Certificate[] {
    return this.#certificates
  }
  /** The name only: a renewed certificate is no other configuration. */
  toJSON(): string {
    return this.source
  }
}

const pemFile = (title: string, description: string) =>
  line(1_000)
    .meta(about(title, `${description} PEM file, relative to the file this is written in.`))
    .transform((source): PemFile => new PemFile(source))

const chain = 'the authorities in between after it.'

/** How this program connects to a broker over TLS. */
export const clientTls = z
  .strictObject({
    ca: pemFile('Authority', "Who must have signed the broker's certificate. Absent: the public authorities.").optional(),
    cert: pemFile('Certificate', `Shown to a broker that asks for one, ${chain}`).optional(),
    key: pemFile('Key', 'Private key of `cert`, without passphrase.').optional(),
    servername: host.optional().meta(about('Server name', "Name in the broker's certificate, when the URL has another one.")),
  })
  .optional()
  .meta(about('TLS', 'For mqtts:// and wss://. Absent: the broker must have a certificate of a public authority.'))

/** A listener with TLS beside the plain one. */
export const serverTls = z
  .strictObject({
    host: host.default('0.0.0.0').meta(about('Host', 'Address to listen on. Anything but loopback needs users.')),
    port: tcpPort(0).default(8883).meta(about('Port', 'TCP port to listen on; 0: any free one.')),
    cert: pemFile('Certificate', `Certificate of this broker, ${chain}`),
    key: pemFile('Key', 'Private key of `cert`, without passphrase.'),
    ca: pemFile('Authority', "Who must have signed the clients' certificates.").optional(),
    client_certificates: z
      .enum(['none', 'required', 'named'])
      .default('none')
      .meta(
        about(
          'Client certificates',
          'none: not asked for; required: only clients with a certificate of `ca` connect; named: and its common name (CN) is the user name. The password is needed all the same.',
        ),
      ),
  })
  .optional()
  .meta(about('TLS', 'A second listener with TLS, beside the plain one, which may stay on loopback. Absent: none.'))

type ClientTls = NonNullable<z.output<typeof clientTls>>

interface Addressed {
  readonly url?: string | undefined
  /** Further addresses of the same broker. */
  readonly others?: readonly string[] | undefined
  readonly tls?: ClientTls | undefined
}

/** For objects with `url` and `tls`: certificates belong to addresses that are spoken to over TLS. */
export const tlsNeedsUrl: [(o: Addressed) => boolean, { path: string[]; message: string }] = [
  ({ url = '', others = [], tls }) => !tls || [url, ...others].every((address) => /^(mqtts|wss):/.test(address)),
  { path: ['tls'], message: 'needs addresses that begin with mqtts:// or wss://' },
]
