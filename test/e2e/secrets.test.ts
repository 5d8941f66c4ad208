/** Known secrets, in the environment and in files, given to the real commands: none of them comes out again anywhere, whatever goes wrong. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { connect, connectAsync } from 'mqtt'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { harmlessEnv } from '../../gateway/kernel/worker-url.ts'
import { Certificates } from '../harness/certificates.ts'
import { siteTree, until } from '../harness/chaos-site.ts'
import { freePort, passwordFile, startMosquitto } from '../harness/mosquitto.ts'
import { luongWith, MAIN, startProgram } from '../harness/program.ts'

const UPLINK = 'env-Kx7-uplink'
const CAMERA = 'file-Kx7-camera'
const PAGE = 'hash-Kx7-page'
const WRONG = 'typed-Kx7-wrong'
/** In every secret and nowhere else. */
const MARK = /Kx7/
const made = new Certificates()
const authority = made.authority('Kx Gate authority')
afterAll(() => made.remove())
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let dir: string
let hash: string
let key: string
const env = { LUONG_UPLINK_PASSWORD: UPLINK }
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-secrets-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
  hash = (await luongWith({ input: PAGE }, 'secret', 'hash')).out.trim()
  const issued = authority.issue('broker')
  key = await readFile(issued.key, 'utf8')
  await writeFile(join(dir, 'camera-password'), `${CAMERA}\n`)
  await writeFile(join(dir, 'broker.pem'), await readFile(issued.cert))
  await writeFile(join(dir, 'broker.key'), key, { mode: 0o600 })
})

/** Fails with the line in which a secret, a hash or a private key shows. */
function clean(text: string, where: string): void {
  const bad = (line: string) =>
    MARK.test(line) || line.includes(hash.slice(20)) || /PRIVATE KEY/.test(line) || line.includes(key.split('\n')[1]!)
  expect(
    text
      .split('\n')
      .filter(bad)
      .map((line) => line.slice(0, 300)),
    where,
  ).toEqual([])
}

function cleanFolder(folder: string, except: readonly string[] = []): number {
  let files = 0
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (except.includes(name)) continue
    if (statSync(path).isDirectory()) files += cleanFolder(path)
    else {
      files++
      clean(readFileSync(path, 'latin1'), path)
    }
  }
  return files
}

async function writeTree(url: string, port: number, http: number): Promise<{ file: string; tree: Record<string, unknown> }> {
  const tree = siteTree({
    dir,
    id: 'mute',
    lanes: ['a'],
    bus: { kind: 'tcp', host: '127.0.0.1', port: await freePort() },
    broker: {
      embedded: {
        port,
        tls: { host: '127.0.0.1', port: 0, cert: 'broker.pem', key: 'broker.key' },
        users: [
          { name: 'cam', role: 'device', devices: ['front-a'], password: { file: 'camera-password' } },
          { name: 'page', role: 'page', password_hash: hash },
        ],
      },
    },
    uplink: { url, username: 'mute', password: { env: 'LUONG_UPLINK_PASSWORD' } },
    httpPort: http,
  })
  const file = join(dir, 'site.yaml')
  await writeFile(file, stringify(tree))
  return { file, tree }
}

it('check, probe and the rest say nothing of them, also where they stand where they should not', async () => {
  const { file } = await writeTree('mqtt://127.0.0.1:1', await freePort(), 0)
  const right = await readFile(file, 'utf8')
  const told = async (...args: string[]) => {
    const ran = await luongWith({ env }, ...args)
    clean(`${ran.out}\n${ran.err}`, args.join(' '))
    return ran
  }
  for (const json of [[], ['--json']]) expect((await told('check', file, ...json)).code).toBe(0)
  for (const device of ['front-a', 'io-a']) await told('probe', file, device, '--listen', '1')
  const mistakes: [name: string, change: (text: string) => string][] = [
    ['a password in place of its name', (t) => t.replace(/env: LUONG_UPLINK_PASSWORD/, `env: ${UPLINK}`)],
    ['inline', (t) => t.replace(/password:\n\s+env: LUONG_UPLINK_PASSWORD/, `password: ${UPLINK}`)],
    ['in a list', (t) => t.replace(/password:\n\s+env: LUONG_UPLINK_PASSWORD/, `password: [${UPLINK}]`)],
    ['misspelt', (t) => t.replace(/password:\n\s+env: LUONG_UPLINK_PASSWORD/, `pasword: ${UPLINK}`)],
    ['as a hash', (t) => t.replace(hash, PAGE)],
    ['a hash that is cut off', (t) => t.replace(hash, hash.slice(0, -30))],
    ['in the address', (t) => t.replace('mqtt://127.0.0.1:1', `mqtt://mute:${UPLINK}@127.0.0.1:1`)],
    ['broken YAML', (t) => t.replace(/password:\n\s+env: LUONG_UPLINK_PASSWORD/, `password: "${UPLINK}`)],
    ['broken YAML beside it', (t) => t.replace(/password:\n\s+env: LUONG_UPLINK_PASSWORD/, `password: {${UPLINK}: [}`)],
    ['twice', (t) => `${t}\nuplink: { url: "mqtt://h", password: ${UPLINK} }\n`],
  ]
  for (const [name, change] of mistakes) {
    await writeFile(file, change(right))
    expect(await readFile(file, 'utf8'), name).not.toBe(right)
    for (const command of [
      ['check', file],
      ['run', file],
    ])
      expect((await told(...command)).code, `${name}: ${command[0]}`).not.toBe(0)
  }
  await writeFile(file, right)
  await writeFile(join(dir, 'camera-password'), key)
  await told('check', file)
  const demo = await told(
    'start',
    '--uplink',
    `mqtt://mute:${UPLINK}@127.0.0.1:1`,
    '--log',
    'debug',
    '--passages',
    '0',
    '--mqtt-port',
    '70000',
  )
  expect(demo.code).not.toBe(0)
})

