import { once } from 'node:events'
import { lstat, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Backoff } from '../../../firmware-bridge/transport/backoff.ts'
import { serialTransport } from '../../../firmware-bridge/transport/serial.ts'
import { listenLine, openSimLines, ptyLine } from '../../../firmware-bridge/transport/sim-line.ts'
import { tcpTransport } from '../../../firmware-bridge/transport/tcp.ts'
import type { ByteTransport } from '../../../firmware-bridge/transport/transport.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'

const common = { clock: systemClock, log: silentLog }
const quick = () => new Backoff(10, 50)
const cleanups: (() => unknown)[] = []
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-lines-'))
})
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
  await rm(dir, { recursive: true, force: true })
})

/** Waits for something to become true; fails after 15 s. */
async function until(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 1_500; i++) {
    if (test()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}

function watch(transport: ByteTransport) {
  const got: number[] = []
  const whys: string[] = []
  transport.onData((bytes) => got.push(...bytes))
  transport.onState((up, why) => up || whys.push(why ?? ''))
  cleanups.push(() => transport.stop())
  return { got, whys }
}

const every = Uint8Array.from({ length: 256 }, (_, i) => i)

describe('serial over a real PTY', () => {
  const port = (path: string) => serialTransport({ name: 'bus', path, baud: 9600, backoff: quick(), ...common })
  const open = async (name = 'tty') => {
    const sim = await ptyLine(join(dir, name), silentLog)
    cleanups.push(() => sim.stop())
    return sim
  }

  it('carries all bytes both ways', async () => {
    const sim = await open()
    const heard: number[] = []
    sim.line.onData((bytes) => heard.push(...bytes))
    const transport = port(sim.where)
    const { got } = watch(transport)
    transport.start()
    await until('up', () => transport.up)
    await transport.write(every)
    sim.line.send(every)
    await until('bytes', () => heard.length === 256 && got.length === 256)
    expect(heard).toEqual([...every])
    expect(got).toEqual([...every])
  })

  it('waits for a port that is not there, says so, and uses it when it comes', async () => {
    const path = join(dir, 'later')
    const transport = port(path)
    const { whys } = watch(transport)
    transport.start()
    await until('a reason', () => whys.length > 0)
    expect(whys[0]).toBe(`bus: ${path} is not there; is the adapter plugged in? See /dev/serial/by-id`)
    await expect(transport.write(every)).rejects.toMatchObject({ code: 'LINK_DOWN' })
    await open('later')
    await until('up', () => transport.up)
  })

  it('comes back after the port vanished', async () => {
    const sim = await open()
    const transport = port(sim.where)
    const { whys } = watch(transport)
    transport.start()
    await until('up', () => transport.up)
    await sim.stop()
    await until('down', () => !transport.up)
    expect(whys[0]).toMatch(/vanished|bus:/)
    const again = await open()
    const heard: number[] = []
    again.line.onData((bytes) => heard.push(...bytes))
    await until('up again', () => transport.up)
    await transport.write(Uint8Array.of(1, 2, 3))
    await until('bytes', () => heard.length === 3)
  })

  it('says when another program has the port', async () => {
    const sim = await open()
    const first = port(sim.where)
    watch(first)
    first.start()
    await until('up', () => first.up)
    const second = port(sim.where)
    const { whys } = watch(second)
    second.start()
    await until('a reason', () => whys.length > 0)
    expect(whys[0]).toMatch(/another program has .* open; stop it/)
    await first.stop()
    await until('the other has it', () => second.up)
  })

  it('says when the path is a file or a folder', async () => {
    await writeFile(join(dir, 'file'), '')
    for (const path of [join(dir, 'file'), dir]) {
      const transport = port(path)
      const { whys } = watch(transport)
      transport.start()
      await until('a reason', () => whys.length > 0)
      expect(whys[0]).toContain(path)
      expect(transport.up).toBe(false)
    }
  })

  it('stays usable for the next one after the first has closed it', async () => {
    const sim = await open()
    for (let i = 0; i < 3; i++) {
      const transport = port(sim.where)
      const { got } = watch(transport)
      transport.start()
      await until('up', () => transport.up)
      sim.line.send(Uint8Array.of(0x0d, 0x0a, 0x03, i))
      await until('bytes', () => got.length === 4)
      expect(got).toEqual([0x0d, 0x0a, 0x03, i])
      await transport.stop()
    }
  })

  it('stops at once while it waits', async () => {
    const transport = port(join(dir, 'never'))
    transport.start()
    await transport.stop()
    await transport.stop()
    expect(transport.up).toBe(false)
  })
})

describe('the simulated PTY', () => {
  it('replaces nothing that is not its own', async () => {
    const file = join(dir, 'file')
    await writeFile(file, 'precious')
    await expect(ptyLine(file, silentLog)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    const link = join(dir, 'link')
    await symlink(file, link)
    await expect(ptyLine(link, silentLog)).rejects.toThrow(/is a link to .*file; the simulator does not replace it/)
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
  })

  it('refuses a path that another simulator has, and takes a leftover away', async () => {
    const path = join(dir, 'tty')
    const sim = await ptyLine(path, silentLog)
    await expect(ptyLine(path, silentLog)).rejects.toThrow(/which is in use/)
    await sim.stop()
    await expect(lstat(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await symlink('/dev/pts/999999', path)
    const again = await ptyLine(path, silentLog)
    await again.stop()
  })

  it('says when the folder is missing or the name impossible', async () => {
    await expect(ptyLine(join(dir, 'no', 'tty'), silentLog)).rejects.toMatchObject({ code: 'LINK_DOWN' })
    await expect(ptyLine(join(dir, 'a,b'), silentLog)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('names the package when socat is missing', async () => {
    const path = process.env.PATH
    process.env.PATH = dir
    try {
      await expect(ptyLine(join(dir, 'tty'), silentLog)).rejects.toMatchObject({
        code: 'PROGRAM_MISSING',
        hint: expect.stringContaining('apt-get install socat'),
      })
    } finally {
      process.env.PATH = path
    }
  })

  it('closes what was opened when a later link cannot be', async () => {
    const path = join(dir, 'tty')
    const busy = await listenLine('127.0.0.1', 0, silentLog)
    cleanups.push(() => busy.stop())
    const port = Number(busy.where.split(':')[1])
    const links = { a: { kind: 'serial', path }, b: { kind: 'tcp', host: '127.0.0.1', port }, c: { kind: 'mqtt' } }
    await expect(openSimLines(links, silentLog)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await expect(lstat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('tcp', () => {
  const dial = (port: number, host = '127.0.0.1') =>
    tcpTransport({ name: 'server', host, port, backoff: quick(), connectMs: 2_000, ...common })
  const portOf = (where: string) => Number(where.split(':')[1])

  it('carries bytes both ways, and to all clients', async () => {
    const sim = await listenLine('127.0.0.1', 0, silentLog)
    cleanups.push(() => sim.stop())
    const heard: number[] = []
    sim.line.onData((bytes) => heard.push(...bytes))
    const [a, b] = [dial(portOf(sim.where)), dial(portOf(sim.where))]
    const [gotA, gotB] = [watch(a), watch(b)]
    a.start()
    b.start()
    await until('up', () => a.up && b.up)
    await a.write(every)
    await until('heard', () => heard.length === 256)
    sim.line.send(every)
    await until('both', () => gotA.got.length === 256 && gotB.got.length === 256)
  })

  it('comes back when the server does', async () => {
    const sim = await listenLine('127.0.0.1', 0, silentLog)
    const port = portOf(sim.where)
    const transport = dial(port)
    const { whys } = watch(transport)
    transport.start()
    await until('up', () => transport.up)
    await sim.stop()
    await until('refused', () => whys.some((why) => why.includes('refused; nothing listens there')))
    expect(transport.up).toBe(false)
    const again = await listenLine('127.0.0.1', port, silentLog)
    cleanups.push(() => again.stop())
    await until('up again', () => transport.up)
  })

  it('says when the port is taken', async () => {
    const sim = await listenLine('127.0.0.1', 0, silentLog)
    cleanups.push(() => sim.stop())
    await expect(listenLine('127.0.0.1', portOf(sim.where), silentLog)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await expect(listenLine('192.0.2.1', 5, silentLog)).rejects.toMatchObject({ code: 'LINK_DOWN' })
  })

  it('gives a name that does not resolve in words', async () => {
    const transport = dial(502, 'no-such-host.invalid')
    const { whys } = watch(transport)
    transport.start()
    await until('a reason', () => whys.length > 0)
    expect(whys[0]).toMatch(/cannot be resolved|no answer/)
  })

  it('drops a peer that does not read, and settles every write', async () => {
    const sockets: Socket[] = []
    const server: Server = createServer((socket) => {
      socket.on('error', () => {})
      socket.pause()
      sockets.push(socket)
    }).listen(0, '127.0.0.1')
    cleanups.push(() => {
      for (const s of sockets) s.destroy()
      server.close()
    })
    await once(server, 'listening')
    const transport = tcpTransport({
      name: 'deaf',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      backoff: new Backoff(60_000, 60_000),
      ...common,
    })
    watch(transport)
    transport.start()
    await until('up', () => transport.up)
    const big = new Uint8Array(60_000)
    let error: unknown
    for (let i = 0; i < 2_000 && error === undefined; i++) await transport.write(big).catch((e) => (error = e))
    expect(error).toMatchObject({ code: 'LINK_DOWN' })
    await until('down', () => !transport.up)
  })
})
