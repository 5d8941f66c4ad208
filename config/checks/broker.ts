/** The embedded broker: who can reach it, its ports, its users. */
import type { Site } from '../schema/site.ts'
import type { Finding, SiteView } from './view.ts'

const PATH = ['broker', 'embedded'] as const

export function checkBroker({ broker, http }: SiteView): Finding[] {
  if (broker === null || !('embedded' in broker)) return []
  const { host, port, users, tls } = broker.embedded
  const out: Finding[] = []
  const taken = (path: readonly string[], wanted: number, by: string) =>
    out.push({ path, message: `port ${wanted} is already taken by ${by}`, hint: 'choose another' })
  const anybody = { hint: 'add users, or listen on 127.0.0.1' }
  if (!isLoopback(host) && users.length === 0)
    out.push({ path: [...PATH, 'host'], message: `the broker would listen on ${host} for anybody`, ...anybody })
  if (tls && !isLoopback(tls.host) && users.length === 0)
    out.push({ path: [...PATH, 'tls', 'host'], message: `the broker would listen on ${tls.host} for anybody`, ...anybody })
  users.forEach((user, i) => {
    if (users.findIndex((u) => u.name === user.name) < i)
      out.push({ path: [...PATH, 'users', i, 'name'], message: `there are two users named ${user.name}` })
  })
  if (http !== null && port !== 0 && port === http.port) taken(['http', 'port'], port, 'the broker')
  if (!tls) return out
  if (tls.port !== 0 && tls.port === port) taken([...PATH, 'tls', 'port'], port, 'the plain listener')
  if (http !== null && tls.port !== 0 && tls.port === http.port) taken(['http', 'port'], tls.port, 'the broker')
  if (tls.client_certificates !== 'none' && !tls.ca)
    out.push({
      path: [...PATH, 'tls', 'client_certificates'],
      message: 'needs `ca`: who must have signed them',
      hint: 'give the certificate of that authority',
    })
  if (tls.client_certificates === 'none' && tls.ca)
    out.push({
      path: [...PATH, 'tls', 'ca'],
      message: 'has no effect: certificates of clients are not asked for',
      hint: 'set client_certificates: required, or leave it out',
      severity: 'warning',
    })
  return out
}

export const isLoopback = (host: Site['http']['host']): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
