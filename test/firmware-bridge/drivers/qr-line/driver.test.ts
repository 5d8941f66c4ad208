import { afterEach, expect, test } from 'vitest'
import { settings } from '../../../../firmware-bridge/drivers/qr-line/schema.ts'
import type { Rig } from '../../../contract/rig.ts'
import { soloRig } from '../rigs.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end()
})

async function make(differs: Record<string, unknown> = {}) {
  const rig = await soloRig('bytes', { driver: 'qr-line', ...differs })
  rigs.push(rig)
  const said: string[] = []
  rig.device.code!.onPresence((p, there) => said.push(`${there ? '+' : '-'}${p.text}`))
  await rig.begin(100)
  return { rig, said, counters: () => rig.device.health().counters as Record<string, number> }
}

test('a code is told as it is scanned; held there and scanned again, it is the same presence', async () => {
  const { rig, said, counters } = await make()
  for (let i = 0; i < 5; i++) {
    rig.sim.code!.scan('30/TK-2026 · Lào Cai')
    await rig.clock.advance(1_000)
  }
  expect(said).toEqual(['+30/TK-2026 · Lào Cai'])
  expect(rig.device.code!.present()).toMatchObject([{ count: 5, rssi: null, antenna: null }])
  await rig.clock.advance(2_000)
  expect(said).toEqual(['+30/TK-2026 · Lào Cai', '-30/TK-2026 · Lào Cai'])
  rig.sim.code!.scan('30/TK-2026 · Lào Cai')
  await rig.clock.advance(10)
  expect(said).toHaveLength(3)
  expect(counters()).toMatchObject({ codes: 6, presences: 2 })
})

test('without CR or LF a code ends after 50 ms of silence, and not while bytes still come', async () => {
  const { rig, said } = await make()
  rig.noise(Buffer.from('TK-'))
  await rig.clock.advance(40)
  rig.noise(Buffer.from('2026'))
  await rig.clock.advance(45)
  expect(said).toEqual([])
  await rig.clock.advance(10)
  expect(said).toEqual(['+TK-2026'])
})

test('what is refused is counted by reason, and the next code is read', async () => {
  const { rig, said, counters } = await make()
  for (const line of [Buffer.alloc(5_000, 'x'), Buffer.from([0xff, 0xfe]), Buffer.from(']Q1\u0007')]) {
    rig.noise(line)
    rig.noise(Buffer.from('\r\n'))
  }
  rig.sim.code!.scan('TK-1')
  await rig.clock.advance(10)
  expect(counters()).toMatchObject({ codes: 1, refused_long: 1, refused_not_text: 1, refused_blank: 1 })
  expect(said).toEqual(['+TK-1'])
})

test('half a code before the cable came off is not joined to the next one', async () => {
  const { rig, said } = await make()
  rig.noise(Buffer.from('TK-'))
  await rig.clock.advance(5)
  rig.plugged(false)
  rig.plugged(true)
  rig.sim.code!.scan('2026')
  await rig.clock.advance(200)
  expect(said).toEqual(['+2026'])
})

test('nothing is written to the scanner', async () => {
  const { rig } = await make()
  await rig.clock.advance(10_000)
  expect(rig.sent).toEqual([])
})

test('settings are bounded', () => {
  expect(settings.safeParse({ driver: 'qr-line', link: 'w' }).success).toBe(true)
  for (const bad of [{ idle_ms: 5 }, { encoding: 'latin1' }, { hold_ms: 100 }, { suffix: 'CR' }])
    expect(settings.safeParse({ driver: 'qr-line', link: 'w', ...bad }).success, JSON.stringify(bad)).toBe(false)
})
