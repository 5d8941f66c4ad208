import { readFile } from 'node:fs/promises'
import { connect as tlsConnect } from 'node:tls'
import { connect } from 'mqtt'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { mqttTransport } from '../../../firmware-bridge/transport/mqtt.ts'
import type { BrokerAccount } from '../../../gateway/broker/acl.ts'
import type { BrokerConfig, RunningBroker } from '../../../gateway/broker/config.ts'
import type { BrokerTls } from '../../../gateway/broker/listen.ts'
import type { TlsMaterial } from '../../../gateway/kernel/certificates.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { BrokerConnection } from '../../../gateway/uplink/connection.ts'
import { Certificates, type Issued } from '../../harness/certificates.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE, client, TestLog, until } from '../uplink/helpers.ts'

const made = new Certificates()
const ours = made.authority('Gate authority')
const others = made.authority('Somebody else')
const BROKER = ours.issue('broker')
const CAMERA = ours.issue('camera')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})
afterAll(() => made.remove())

const text = (file: string) => readFile(file, 'utf8')
const pems = async ({ cert, key }: Issued, ca?: string): Promise<TlsMaterial> => ({
  cert: await text(cert),
  key: await text(key),
  ...(ca === undefined ? {} : { ca: await text(ca) }),
})
const user = (name: string, password = `${name}-secret`, more: Partial<BrokerAccount> = {}): BrokerAccount => ({
  name,
  password,
  role: 'admin',
  publish: [],
  subscribe: [],
  ...more,
})

const LISTENER: Omit<BrokerTls, 'material'> = { host: '127.0.0.1', port: 0, clientCertificates: 'none' }

async function broker(tls: Partial<BrokerTls>, more: Partial<BrokerConfig> = {}): Promise<RunningBroker & { log: TestLog; url: string }> {
  const log = new TestLog()
  const config = { ...BASE, host: '127.0.0.1', port: 0, users: [user('camera'), user('centre')], maxPayloadKb: 64, ...more }
  const running = await startBroker({ ...config, tls: { ...LISTENER, material: await pems(BROKER), ...tls } }, { log, clock: systemClock })
  cleanups.push(() => running.stop())
  return { ...running, log, url: `mqtts://127.0.0.1:${running.tlsPort}` }
}

/** Both kinds of connection that the program makes. */
const LINKS = {
  'the site': (url: string, tls: TlsMaterial | undefined, name = 'camera', backoff = new Backoff(20, 100)) =>
    new BrokerConnection({
      ...{ name: 'central', url, username: name, password: `${name}-secret`, clientId: `luong-${name}` },
      ...(tls ? { tls } : {}),
      ...{ clock: systemClock, log: silentLog, backoff },
    }),
  'a device link': (url: string, tls: TlsMaterial | undefined, name = 'camera', backoff = new Backoff(20, 100)) =>
    mqttTransport({
      ...{ name: 'central', url, username: name, password: `${name}-secret` },
      ...(tls ? { tls } : {}),
      ...{ clock: systemClock, log: silentLog, backoff },
    }),
} as const

type Link = ReturnType<(typeof LINKS)[keyof typeof LINKS]>

function run(link: Link): { link: Link; why: string[]; ups: () => number } {
  const why: string[] = []
  let ups = 0
  link.onState((up, reason) => {
    if (up) ups++
    else if (reason) why.push(reason)
  })
  cleanups.push(() => link.stop())
  link.start()
  return { link, why, ups: () => ups }
}

async function says(link: Link, words: RegExp): Promise<void> {
  const { why } = run(link)
  await until(
    () => why.some((w) => words.test(w)),
    () => why.slice(-3),
  )
  expect(link.up).toBe(false)
}

