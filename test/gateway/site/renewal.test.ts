import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { afterAll, afterEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { loadSite } from '../../../config/load.ts'
import { buildDevices } from '../../../firmware-bridge/build.ts'
import { memoryLine } from '../../../firmware-bridge/transport/memory.ts'
import { mqttTransport } from '../../../firmware-bridge/transport/mqtt.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { Gateway } from '../../../gateway/site/gateway.ts'
import { Renewal } from '../../../gateway/site/renewal.ts'
import { Certificates, type Issued } from '../../harness/certificates.ts'
import { LabelPool } from '../../harness/chaos-site.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { TestLog, until } from '../uplink/helpers.ts'

const made = new Certificates()
const authority = made.authority('Gate authority')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})
afterAll(() => made.remove())

const copy = async ({ cert, key }: Issued, to: (name: string) => string, name: string) => {
  await writeFile(to(`${name}.pem`), await readFile(cert))
  await writeFile(to(`${name}.key`), await readFile(key), { mode: 0o600 })
}

/** A small site whose broker and uplink both speak TLS, with its secrets in files and in the environment. */
async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'luong-renewal-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  await writeFile(at('ca.pem'), await readFile(authority.ca))
  await copy(authority.issue('broker'), at, 'broker')
  await copy(authority.issue('gate'), at, 'gate')
  await writeFile(at('page-password'), 'hunter2-page\n')
  await writeFile(at('camera-password'), 'hunter2-camera\n')
  await writeFile(at('uplink-password'), 'hunter2-uplink\n')
  const material = { cert: await readFile(authority.issue('centre').cert, 'utf8'), key: '', ca: await readFile(authority.ca, 'utf8') }
  const issued = authority.issue('centre')
  const tls = { host: '127.0.0.1', port: 0, clientCertificates: 'required' as const }
  const gate = { role: 'admin' as const, publish: [], subscribe: [] }
  const centre = await startBroker(
    {
      ...{ root: 'luong/v1', site: 'centre', host: '127.0.0.1', port: 0, maxPayloadKb: 64 },
      users: [{ ...gate, name: 'gate', password: 'hunter2-uplink' }],
      tls: { ...tls, material: { ...material, cert: await readFile(issued.cert, 'utf8'), key: await readFile(issued.key, 'utf8') } },
    },
    { log: new TestLog(), clock: systemClock },
  )
  cleanups.push(() => centre.stop())
  const site = {
    version: 1,
    include: [resolve('config/sites/loi-mo.yaml')],
    http: { port: 0 },
    broker: {
      embedded: {
        port: 0,
        tls: { host: '127.0.0.1', port: 0, cert: 'broker.pem', key: 'broker.key' },
        users: [
          { name: 'page', role: 'page', password: { file: 'page-password' } },
          { name: 'camera', role: 'device', password: { file: 'camera-password' }, devices: ['camera'] },
        ],
      },
    },
    uplink: {
      url: `mqtts://127.0.0.1:${centre.tlsPort}`,
      username: 'gate',
      password: { file: 'uplink-password' },
      tls: { ca: 'ca.pem', cert: 'gate.pem', key: 'gate.key' },
    },
  }
  await writeFile(at('site.yaml'), stringify(site))
  const log = new TestLog()
  const line = memoryLine('cabinet', systemClock)
  const loaded = await loadSite(at('site.yaml'), { env: {} })
  const gateway = new Gateway({ loaded, dataDir: at('data'), log, bytesFor: () => line.master, pool: new LabelPool() })
  cleanups.push(() => gateway.stop())
  await gateway.start()
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)).text()
  await until(
    () => centre.stats().clients === 1,
    () => log.lines.slice(-5),
  )
  return { at, site, centre, gateway, log, get }
}

