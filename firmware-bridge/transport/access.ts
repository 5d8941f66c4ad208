/** How a client proves to a broker who it is, and the broker to it: what mqtt.js is given, the same for every connection. */
import type { IClientOptions } from 'mqtt'
import { MIN_TLS, type TlsMaterial } from '../../gateway/kernel/certificates.ts'

export interface BrokerAccess {
  readonly username?: string
  readonly password?: string
  readonly tls?: TlsMaterial
}

/** A PEM text, or what holds it (config/schema/tls.ts). */
type Pem = string | { readonly pem: string } | undefined

export interface TlsSettings {
  readonly ca?: Pem
  readonly cert?: Pem
  readonly key?: Pem
  readonly servername?: string | undefined
}

/** The same as the site file says it. */
export interface AccessSettings {
  readonly username?: string | undefined
  /** The password, or something that gives it out (config/schema/secret.ts). */
  readonly password?: string | { reveal(): string } | undefined
  readonly tls?: TlsSettings | undefined
}

/** Name, password and certificates, where there are any, and nothing else. */
export function accessOf({ username, password, tls }: AccessSettings): BrokerAccess {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: typeof password === 'string' ? password : password.reveal() }),
    ...(tls === undefined ? {} : { tls: materialOf(tls) }),
  }
}

/** The texts of the files. */
export function materialOf({ ca, cert, key, servername }: TlsSettings): TlsMaterial {
  const text = (pem: Exclude<Pem, undefined>) => (typeof pem === 'string' ? pem : pem.pem)
  return {
    ...(ca === undefined ? {} : { ca: text(ca) }),
    ...(cert === undefined ? {} : { cert: text(cert) }),
    ...(key === undefined ? {} : { key: text(key) }),
    ...(servername === undefined ? {} : { servername }),
  }
}

/** @param url mqtt://, mqtts://, ws:// or wss://; TLS is spoken where the url says so, and certificates are always checked */
export function accessOptions(url: string, { username, password, tls }: BrokerAccess): IClientOptions {
  const { servername, ...pems } = tls ?? {}
  const secure = { ...pems, ...(servername === undefined ? {} : { servername }), minVersion: MIN_TLS, rejectUnauthorized: true } as const
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(url.startsWith('wss:') ? { wsOptions: secure } : /^(mqtts|ssl):/.test(url) ? secure : {}),
  }
}

/** Why a link is closed and made again. */
export const RENEWED = 'connecting again with new credentials'

/** Whether nothing would be different on the next connection. */
export function sameAccess(a: BrokerAccess, b: BrokerAccess): boolean {
  const parts = ({ username, password, tls }: BrokerAccess) => [username, password, tls?.ca, tls?.cert, tls?.key, tls?.servername]
  const others = parts(b)
  return parts(a).every((part, i) => part === others[i])
}