for (const [name, make] of Object.entries(LINKS)) {
  describe(`TLS from ${name}`, () => {
    it('connects with the right authority, and speaks no TLS older than 1.2', async () => {
      const b = await broker({})
      const { link } = run(make(b.url, { ca: await text(ours.ca) }))
      await until(() => link.up)
      await link.publish('any/topic', 'x', { qos: 1, retain: false })
      expect(b.stats()).toMatchObject({ clients: 1, connections: 1, published: 1 })
      await link.stop()
      await until(() => b.stats().connections === 0)
    })

    it('says what is wrong with the certificate of the broker, and sends nothing', async () => {
      const good = await broker({})
      await says(make(good.url, { ca: await text(others.ca) }), /central: .*not signed by an authority that we trust.*tls\.ca/)
      await says(make(good.url, undefined), /not signed by an authority that we trust/)
      const plain = `mqtts://127.0.0.1:${good.port}`
      await says(make(plain, { ca: await text(ours.ca) }), /is it the plain port/)
      const expired = await broker({ material: await pems(ours.issue('late', { days: -1 })) })
      await says(make(expired.url, { ca: await text(ours.ca) }), /certificate.* has expired/)
      const elsewhere = await broker({ material: await pems(ours.issue('elsewhere', { names: ['DNS:gate.example'] })) })
      await says(make(elsewhere.url, { ca: await text(ours.ca) }), /is for DNS:gate\.example, which is not the name in the url.*servername/)
      const named = run(make(elsewhere.url, { ca: await text(ours.ca), servername: 'gate.example' }))
      await until(() => named.link.up)
      expect(good.stats().published + good.stats().clients).toBe(0)
    })

    it('shows its own certificate where it is asked for', async () => {
      const b = await broker({ clientCertificates: 'named', material: await pems(BROKER, ours.ca) })
      const ca = await text(ours.ca)
      const { link } = run(make(b.url, { ...(await pems(CAMERA)), ca }))
      await until(() => link.up)
      await says(make(b.url, { ca }), /asks for a client certificate|closed the connection|socket/)
      await says(make(b.url, { ...(await pems(others.issue('camera'))), ca }), /certificate|closed the connection|socket|ECONNRESET/)
      await says(
        make(b.url, { ...(await pems(ours.issue('camera', { days: -1 }))), ca }),
        /certificate|closed the connection|socket|ECONNRESET/,
      )
      // A good certificate and a good password that do not belong together.
      await says(make(b.url, { ...(await pems(CAMERA)), ca }, 'centre'), /does not accept the user name or password/)
      await until(() => b.log.lines.filter((l) => /TLS handshake failed/.test(l.message)).length >= 3)
      expect(b.log.lines.some((l) => /not that of its user/.test(l.message) && l.fields.user === 'centre')).toBe(true)
      expect(b.stats().clients).toBe(1)
    })

    it('connects again when it is given something new, and only then', async () => {
      const b = await broker({})
      const ca = await text(ours.ca)
      const { link, ups } = run(make(b.url, { ca }))
      await until(() => link.up)
      link.renew({ username: 'camera', password: 'camera-secret', tls: { ca } })
      expect(link.up).toBe(true)
      link.renew({ username: 'centre', password: 'centre-secret', tls: { ca } })
      expect(link.up).toBe(false)
      await until(() => link.up)
      expect(ups()).toBe(2)
      await until(() => b.stats().clients === 1)
    })

    it('tries at once what it is given while it is down, however long it would have waited', async () => {
      const b = await broker({})
      const ca = await text(ours.ca)
      const hour = 3_600_000
      const { link } = run(make(b.url, { ca }, 'nobody', new Backoff(hour, hour)))
      await until(() => b.log.lines.some((l) => /wrong or missing user name/.test(l.message)) && b.stats().connections === 0)
      link.renew({ username: 'camera', password: 'camera-secret', tls: { ca } })
      await until(() => link.up)
    })
  })
}

it('reaches Mosquitto with client certificates', async () => {
  const mosquitto = await startMosquitto({
    config: ['allow_anonymous true', 'cafile DIR/ca', 'certfile DIR/cert', 'keyfile DIR/key', 'require_certificate true'],
    files: { ca: await text(ours.ca), cert: await text(BROKER.cert), key: await text(BROKER.key) },
  })
  cleanups.push(() => mosquitto.stop())
  const url = `mqtts://127.0.0.1:${mosquitto.port}`
  const { link } = run(LINKS['the site'](url, { ...(await pems(CAMERA)), ca: await text(ours.ca) }))
  await until(() => link.up)
  await says(LINKS['a device link'](url, { ca: await text(ours.ca) }), /asks for a client certificate/)
})

