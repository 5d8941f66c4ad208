import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { explain } from '../../config/explain.ts'
import { loadSite } from '../../config/load.ts'
import { certificatesOf } from '../../config/tls-files.ts'
import { Certificates } from '../harness/certificates.ts'
import { changed, inFolder, SITE, told } from './harness.ts'

const made = new Certificates()
const authority = made.authority('Gate authority')
const gate = authority.issue('gate', { days: 100 })
afterAll(() => made.remove())

const text = (file: string) => readFile(file, 'utf8')
const DAY = 86_400_000

/** The site with an uplink or a broker of its own, and what `luong check` says of it beside these files. */
async function says(more: string, now = Date.now()): Promise<{ lines: string[]; right: boolean }> {
  const files = {
    'ca.pem': await text(authority.ca),
    'gate.pem': await text(gate.cert),
    'gate.key': await text(gate.key),
    'other.key': await text(authority.issue('other').key),
    'broken.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'locked.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    empty: '',
  }
  const { lines, loaded } = await told({ ...files, 'site.yaml': changed(['rules: [', `${more}\nrules: [`]) }, { env: {}, now: () => now })
  return { lines: lines.filter((l) => !/every user of this machine/.test(l)), right: loaded !== undefined }
}

const uplink = (tls: string, url = 'mqtts://centre.example:8883') => `uplink: { url: "${url}", tls: ${tls} }`
const embedded = (tls: string) => `broker: { embedded: { users: [{ name: a, role: page, password: { file: gate.key } }], tls: ${tls} } }`

test('certificates that are right are right', async () => {
  expect(await says(uplink('{ ca: ca.pem, cert: gate.pem, key: gate.key, servername: centre }'))).toEqual({ lines: [], right: true })
  expect(await says(embedded('{ cert: gate.pem, key: gate.key, ca: ca.pem, client_certificates: named }'))).toEqual({
    lines: [],
    right: true,
  })
})

describe('each mistake is told with its place, the file, and what to do', () => {
  test.each<[string, string, RegExp]>([
    [
      'a file that is not there',
      uplink('{ ca: none.pem }'),
      /^site.yaml:31:58 uplink.tls.ca: none.pem: it cannot be read: there is no such file \(looked for /,
    ],
    ['a key where a certificate belongs', uplink('{ ca: gate.key }'), /ca: gate.key: it holds a private key, not a certificate/],
    ['an empty file', uplink('{ ca: empty }'), /empty: it holds no certificate in PEM form/],
    ['a broken certificate', uplink('{ ca: broken.pem }'), /broken.pem: certificate 1 of 1 in it cannot be read/],
    ['a certificate where a key belongs', uplink('{ cert: gate.pem, key: ca.pem }'), /ca.pem: it holds no private key/],
    ['a key with a passphrase', uplink('{ cert: gate.pem, key: locked.key }'), /locked.key: it is protected by a passphrase/],
    [
      'the key of another certificate',
      uplink('{ cert: gate.pem, key: other.key }'),
      /other.key is not the key of the certificate gate.pem \(were they renewed/,
    ],
    ['a certificate without its key', uplink('{ cert: gate.pem }'), /cert: needs `key` beside it/],
    ['a key without its certificate', uplink('{ key: gate.key }'), /key: needs `cert` beside it/],
    ['an address without TLS', uplink('{ ca: ca.pem }', 'mqtt://centre.example'), /uplink.tls: needs addresses that begin with mqtts/],
    ['a listener without certificate', embedded('{ key: gate.key }'), /broker.embedded.tls.cert: is missing/],
    [
      'client certificates of nobody',
      embedded('{ cert: gate.pem, key: gate.key, client_certificates: required }'),
      /needs `ca`: who must have signed/,
    ],
    [
      'one port for two listeners',
      embedded('{ cert: gate.pem, key: gate.key, port: 1883 }'),
      /port 1883 is already taken by the plain listener/,
    ],
    [
      'anybody on the network',
      'broker: { embedded: { tls: { cert: gate.pem, key: gate.key } } }',
      /tls.host: the broker would listen on 0.0.0.0 for anybody \(add users, or listen on 127.0.0.1\)/,
    ],
  ])('%s', async (_, more, words) => {
    const { lines, right } = await says(more)
    expect(lines.join('\n')).toMatch(words)
    expect(right).toBe(false)
    expect(lines.join()).not.toMatch(/BEGIN|AAAA/)
  })
})

test('a certificate that ends within 30 days, or has ended, is a warning: the lanes work all the same', async () => {
  const line = uplink('{ ca: ca.pem, cert: gate.pem, key: gate.key }')
  const at = async (day: number) => await says(line, Date.now() + day * DAY)
  expect(await at(60)).toEqual({ lines: [], right: true })
  const soon = await at(80)
  expect(soon.lines).toEqual([
    expect.stringMatching(/warning.*gate.pem: the certificate of gate expires in \d\d days \(20\d\d-\d\d-\d\d\) \(renew it, then reload/),
  ])
  expect(soon.right).toBe(true)
  expect((await at(103)).lines).toEqual([expect.stringMatching(/gate.pem: the certificate of gate expired 2 days ago|expired 3 days ago/)])
  // A clock that begins in 1970 makes no certificate wrong for good.
  const early = await says(line, 0)
  expect(early.lines).toHaveLength(2)
  expect(early.lines[0]).toMatch(/is not valid before 20.*is the clock of this machine right\?/)
})

test('a key that everybody may read is a warning; what was read stands in the site, not its text in the hash', async () => {
  const site = changed(['rules: [', `${uplink('{ ca: ca.pem, cert: gate.pem, key: gate.key }')}\nrules: [`])
  await inFolder({ 'site.yaml': site, 'ca.pem': await text(authority.ca) }, async (folder) => {
    await writeFile(join(folder, 'gate.pem'), await text(gate.cert))
    await writeFile(join(folder, 'gate.key'), await text(gate.key), { mode: 0o644 })
    const open = await loadSite(join(folder, 'site.yaml'), { env: {} })
    expect(open.warnings.map((w) => explain(w)).join()).toMatch(/gate.key: every user of this machine can read this key \(chmod o-r/)
    await chmod(join(folder, 'gate.key'), 0o600)
    const renewed = authority.issue('gate')
    await writeFile(join(folder, 'gate.pem'), await text(renewed.cert))
    await writeFile(join(folder, 'gate.key'), await text(renewed.key))
    const closed = await loadSite(join(folder, 'site.yaml'), { env: {} })
    expect(closed.warnings).toEqual([])
    expect(closed.hash).toBe(open.hash)
    expect(closed.site.uplink?.tls?.key?.pem).toBe(await text(renewed.key))
    expect(JSON.stringify(closed.site)).not.toContain('PRIVATE')
    expect(certificatesOf(closed.site).map(({ use, file, subject }) => [use, file, subject])).toEqual([
      ['uplink.tls.ca', 'ca.pem', 'Gate authority'],
      ['uplink.tls.cert', 'gate.pem', 'gate'],
    ])
  })
})

test('a site without certificates names none', async () => {
  const { loaded } = await told({ 'site.yaml': SITE })
  expect(certificatesOf(loaded?.site)).toEqual([])
})
