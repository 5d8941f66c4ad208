/** A NATS cluster (Debian package `nats-server`) with MQTT and JetStream, run with the configuration that docs/fleet.md shows. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { until } from './chaos-site.ts'
import { freePort, listening } from './mosquitto.ts'

const PROGRAM = '/usr/sbin/nats-server'
const EXAMPLE = resolve('docs/examples/nats')
const UP_MS = 60_000

export interface Account {
  readonly name: string
  readonly password: string
}

export interface NatsNode {
  readonly name: string
  /** Where gates connect. */
  readonly mqtt: string
  /** `host:port` where NATS clients connect. */
  readonly client: string
  /** Process id; null while it is down. */
  readonly pid: number | null
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again with what it has on disk; resolves when it answers. */
  restart(): Promise<void>
}

export interface Nats {
  readonly nodes: readonly NatsNode[]
  readonly centre: Account
  readonly dir: string
  /** What the nodes have logged. */
  said(): Promise<string>
  stop(): Promise<void>
}

/** @param gates names and passwords of the gates' users, as gates.sh takes them */
export async function startNats(gates: readonly Account[], count = 3): Promise<Nats> {
  if (!existsSync(PROGRAM))
    throw new LuongError('PROGRAM_MISSING', `${PROGRAM} is not installed`, { hint: 'Install the Debian package nats-server.' })
  const dir = await mkdtemp(join(tmpdir(), 'luong-nats-'))
  await copyFile(join(EXAMPLE, 'node.conf'), join(dir, 'node.conf'))
  const lines = gates.map((g) => `${g.name} ${g.password}\n`).join('')
  await writeFile(join(dir, 'gates.conf'), execFileSync(join(EXAMPLE, 'gates.sh'), { input: lines }), { mode: 0o600 })
  const names = ['a', 'b', 'c'].slice(0, count)
  const ports = await Promise.all(names.map(async () => [await freePort(), await freePort(), await freePort()] as const))
  const centre = { name: 'centre', password: 'centre-of-the-test' }
  const routes = Object.fromEntries(
    ports.map(([, cluster], i) => [`ROUTE_${names[i]!.toUpperCase()}`, quoted(`nats://127.0.0.1:${cluster}`)]),
  )
  const nodes = names.map((name, i) => {
    const [client, cluster, mqtt] = ports[i]!
    const env = {
      ...routes,
      NODE: name,
      CLIENT_LISTEN: quoted(`127.0.0.1:${client}`),
      CLUSTER_LISTEN: quoted(`127.0.0.1:${cluster}`),
      MQTT_LISTEN: quoted(`127.0.0.1:${mqtt}`),
      STORE: quoted(join(dir, name)),
      CENTRE_PASSWORD: quoted(centre.password),
      SYS_PASSWORD: quoted('sys-of-the-test'),
    }
    return new Node(name, dir, { client, mqtt }, env)
  })
  const stop = async () => {
    await Promise.all(nodes.map((n) => n.kill()))
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(nodes.map((n) => n.restart()))
  } catch (error) {
    await stop()
    throw error
  }
  const said = async () => (await Promise.all(nodes.map((n) => readFile(n.log, 'utf8').catch(() => '')))).join('')
  return { nodes, centre, dir, said, stop }
}

/** As a value of a variable in a NATS configuration. */
const quoted = (text: string) => `"${text}"`

class Node implements NatsNode {
  readonly name: string
  readonly mqtt: string
  readonly client: string
  readonly log: string
  readonly #dir: string
  readonly #ports: readonly number[]
  readonly #env: Readonly<Record<string, string>>
  #child: ChildProcess | null = null

  constructor(name: string, dir: string, ports: { readonly client: number; readonly mqtt: number }, env: Readonly<Record<string, string>>) {
    this.name = name
    this.#dir = dir
    this.#env = env
    this.#ports = [ports.client, ports.mqtt]
    this.mqtt = `mqtt://127.0.0.1:${ports.mqtt}`
    this.client = `127.0.0.1:${ports.client}`
    this.log = join(dir, `${name}.log`)
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  async restart(): Promise<void> {
    const log = openSync(this.log, 'a')
    const child = spawn(PROGRAM, ['-c', join(this.#dir, 'node.conf')], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#env },
    })
    closeSync(log)
    this.#child = child
    // The MQTT port opens when the cluster has a leader.
    await until(`node ${this.name} answers`, async () => child.exitCode !== null || (await all(this.#ports)), UP_MS)
    if (child.exitCode !== null) throw new Error(`nats-server ended: ${(await readFile(this.log, 'utf8')).slice(-2_000)}`)
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }
}

async function all(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map(listening))).every(Boolean)
}