describe('while the broker runs', () => {
  const shown = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
        socket.destroy()
      })
      socket.on('error', reject)
    })

  it('shows a new certificate to new clients; those that are connected stay', async () => {
    const b = await broker({})
    const { link, ups } = run(LINKS['the site'](b.url, { ca: await text(ours.ca) }))
    await until(() => link.up)
    const before = await shown(b.tlsPort!)
    const users = [user('camera'), user('centre')]
    b.exchange({ users, tls: { ...LISTENER, material: await pems(ours.issue('broker 2')) } })
    expect(await shown(b.tlsPort!)).not.toBe(before)
    await link.publish('still/here', 'x', { qos: 1, retain: false })
    expect(ups()).toBe(1)
  })

  it('a certificate that cannot be used changes nothing, also not the users', async () => {
    const b = await broker({})
    const { link } = run(LINKS['the site'](b.url, { ca: await text(ours.ca) }))
    await until(() => link.up)
    const before = await shown(b.tlsPort!)
    const mixed = { cert: await text(BROKER.cert), key: await text(CAMERA.key) }
    for (const material of [mixed, { cert: 'no certificate', key: 'no key' }])
      expect(() => b.exchange({ users: [], tls: { ...LISTENER, material } })).toThrow(/certificate for TLS cannot be used/)
    expect(await shown(b.tlsPort!)).toBe(before)
    expect(link.up).toBe(true)
  })

  it('cuts off a revoked user at once, and one whose password changed; others stay, with their new rights', async () => {
    const b = await broker({}, { users: [user('gone'), user('changed'), user('stays'), user('less')] })
    const plain = `mqtt://127.0.0.1:${b.port}`
    const join = async (name: string) => {
      const mqtt = connect(plain, { username: name, password: `${name}-secret`, reconnectPeriod: 0 })
      cleanups.push(() => mqtt.endAsync(true))
      mqtt.on('error', () => {})
      const closed = new Promise<void>((resolve) => mqtt.once('close', () => resolve()))
      await new Promise((resolve) => mqtt.once('connect', resolve))
      return { mqtt, closed }
    }
    const [gone, changed, stays, less] = [await join('gone'), await join('changed'), await join('stays'), await join('less')]
    b.exchange({ users: [user('changed', 'another'), user('stays'), user('less', undefined, { role: 'page' })] })
    await Promise.all([gone.closed, changed.closed])
    await stays.mqtt.publishAsync('any/topic', 'x', { qos: 1 })
    less.mqtt.publish('any/topic', 'x', { qos: 1 })
    await less.closed
    const again = client(plain, { username: 'gone', password: 'gone-secret' })
    cleanups.push(() => again.endAsync(true))
    const refused = await new Promise<Error & { code?: number }>((resolve) => again.once('error', resolve))
    expect(refused.code).toBe(4)
    const cut = b.log.lines.filter((l) => /was revoked/.test(l.message)).map((l) => l.fields.user)
    expect(cut.sort()).toEqual(['changed', 'gone'])
    expect(JSON.stringify(b.log.lines)).not.toMatch(/-secret|another/)
  })

  it('does not publish the last will of a user that is revoked', async () => {
    const b = await broker({}, { users: [user('gone'), user('stays')] })
    const plain = `mqtt://127.0.0.1:${b.port}`
    const heard: string[] = []
    const stays = connect(plain, { username: 'stays', password: 'stays-secret', reconnectPeriod: 0 })
    cleanups.push(() => stays.endAsync(true))
    stays.on('message', (topic) => heard.push(topic))
    await stays.subscribeAsync(['a/will', 'the/end'], { qos: 1 })
    const will = { topic: 'a/will', payload: Buffer.from('open'), qos: 1 as const, retain: false }
    const gone = connect(plain, { username: 'gone', password: 'gone-secret', reconnectPeriod: 0, will })
    cleanups.push(() => gone.endAsync(true))
    gone.on('error', () => {})
    await new Promise((resolve) => gone.once('connect', resolve))
    const closed = new Promise<void>((resolve) => gone.once('close', () => resolve()))
    b.exchange({ users: [user('stays')] })
    await closed
    await new Promise((resolve) => setTimeout(resolve, 200))
    await stays.publishAsync('the/end', 'x', { qos: 1 })
    while (!heard.includes('the/end')) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(heard).toEqual(['the/end'])
  })

  it('never goes without users where others can reach it', async () => {
    const b = await broker({ host: '0.0.0.0' })
    expect(() => b.exchange({ users: [] })).toThrow(/anyone on the network/)
    await expect(broker({ host: '0.0.0.0' }, { users: [] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('a port for TLS that is taken is named, and nothing is left open', async () => {
    const first = await broker({})
    const port = first.tlsPort!
    await expect(broker({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE', hint: expect.stringContaining('broker.embedded.tls.port') })
  })
})