async function join_(url: string, username: string, password: string): Promise<MqttClient & { closed: Promise<void> }> {
  const mqtt = connect(url, { username, password, reconnectPeriod: 0 })
  cleanups.push(() => mqtt.endAsync(true))
  const closed = new Promise<void>((done) => mqtt.once('close', () => done()))
  await new Promise((done, fail) => mqtt.once('connect', done).once('error', fail))
  return Object.assign(mqtt, { closed })
}

it('takes new passwords and certificates at a reload: the revoked is cut off, the uplink connects anew, the rest goes on', async () => {
  const s = await start()
  const page = await join_(s.gateway.mqttUrl!, 'page', 'hunter2-page')
  const camera = await join_(s.gateway.mqttUrl!, 'camera', 'hunter2-camera')
  const seen = s.centre.stats().published
  // The centre gives the gate another password, and cuts it off.
  await writeFile(s.at('page-password'), 'hunter3-page')
  await writeFile(s.at('uplink-password'), 'hunter3-uplink')
  await copy(authority.issue('gate'), s.at, 'gate')
  s.centre.exchange({ users: [{ name: 'gate', password: 'hunter3-uplink', role: 'admin', publish: [], subscribe: [] }] })
  await until(() => s.centre.stats().clients === 0)
  expect(await s.gateway.reload()).toEqual([])
  await page.closed
  await until(
    () => s.centre.stats().clients === 1,
    () => s.log.lines.slice(-5),
  )
  await until(() => s.centre.stats().published > seen)
  await expect(join_(s.gateway.mqttUrl!, 'page', 'hunter2-page')).rejects.toThrow()
  await join_(s.gateway.mqttUrl!, 'page', 'hunter3-page')
  await camera.publishAsync('camera/lane/front', 'x', { qos: 1 })
  // Also the lists of users and limits themselves.
  const { embedded } = s.site.broker
  const broker = { embedded: { ...embedded, users: [embedded.users[0]], limits: { per_user: 1 } } }
  await writeFile(s.at('site.yaml'), stringify({ ...s.site, broker }))
  expect(await s.gateway.reload()).toEqual([])
  await camera.closed
  await expect(join_(s.gateway.mqttUrl!, 'page', 'hunter3-page')).rejects.toThrow()
  // The broker's thread tells its figures four times a second.
  await expect.poll(() => s.get('/metrics'), { timeout: 10_000 }).toContain('luong_broker_limited_total{limit="per_user"} 1')
})

it('a bad new file changes nothing, and says why', async () => {
  const s = await start()
  const camera = await join_(s.gateway.mqttUrl!, 'camera', 'hunter2-camera')
  await writeFile(s.at('camera-password'), 'hunter3-camera')
  const good = await readFile(s.at('broker.key'))
  await writeFile(s.at('broker.key'), await readFile(authority.issue('other').key))
  await expect(s.gateway.reload()).rejects.toMatchObject({
    problems: [expect.objectContaining({ message: 'broker.key is not the key of the certificate broker.pem' })],
  })
  await writeFile(s.at('broker.key'), good)
  await writeFile(s.at('uplink-password'), '')
  await expect(s.gateway.reload()).rejects.toMatchObject({
    problems: [expect.objectContaining({ message: expect.stringContaining('is empty') })],
  })
  await camera.publishAsync('camera/lane/front', 'x', { qos: 1 })
  expect(s.centre.stats().clients).toBe(1)
  await join_(s.gateway.mqttUrl!, 'camera', 'hunter2-camera')
})

