/** RabbitMQ (Debian package `rabbitmq-server`) with its MQTT plugin, run with the configuration that docs/fleet.md shows. */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { LuongError } from '../../gateway/kernel/errors.ts'
import { until } from './chaos-site.ts'
import { freePort, listening } from './mosquitto.ts'
import type { Account } from './nats.ts'

/** The scripts themselves: those in /usr/sbin insist on the package's own user. */
const BIN = '/usr/lib/rabbitmq/bin'
const EXAMPLE = resolve('docs/examples/rabbitmq')
const UP_MS = 180_000

export interface Rabbit {
  readonly url: string
  readonly dir: string
  readonly pid: number | null
  readonly centre: Account
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** @param gates names and passwords of the gates' users, as gates.sh takes them */
export async function startRabbit(gates: readonly Account[]): Promise<Rabbit> {
  if (!existsSync(join(BIN, 'rabbitmq-server')))
    throw new LuongError('PROGRAM_MISSING', 'RabbitMQ is not installed', { hint: 'Install the Debian package rabbitmq-server.' })
  const dir = await mkdtemp(join(tmpdir(), 'luong-rabbit-'))
  const [mqtt, amqp, dist, epmd] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const centre = { name: 'centre', password: 'centre-of-the-test' }
  await mkdir(join(dir, 'bin'))
  const config = (await readFile(join(EXAMPLE, 'rabbitmq.conf'), 'utf8')).replace('= 1883', `= 127.0.0.1:${mqtt}`)
  await writeFile(join(dir, 'rabbitmq.conf'), `${config}\nlisteners.tcp.default = 127.0.0.1:${amqp}\n`)
  await writeFile(join(dir, 'plugins'), '[rabbitmq_mqtt].\n')
  const env = {
    ...process.env,
    HOME: dir,
    PATH: `${BIN}:${process.env.PATH}`,
    RABBITMQ_NODENAME: `luong-${process.pid}-${mqtt}@localhost`,
    RABBITMQ_DIST_PORT: `${dist}`,
    ERL_EPMD_PORT: `${epmd}`,
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
  }
  const ctl = (...args: string[]) => promisify(execFile)(join(BIN, 'rabbitmqctl'), ['-q', ...args], { env })
  let child: ChildProcess | null = null
  const kill = async () => {
    const running = child
    child = null
    if (!running || running.exitCode !== null) return
    const gone = new Promise((done) => running.once('exit', done))
    // A script, and the program that it started in a group of its own.
    const program = programId(env.RABBITMQ_PID_FILE)
    if (program !== null) process.kill(program, 'SIGKILL')
    process.kill(-running.pid!, 'SIGKILL')
    await gone
    await rm(env.RABBITMQ_PID_FILE, { force: true })
  }
  const restart = async () => {
    const started = spawn(join(BIN, 'rabbitmq-server'), { stdio: 'ignore', env, detached: true })
    child = started
    await until('RabbitMQ answers', async () => started.exitCode !== null || (await listening(mqtt)), UP_MS)
    if (started.exitCode !== null) throw new Error(`RabbitMQ ended with ${started.exitCode}; see ${dir}/log`)
  }
  const stop = async () => {
    await kill()
    spawnSync('epmd', ['-port', `${epmd}`, '-kill'], { stdio: 'ignore' })
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await restart()
    await ctl('await_startup')
    await ctl('add_user', centre.name, centre.password)
    await ctl('set_permissions', centre.name, '.*', '.*', '.*')
    const lines = gates.map((g) => `${g.name} ${g.password}\n`).join('')
    await writeFile(join(dir, 'gates.json'), execFileSync(join(EXAMPLE, 'gates.sh'), { input: lines }), { mode: 0o600 })
    await ctl('import_definitions', join(dir, 'gates.json'))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `mqtt://127.0.0.1:${mqtt}`,
    dir,
    get pid() {
      return child && programId(env.RABBITMQ_PID_FILE)
    },
    centre,
    kill,
    restart,
    stop,
  }
}

const programId = (file: string): number | null => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : null)
