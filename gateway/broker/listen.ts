/** Where the embedded broker listens: plain TCP, and TLS beside it. */
import type { Server } from 'node:net'
import { createSecureContext, createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { commonName, MIN_TLS, type TlsMaterial } from '../kernel/certificates.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'

/** A listener with TLS. */
export interface BrokerTls {
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  readonly material: TlsMaterial
  /** named: a client's certificate has the name of its user as common name. */
  readonly clientCertificates: 'none' | 'required' | 'named'
}

/** What new connections get. Throws CONFIG_INVALID on material that OpenSSL does not take. */
function secureOptions({ material, clientCertificates }: BrokerTls): TlsOptions {
  const { ca, cert, key } = material
  const asks = clientCertificates !== 'none'
  return {
    minVersion: MIN_TLS,
    requestCert: asks,
    rejectUnauthorized: asks,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(asks && ca !== undefined ? { ca } : {}),
  }
}

const unusable = (error: unknown) =>
  new LuongError('CONFIG_INVALID', `broker: the certificate for TLS cannot be used: ${messageOf(error)}`, {
    hint: 'See broker.embedded.tls and `luong check`.',
    cause: error,
  })

/** Throws CONFIG_INVALID on material that cannot be used. */
export function checkTls(tls: BrokerTls): void {
  try {
    createSecureContext(secureOptions(tls))
  } catch (error) {
    throw unusable(error)
  }
}

/** @param handshakeMs a client that has not finished the handshake by then is closed */
export function tlsServer(tls: BrokerTls, handshakeMs: number, accept: (socket: TLSSocket) => void): TlsServer {
  try {
    const server = createTlsServer({ ...secureOptions(tls), handshakeTimeout: handshakeMs, noDelay: true, keepAlive: true }, accept)
    return server
  } catch (error) {
    throw unusable(error)
  }
}

/** New connections get these certificates; those that are open go on. Throws CONFIG_INVALID, and then changes nothing. */
export function exchangeTls(server: TlsServer, tls: BrokerTls): void {
  try {
    server.setSecureContext(secureOptions(tls))
  } catch (error) {
    throw unusable(error)
  }
}

/** Common name of a client's certificate; null: it has none, or did not show one. */
export function clientName(socket: Pick<TLSSocket, 'getPeerX509Certificate'>): string | null {
  const certificate = socket.getPeerX509Certificate()
  return certificate ? commonName(certificate) : null
}

/** @param setting where in the site file the address stands, for hints */
export function listen(server: Server, { host, port }: { host: string; port: number }, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        const hint = `Stop the program that uses port ${port} (see: ss -ltnp), or set another ${setting}.port (0: any free one).`
        return reject(new LuongError('PORT_IN_USE', `broker: port ${port} on ${host} is taken by another program`, { hint, cause: error }))
      }
      const hint =
        error.code === 'EACCES' ? 'Ports below 1024 need rights; choose another.' : `Set ${setting}.host to an address of this machine.`
      reject(new LuongError('CONFIG_INVALID', `broker: cannot listen on ${host} port ${port}: ${error.message}`, { hint, cause: error }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** 127.0.0.0/8, ::1 and localhost, also as IPv4 mapped into IPv6. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host)
}