it('certificates that end soon are told in /health and counted down in /metrics; no secret is told anywhere', async () => {
  const s = await start()
  expect(JSON.parse(await s.get('/health')).problems.join()).not.toMatch(/certificate/)
  await copy(authority.issue('gate', { days: 9 }), s.at, 'gate')
  await copy(authority.issue('broker', { days: -1 }), s.at, 'broker')
  await s.gateway.reload()
  const health = await s.get('/health')
  const problems = JSON.parse(health).problems as string[]
  expect(problems).toContainEqual(expect.stringMatching(/^certificate gate.pem \(uplink.tls.cert\) expires in [89] days/))
  expect(problems).toContainEqual(expect.stringMatching(/^certificate broker.pem \(broker.embedded.tls.cert\) expired .* ago/))
  const metrics = await s.get('/metrics')
  expect(metrics).toMatch(/luong_certificate_expires_seconds\{use="uplink.tls.cert",file="gate.pem"\} [67]\d{5}\n/)
  expect(metrics).toMatch(/luong_certificate_expires_seconds\{use="broker.embedded.tls.cert",file="broker.pem"\} -\d+\n/)
  await expect(join_(s.gateway.mqttUrl!, 'camera', 'hunter2-wrong')).rejects.toThrow()
  await s.gateway.stop()
  const all = [health, metrics, JSON.stringify(s.log.lines)].join()
  expect(all).not.toMatch(/hunter[23]|PRIVATE KEY/)
})

it('a device that the site file gives another topic keeps the rights of the one that runs, until a restart', async () => {
  const s = await start()
  const camera = await join_(s.gateway.mqttUrl!, 'camera', 'hunter2-camera')
  const devices = { camera: { driver: 'mqtt-camera', link: 'local', topic: 'camera/elsewhere' } }
  await writeFile(s.at('site.yaml'), stringify({ ...s.site, devices }))
  expect(await s.gateway.reload()).toEqual(['devices'])
  await camera.publishAsync('camera/lane/front', 'x', { qos: 1 })
  camera.publish('camera/elsewhere', 'x', { qos: 1 })
  await camera.closed
})

it('links to devices are renewed at once where they are down, however busy the lanes are; those that are up wait', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'luong-renewal-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  const user = (password: string) => ({ name: 'gate', password, role: 'admin', publish: [], subscribe: [] }) as const
  const log = new TestLog()
  const about = { root: 'luong/v1', site: 'cameras', host: '127.0.0.1', port: 0, maxPayloadKb: 64 }
  const broker = await startBroker({ ...about, users: [user('one')] }, { log, clock: systemClock })
  cleanups.push(() => broker.stop())
  await writeFile(at('password'), 'one')
  const cameras = { kind: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}`, username: 'gate', password: { file: 'password' } }
  const devices = { camera: { driver: 'mqtt-camera', link: 'cameras', topic: 'camera/lane/front' } }
  const site = { version: 1, include: [resolve('config/sites/loi-mo.yaml')], links: { cameras }, devices }
  await writeFile(at('site.yaml'), stringify(site))
  const loaded = await loadSite(at('site.yaml'), { env: {} })
  const line = memoryLine('cabinet', systemClock)
  const { links } = loaded.site
  const messages = mqttTransport({ name: 'local', url: `mqtt://127.0.0.1:${broker.port}`, clock: systemClock, log })
  const built = await buildDevices({ links, devices: loaded.devices, messages, clock: systemClock, log, bytesFor: () => line.master })
  cleanups.push(() => built.stop())
  built.start()
  const link = built.links.get('cameras')!
  await until(() => link.up)
  const renewal = new Renewal(loaded.site, undefined)
  const take = async (password: string) => {
    await writeFile(at('password'), password)
    renewal.take(await loadSite(at('site.yaml'), { env: {} }), [], {
      running: loaded,
      broker: null,
      targets: [],
      pair: null,
      devices: built,
    })
  }
  // It is up: nobody is disturbed while a vehicle drives through.
  await take('two')
  renewal.tick(['passing'])
  expect(link.up).toBe(true)
  // The other end has cut it off: now it is down, and what is new is what it needs.
  broker.exchange({ users: [user('two')] })
  await until(() => !link.up)
  renewal.tick(['passing'])
  await until(() => link.up)
  // It goes down before the file is read again.
  broker.exchange({ users: [user('three')] })
  await until(() => !link.up)
  await take('three')
  await until(() => link.up)
  renewal.tick(['idle'])
  expect(link.up).toBe(true)
})
