import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSite } from '../../../config/load.ts'
import { buildDevices } from '../../../firmware-bridge/build.ts'
import { mqttTransport } from '../../../firmware-bridge/transport/mqtt.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { plainEnv } from '../../harness/plain-env.ts'

const MAIN = resolve('dist/gateway/cli/main.js')
let folder = ''
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'luong-simulate-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

interface Ports {
  readonly bus: string
  readonly broker: string
}

function siteFile({ bus, broker }: Ports): string {
  const file = join(folder, 'site.yaml')
  writeFileSync(
    file,
    `version: 1
site: { id: sim, name: { vi: a, zh: b, en: c } }
broker: ${broker}
links: { bus: ${bus}, local: { kind: mqtt } }
devices:
  io: { driver: modbus-io, link: bus, profile: waveshare-relay-d, unit: 1 }
  arm: { driver: barrier, kind: pulse, open: io.do1, close: io.do2, open_limit: io.di5, closed_limit: io.di6, travel_ms: 1000, inhibit: [io.di2] }
  front: { driver: mqtt-camera, link: local, topic: camera/front }
lanes:
  lane: { direction: import, takes: [loaded], sensors: { approach: io.di1, presence: io.di2 }, barrier: arm, cameras: { front: [front] } }
rules: [${resolve('config/rules/basic.yaml')}]
`,
  )
  return file
}

interface Run {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Resolves when the output has that text; rejects when the program ends before. */
  until(text: string | RegExp): Promise<void>
  readonly exit: Promise<number | null>
}

function simulate(...args: string[]): Run {
  const child = spawn(process.execPath, [MAIN, 'simulate', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnv(),
  })
  children.push(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (d) => {
    out += d
  })
  child.stderr.on('data', (d) => {
    err += d
  })
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  return {
    child,
    out: () => out,
    err: () => err,
    exit,
    async until(text) {
      const has = () => (typeof text === 'string' ? out.includes(text) : text.test(out))
      while (!has()) {
        await Promise.race([once(child.stdout, 'data'), exit])
        if (child.exitCode !== null && !has()) throw new Error(`ended with ${child.exitCode}:\n${out}${err}`)
      }
    },
  }
}

const mosquitto = async (port: number): Promise<void> => {
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
  const child = spawn('mosquitto', ['-c', file], { stdio: 'ignore' })
  children.push(child)
}

describe('luong simulate', () => {
  test.each([
    ['tcp', async () => `{ kind: tcp, host: 127.0.0.1, port: ${await freePort()} }`],
    ['a PTY', async () => `{ kind: serial, path: ${join(folder, 'ttyBUS')}, baud: 115200 }`],
  ])(
    'virtual hardware over %s and a broker of its own: real drivers see a truck come',
    async (_, bus) => {
      const port = await freePort()
      const file = siteFile({ bus: await bus(), broker: `{ external: { url: "mqtt://127.0.0.1:${port}" } }` })
      const run = simulate(file, '--speed', '20', '--seed', '3')
      await run.until('trucks come when it is there')
      expect(run.out()).not.toContain('arrives')
      await mosquitto(port)

      const loaded = await loadSite(file)
      const messages = mqttTransport({ name: 'test', url: `mqtt://127.0.0.1:${port}`, clock: systemClock, log: silentLog })
      const declared = new Promise<string>((done) => {
        messages.subscribe('luong/v1/sim/declaration/+', (m) => done(Buffer.from(m.payload).toString()))
      })
      const devices = await buildDevices({
        links: loaded.site.links,
        devices: loaded.devices,
        clock: systemClock,
        log: silentLog,
        messages,
      })
      const approach = new Promise<void>((done) => {
        devices.input('io.di1').onChange((on) => on && done())
      })
      const picture = new Promise<Uint8Array>((done) => {
        devices.get('front').camera!.onFrame((f) => done(f.image))
      })
      messages.start()
      devices.start()
      await approach
      expect([...(await picture).subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff])
      expect(JSON.parse(await declared)).toMatchObject({ direction: 'import' })
      await run.until('stops at the line')

      const stopped = performance.now()
      run.child.kill('SIGTERM')
      expect(await run.exit).toBe(0)
      // 2 s are promised; a busy machine is given more.
      expect(performance.now() - stopped).toBeLessThan(10_000)
      expect(run.out()).toMatch(/\d+ trucks? came/)
      expect(() => lstatSync(join(folder, 'ttyBUS'))).toThrow('ENOENT')
      await devices.stop()
      await messages.stop()
    },
    60_000,
  )

  test('a scene ends by itself, and --json is one object a line', async () => {
    const port = await freePort()
    await mosquitto(port)
    const file = siteFile({
      bus: `{ kind: tcp, host: 127.0.0.1, port: ${await freePort()} }`,
      broker: `{ external: { url: "mqtt://127.0.0.1:${port}" } }`,
    })
    const run = simulate(file, '--json', '--speed', '60', '--no-officer', '--scenario', 'test/sim/scenarios/no-declaration.yaml')
    expect(await run.exit).toBe(0)
    const lines = run
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map((l) => l.what)).toEqual(['arrives', 'stops', 'backs-out', 'left', 'end'])
    expect(lines[0]).toMatchObject({ lane: 'lane', vehicle: { plate: '24C31807', declaration: null } })
    expect(lines.at(-1)).toMatchObject({ arrived: 1, passed: 0, backedOut: 1, disasters: 0 })
  }, 60_000)

  const EXTERNAL = '{ external: { url: "mqtt://127.0.0.1:1" } }'
  test.each([
    [
      'a link elsewhere',
      '{ kind: tcp, host: 192.168.10.20, port: 4196 }',
      EXTERNAL,
      'link bus is 192.168.10.20:4196, which is not this machine',
    ],
    ['a memory link', '{ kind: memory }', EXTERNAL, 'link bus is of kind memory'],
    [
      'a broker elsewhere',
      '{ kind: tcp, host: localhost, port: 4196 }',
      '{ external: { url: "mqtt://gate.example.vn" } }',
      'the external broker is mqtt://gate.example.vn',
    ],
    ['a broker without a port', '{ kind: tcp, host: localhost, port: 4196 }', '{ embedded: { port: 0 } }', 'broker.embedded.port is 0'],
  ])('refuses %s with words, exit code 2', async (_, bus, broker, words) => {
    const run = simulate(siteFile({ bus, broker }))
    expect(await run.exit).toBe(2)
    expect(run.err()).toContain(words)
  })

  test('a port that is taken, and a scenario that is not there', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const file = siteFile({ bus: `{ kind: tcp, host: 127.0.0.1, port: ${port} }`, broker: EXTERNAL })
    const run = simulate(file)
    expect(await run.exit).toBe(1)
    expect(run.err()).toContain(`${port}`)
    server.close()
    const other = simulate(file, '--scenario', 'no-such.yaml')
    expect(await other.exit).toBe(2)
    expect(other.err()).toContain('no-such.yaml')
  })
})