it('a gateway that runs, refuses, reloads, crashes and is backed up keeps them to itself', async () => {
  const central = await startMosquitto({
    config: ['allow_anonymous false', 'password_file DIR/passwords'],
    files: {
      passwords: await passwordFile([
        { name: 'mute', password: UPLINK },
        { name: 'look', password: 'look' },
      ]),
    },
  })
  undo.push(() => central.stop())
  const heard: string[] = []
  const look = await connectAsync(central.url.replace('://', '://look:look@'))
  undo.push(() => look.endAsync(true))
  look.on('message', (topic, payload) => heard.push(`${topic} ${payload}`))
  await look.subscribeAsync('#', { qos: 1 })
  const [port, http] = [await freePort(), await freePort()]
  const { file } = await writeTree(central.url, port, http)
  // A crash as it comes: thrown where nobody catches it.
  const crash = join(dir, 'crash.mjs')
  await writeFile(crash, "process.on('SIGUSR2', () => { throw new Error('made up') })\n")
  const gateway = startProgram(process.execPath, ['--import', crash, MAIN, 'run', file, '--log', 'debug', '--json'], env)
  undo.push(() => gateway.kill())
  await gateway.says(/"msg":"ready"/)
  await until('the centre hears it', () => heard.some((m) => m.includes('luong.site.started.v1')))

  const enter = (username: string, password: string) =>
    new Promise<string>((done) => {
      const client = connect(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 0 })
      undo.push(() => client.endAsync(true))
      client.once('connect', () => {
        client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`))
        client.subscribe('luong/v1/mute/#', () => done('in'))
      })
      client.once('error', (error) => done(error.message))
    })
  expect(await enter('page', PAGE)).toBe('in')
  expect(await enter('cam', CAMERA)).toBe('in')
  for (const user of ['page', 'cam', 'nobody']) expect(await enter(user, WRONG)).not.toBe('in')
  await writeFile(join(dir, 'camera-password'), '')
  gateway.signal('SIGHUP')
  await gateway.says(/the files were not taken/)
  await writeFile(join(dir, 'camera-password'), `${CAMERA}-2`)
  gateway.signal('SIGHUP')
  await gateway.says(/this user was revoked/)
  expect(await enter('cam', `${CAMERA}-2`)).toBe('in')
  for (const path of ['/health', '/metrics', '/nothing']) clean(await (await fetch(`http://127.0.0.1:${http}${path}`)).text(), path)
  await until('figures were published', () => heard.some((m) => m.startsWith('luong/v1/mute/stats')))
  clean(readFileSync(`/proc/${gateway.child.pid}/cmdline`, 'latin1'), 'command line')
  expect(readFileSync(`/proc/${gateway.child.pid}/task/${gateway.child.pid}/children`, 'utf8'), 'it starts no other program').toBe('')

  gateway.signal('SIGUSR2')
  expect(await gateway.exit).not.toBe(0)
  expect(gateway.err()).toContain('made up')
  clean(`${gateway.out()}\n${gateway.err()}`, 'log')
  expect(heard.length).toBeGreaterThan(3)
  clean(heard.join('\n'), 'messages')
  const data = join(dir, 'data')
  const out = join(dir, 'out')
  await mkdir(out)
  for (const args of [
    ['journal', data, '--json'],
    ['journal', data, '--verify'],
    ['report', data, '--json'],
    ['backup', data, join(out, 'backup.db'), '--evidence'],
    ['restore', join(out, 'backup.db'), join(out, 'restored')],
  ]) {
    const ran = await luongWith({ env }, ...args)
    clean(`${ran.out}\n${ran.err}`, args.join(' '))
  }
  // The key of the box itself is the one thing in the folder that is a secret, and is not in a backup.
  expect(cleanFolder(data, ['identity.pem'])).toBeGreaterThan(1)
  expect(cleanFolder(out)).toBeGreaterThan(1)
  expect(statSync(join(data, 'identity.pem')).mode & 0o077).toBe(0)
})

it('threads get none of the environment that is not theirs', async () => {
  const whole = { ...process.env, ...env }
  const code = "require('node:worker_threads').parentPort.postMessage(process.env)"
  const worker = new Worker(code, { eval: true, env: harmlessEnv(whole) })
  undo.push(() => worker.terminate())
  const seen = await new Promise<Record<string, string>>((done) => worker.once('message', done))
  expect(seen.PATH).toBe(process.env.PATH)
  expect(JSON.stringify(seen)).not.toMatch(MARK)
  expect(Object.keys(seen).length).toBeLessThan(8)
})
