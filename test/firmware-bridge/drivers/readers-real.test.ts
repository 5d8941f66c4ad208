/** Tag readers and scanner on real ports: a PTY made by socat and a TCP socket, with the system's own clock. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildDevices, type Devices } from '../../../firmware-bridge/build.ts'
import { buildSim, type SimDevices } from '../../../firmware-bridge/build-sim.ts'
import type { Links } from '../../../firmware-bridge/plan.ts'
import { openSimLines, type SimLines } from '../../../firmware-bridge/transport/sim-line.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { parseDevices } from '../../contract/rig.ts'

const TAG = 'E28068940000500012345678'
const DEVICES = {
  r200: { driver: 'r200', link: 'pty' },
  chafon: { driver: 'chafon', link: 'tcp', family: '288' },
  scanner: { driver: 'qr-line', link: 'pty-2' },
}
const serial = (path: string) => ({ kind: 'serial', path, baud: 115_200, parity: 'none', data_bits: 8, stop_bits: 1 }) as const

let dir = ''
let lines: SimLines
let sims: SimDevices
let devices: Devices

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-readers-'))
  const there: Links = {
    pty: serial(join(dir, 'tag')),
    'pty-2': serial(join(dir, 'scanner')),
    tcp: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  }
  lines = await openSimLines(there, silentLog)
  const links: Links = { ...there, tcp: { kind: 'tcp', host: '127.0.0.1', port: Number(lines.where.get('tcp')!.split(':')[1]) } }
  const common = { links, devices: parseDevices(DEVICES), clock: systemClock, log: silentLog }
  sims = await buildSim({ ...common, lineFor: lines.lineFor })
  devices = await buildDevices(common)
  sims.start()
  devices.start()
}, 30_000)
afterEach(async () => {
  await devices.stop()
  await sims.stop()
  await lines.stop()
  await rm(dir, { recursive: true, force: true })
}, 30_000)

async function until(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (test()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}

test('tags come and go, codes are read, and none is lost on the way', async () => {
  for (const id of Object.keys(DEVICES)) await until(`${id} is ok`, () => devices.get(id).health().state === 'ok')
  for (const id of ['r200', 'chafon']) {
    const { tag } = devices.get(id)
    sims.get(id).tag!.place([TAG])
    await until(`${id} sees the tag`, () => (tag!.present()[0]?.count ?? 0) > 3)
    expect(tag!.present()).toMatchObject([{ text: TAG, rssi: id === 'r200' ? -55 : 107 }])
    sims.get(id).tag!.place([])
    await until(`${id} sees it go`, () => tag!.present().length === 0)
    expect(devices.get(id).health().counters).toMatchObject({ presences: 1, bad_frames: 0 })
  }
  const text = `Tờ khai ${'số 2026 '.repeat(80).trim()}`
  sims.get('scanner').code!.scan(text)
  await until('the code', () => devices.get('scanner').code!.present()[0]?.text === text)
}, 60_000)
