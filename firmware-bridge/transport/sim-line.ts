/** The devices' end of a byte line for another process: a listening TCP port, or a PTY made by socat. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { lstat, readlink, unlink } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { LuongError, messageOf } from '../../gateway/kernel/errors.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'
import type { Log } from '../../gateway/kernel/log.ts'
import { harmlessEnv } from '../../gateway/kernel/worker-url.ts'
import type { SimLine } from '../sim.ts'

export interface OpenSimLine {
  readonly line: SimLine
  /** Where the gateway finds it: a path, or host:port. */
  readonly where: string
  stop(): Promise<void>
}

/** A peer that does not read what it is sent loses its connection beyond this. */
const MAX_UNREAD = 256 * 1024
const MAX_CLIENTS = 8

/**
 * Listens on a TCP port; everything sent goes to every client. Rejects with PORT_IN_USE.
 * @param port 0: the system chooses, see `where`
 */
export function listenLine(host: string, port: number, log: Log): Promise<OpenSimLine> {
  const heard = new Listeners<[Uint8Array]>()
  const clients = new Set<Socket>()
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (clients.size >= MAX_CLIENTS) {
      socket.destroy()
      return
    }
    clients.add(socket)
    socket.on('data', (bytes: Buffer) => heard.emit(bytes))
    socket.on('error', (error) => log.debug({ where: `${host}:${port}`, err: error.message }, 'a client is lost'))
    socket.on('close', () => clients.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(new LuongError('PORT_IN_USE', `${host}:${port} is taken by another program; is a simulator running already?`))
      } else {
        const hint = 'The simulator listens where the site file says the device is: use an address of this machine, e.g. 127.0.0.1.'
        reject(new LuongError('LINK_DOWN', `cannot listen on ${host}:${port}: ${error.message}`, { hint, cause: error }))
      }
    })
    server.listen({ host, port }, () => {
      const address = server.address()
      resolve({
        where: `${host}:${typeof address === 'object' && address ? address.port : port}`,
        line: {
          onData: (fn) => heard.add(fn),
          send(bytes) {
            for (const socket of clients) {
              if (socket.writableLength > MAX_UNREAD) socket.destroy()
              else socket.write(bytes)
            }
          },
        },
        stop: () =>
          new Promise<void>((done) => {
            server.close(() => done())
            for (const socket of clients) socket.destroy()
          }),
      })
    })
  })
}

/** Time for socat to make its PTY, ms. */
const START_MS = 5_000

/**
 * Makes a PTY at `path` with socat. Rejects with PROGRAM_MISSING without socat and with PORT_IN_USE when something is at
 * `path` that is not a leftover of an earlier run.
 */
export async function ptyLine(path: string, log: Log): Promise<OpenSimLine> {
  await clearPath(path)
  // socat takes commas and colons in a path for its own.
  if (/[,:!"'\\\s]/.test(path))
    throw new LuongError('CONFIG_INVALID', `${path}: the simulator cannot make a port whose name has spaces or any of ,:!"'\\`)
  // In a process group of its own: Ctrl-C is for us, and we end it then. It ends by itself when our end of its pipe closes.
  const args = [`PTY,link=${path},rawer,echo=0,b115200`, 'STDIO']
  const child = spawn('socat', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: harmlessEnv() })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-2_000)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'ENOENT' : error.message))
    child.once('exit', (code, signal) => resolve(said.trim() || `ended with ${signal ?? code}`))
  })
  await waitForLink(path, ended)
  return runPty(path, child, ended, log)
}

function runPty(path: string, child: ChildProcessByStdio<Writable, Readable, Readable>, ended: Promise<string>, log: Log): OpenSimLine {
  const heard = new Listeners<[Uint8Array]>()
  let stopping = false
  let alive = true
  child.stdout.on('data', (bytes: Buffer) => heard.emit(bytes))
  child.stdin.on('error', (error) => log.debug({ path, err: error.message }, 'writing to the PTY'))
  ended.then((why) => {
    alive = false
    if (!stopping) log.error({ path, why }, 'the PTY is gone: socat has ended')
  })
  return {
    where: path,
    line: {
      onData: (fn) => heard.add(fn),
      send(bytes) {
        // Nobody reads the other end: a real line would lose the bytes as well.
        if (alive && child.stdin.writableLength <= MAX_UNREAD) child.stdin.write(bytes)
      },
    },
    async stop() {
      stopping = true
      if (!alive) return
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), 2_000)
      await ended
      clearTimeout(kill)
      // After a kill socat has not taken its link away.
      await clearPath(path).catch((error) => log.warn({ path, err: messageOf(error) }, 'the link stays behind'))
    },
  }
}

/** Takes away a link that an earlier run left behind; refuses anything else. */
async function clearPath(path: string): Promise<void> {
  const about = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new LuongError('LINK_DOWN', `${path}: ${error.message}`, { hint: 'Check the folder of the path in the site file.' })
  })
  if (!about) return
  const inUse = (what: string) =>
    new LuongError('PORT_IN_USE', `${path} ${what}; the simulator does not replace it`, {
      hint: 'Stop the other simulator, remove the file, or name another path in the site file.',
    })
  if (!about.isSymbolicLink()) throw inUse('exists and is not a link made by a simulator')
  const target = await readlink(path)
  if (!target.startsWith('/dev/pts/')) throw inUse(`is a link to ${target}`)
  if (await lstat(target).catch(() => undefined)) throw inUse(`is a link to ${target}, which is in use`)
  await unlink(path)
}

async function waitForLink(path: string, ended: Promise<string>): Promise<void> {
  let why: string | undefined
  ended.then((w) => {
    why = w
  })
  for (let waited = 0; waited < START_MS; waited += 10) {
    if (why === 'ENOENT') {
      throw new LuongError('PROGRAM_MISSING', `socat is needed to simulate the serial port ${path} and is not installed`, {
        hint: 'On Debian: apt-get install socat. Or use tcp links, which need no other program.',
      })
    }
    if (why !== undefined)
      throw new LuongError('LINK_DOWN', `socat could not make ${path}: ${why}`, {
        hint: 'Check that the folder exists and can be written.',
      })
    if (await lstat(path).catch(() => undefined)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new LuongError('LINK_DOWN', `socat did not make ${path} within ${START_MS} ms`)
}

export interface SimLines {
  lineFor(link: string): SimLine
  /** Where each link's line is, by link. */
  readonly where: ReadonlyMap<string, string>
  stop(): Promise<void>
}

/** What of a site's links has a byte line. */
export type SimLinkSettings = { readonly kind: string; readonly path?: string; readonly host?: string; readonly port?: number }

/** Opens the devices' end of all serial and TCP links of a site. When one cannot be opened, those that were are closed again. */
export async function openSimLines(links: Readonly<Record<string, SimLinkSettings>>, log: Log): Promise<SimLines> {
  const open = new Map<string, OpenSimLine>()
  const stop = async () => {
    await Promise.all([...open.values()].map((line) => line.stop()))
  }
  try {
    for (const [id, link] of Object.entries(links)) {
      if (link.kind === 'serial') open.set(id, await ptyLine(link.path!, log))
      else if (link.kind === 'tcp') open.set(id, await listenLine(link.host!, link.port!, log))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    lineFor(link) {
      const found = open.get(link)
      if (!found) throw new LuongError('CONFIG_INVALID', `link ${link} is neither serial nor tcp and cannot be simulated as a line`)
      return found.line
    },
    where: new Map([...open].map(([id, line]) => [id, line.where])),
    stop,
  }
}
