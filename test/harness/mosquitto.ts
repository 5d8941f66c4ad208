/** Mosquitto (Debian package `mosquitto`) as a process of its own, on a free port, with a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, connect as netConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LuongError } from '../../gateway/kernel/errors.ts'

const PROGRAM = '/usr/sbin/mosquitto'

export interface Mosquitto {
  readonly port: number
  readonly url: string
  /** Its folder, for password and access files named in `config`. */
  readonly dir: string
  /** Process id; null while it is down. */
  readonly pid: number | null
  /** SIGKILL by default; resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port with the same folder. */
  restart(): Promise<void>
  /** Kills it and removes the folder. */
  stop(): Promise<void>
}

export interface MosquittoOptions {
  /** More lines for the configuration; `DIR` is replaced by its folder. */
  readonly config?: readonly string[]
  /** More files: name → text. */
  readonly files?: Readonly<Record<string, string>>
}

/** Starts one. Throws PROGRAM_MISSING with the package's name when it is not installed. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  if (!existsSync(PROGRAM)) {
    throw new LuongError('PROGRAM_MISSING', `${PROGRAM} is not installed`, { hint: 'Install the Debian package mosquitto.' })
  }
  const dir = await mkdtemp(join(tmpdir(), 'luong-mosquitto-'))
  const port = await freePort()
  const extra = options.config ?? ['allow_anonymous true']
  const lines = [`listener ${port} 127.0.0.1`, 'user root', ...extra]
  await writeFile(join(dir, 'mosquitto.conf'), `${lines.join('\n').replaceAll('DIR', dir)}\n`)
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(dir, name), text, { mode: 0o600 })
  let child: ChildProcess | undefined
  const launch = async () => {
    const started = spawn(PROGRAM, ['-c', join(dir, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    let errors = ''
    started.stderr?.on('data', (d) => {
      errors = (errors + d).slice(-2_000)
    })
    const deadline = performance.now() + 10_000
    while (!(await listening(port))) {
      if (started.exitCode !== null || performance.now() > deadline) throw new Error(`mosquitto did not start: ${errors}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    const running = child
    child = undefined
    if (!running || running.exitCode !== null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await gone
  }
  await launch()
  return {
    port,
    dir,
    url: `mqtt://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? null
    },
    kill,
    restart: launch,
    async stop() {
      await kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** A password file, hashed by Mosquitto's own tool. */
export async function passwordFile(users: readonly { readonly name: string; readonly password: string }[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-passwords-'))
  try {
    const file = join(dir, 'passwords')
    await writeFile(file, users.map((u) => `${u.name}:${u.password}\n`).join(''), { mode: 0o600 })
    execFileSync('mosquitto_passwd', ['-U', file])
    return await readFile(file, 'utf8')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** A port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Whether something listens on a local port. */
export function listening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
