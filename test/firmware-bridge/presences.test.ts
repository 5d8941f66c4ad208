import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Presences } from '../../firmware-bridge/presences.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'

function make(holdMs = 2_000) {
  const clock = new VirtualClock({ epoch: 0, rounds: 1 })
  const presences = new Presences(clock, holdMs)
  const said: string[] = []
  presences.onPresence((p, there) => said.push(`${there ? '+' : '-'}${p.text} ${p.count}`))
  const see = (text: string, rssi: number | null = null, antenna: number | null = null) =>
    presences.see({ text, rssi, antenna, raw: `${text}@${rssi}` })
  return { clock, presences, said, see }
}

it('is one presence while the tag is read again within the hold time', async () => {
  const { clock, presences, said, see } = make()
  expect(see('A', -60, 1)).toBe(true)
  await clock.advance(1_900)
  expect(see('A', -40, 2)).toBe(false)
  await clock.advance(1_900)
  see('A', -55, 3)
  expect(presences.present()).toEqual([{ text: 'A', first: 0, last: 3_800, count: 3, rssi: -40, antenna: 2, raw: 'A@-40' }])
  await clock.advance(1_999)
  expect(presences.present()).toHaveLength(1)
  await clock.advance(1)
  expect(presences.present()).toEqual([])
  expect(said).toEqual(['+A 1', '-A 3'])
  see('A')
  expect(said.at(-1)).toBe('+A 1')
})

it('lets the one not read for longest go when there are too many', async () => {
  const { presences, said, see } = make()
  for (let i = 0; i < 64; i++) see(`T${i}`)
  see('T0')
  see('new')
  expect(presences.present()).toHaveLength(64)
  expect(presences.crowded).toBe(1)
  expect(said.filter((s) => s.startsWith('-'))).toEqual(['-T1 1'])
})

it('knows nothing after the reader is lost', async () => {
  const { clock, presences, said, see } = make()
  see('A')
  see('B')
  presences.clear()
  expect(presences.present()).toEqual([])
  expect(said).toEqual(['+A 1', '+B 1', '-A 1', '-B 1'])
  await clock.advance(10_000)
  expect(said).toHaveLength(4)
})

it('does as a plain model does, for any reads at any times', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(700), fc.constantFrom('A', 'B', 'C')), { maxLength: 40 }), async (reads) => {
      const { clock, presences, said, see } = make(1_000)
      const last = new Map<string, number>()
      let begun = 0
      for (const [wait, text] of reads) {
        await clock.advance(wait)
        const before = last.get(text)
        const fresh = before === undefined || clock.mono() - before >= 1_000
        if (fresh) begun++
        expect(see(text)).toBe(fresh)
        last.set(text, clock.mono())
        const there = [...last].filter(([, at]) => clock.mono() - at < 1_000).map(([t]) => t)
        expect(new Set(presences.present().map((p) => p.text))).toEqual(new Set(there))
      }
      await clock.advance(1_000)
      expect(said.filter((s) => s.startsWith('+'))).toHaveLength(begun)
      expect(said.filter((s) => s.startsWith('-'))).toHaveLength(begun)
    }),
    { numRuns: 60 },
  )
})
