/** Redirects name a lane, and nobody is sent in circles: by what rules a site may have, and as `luong check` tells it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problemLine } from '../../../gateway/kernel/problems.ts'
import { decide } from '../../../gateway/rules/decide.ts'
import { exampleFacts, loadRules } from '../../../gateway/rules/load.ts'
import { checkRedirects, elsewhere } from '../../../gateway/rules/redirect.ts'
import { SentOn } from '../../../gateway/site/sent-on.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'luong-redirect-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let made = 0
/** Each `when` redirects; all others pass. */
async function rules(...whens: string[]) {
  const rule = (id: string, when: string, then: string) =>
    `  - id: ${id}\n    when: '${when}'\n    then: ${then}\n    reasons: { vi: 'a', zh: 'b', en: 'c' }\n    examples: [{ name: e, expect: pass, by: rest }]\n`
  const file = join(dir, `${++made}.yaml`)
  writeFileSync(
    file,
    `version: 1\nrules:\n${whens.map((w, i) => rule(`away-${i + 1}`, w, 'redirect')).join('')}${rule('rest', 'true', 'pass')}`,
  )
  return loadRules([file])
}
const lane = (id: string, takes: string[], over: object = {}) => ({ ...exampleFacts({ lane: { id, takes, ...over } }).lane })

describe('whatever the rules say', () => {
  const ids = ['a', 'b', 'c', 'd'] as const
  /** For each lane: does it send the vehicle away? Twice, as lanes may see a vehicle differently when it comes again. */
  const views = fc.array(fc.subarray([...ids]), { minLength: 1, maxLength: 12 })

  it('a vehicle is sent on at most once from each lane, and never to one that would send it on', async () => {
    const set = await rules('vehicle.trailer.contains(lane.id)')
    fc.assert(
      fc.property(views, fc.subarray([...ids]), fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }), (seen, shut, queues) => {
        const sent = new SentOn({ mono: () => 0 })
        const others = ids.map((id, i) => ({ facts: lane(id, ['loaded']), open: !shut.includes(id), queue: queues[i]! }))
        let at: string = 'a'
        const way = [at]
        for (let n = 0; ; n++) {
          // The rules send it away from the lanes that its facts name.
          const f = exampleFacts({ lane: { id: at }, vehicle: { trailer: seen[n % seen.length]!.join('') } })
          const decision = decide(set, { ...f, elsewhere: elsewhere(set, f, others, sent.from('D1')) })
          if (decision.lane === undefined) break
          expect(decision.outcome).toBe('redirect')
          expect(shut).not.toContain(decision.lane)
          expect(decide(set, { ...f, lane: lane(decision.lane, ['loaded']) }).outcome).not.toBe('redirect')
          const same = others.filter(
            (o) => o.open && !sent.from('D1').includes(o.facts.id) && o.facts.id !== at && !f.vehicle.trailer.includes(o.facts.id),
          )
          expect(others.find((o) => o.facts.id === decision.lane)!.queue).toBe(Math.min(...same.map((o) => o.queue)))
          sent.send('D1', at, decision.lane)
          at = decision.lane
          way.push(at)
          expect(way.length).toBeLessThanOrEqual(ids.length)
        }
        expect(new Set(way).size).toBe(way.length)
      }),
    )
  })

  it('who is let in, or was sent long ago, may be sent again', () => {
    let now = 0
    const sent = new SentOn({ mono: () => now })
    sent.send('D1', 'a', 'b')
    sent.send('D2', 'a', 'b')
    expect([sent.from('D1'), sent.coming('b')]).toEqual([['a'], 2])
    sent.arrived('D1')
    sent.forget('D2')
    expect([sent.from('D1'), sent.from('D2'), sent.coming('b')]).toEqual([['a'], [], 0])
    now = 5 * 3_600_000
    expect(sent.from('D1')).toEqual([])
    for (let i = 0; i < 5_000; i++) sent.send(`V${i}`, 'a', 'b')
    expect([sent.from('V0'), sent.from('V4999'), sent.coming('b')]).toEqual([[], ['a'], 2_000])
  })
})

describe('the check of a site', () => {
  const lanes = [lane('one', ['loaded']), lane('green', ['agricultural'], { priority: true })]

  it('tells a circle once, with the place of the rule, the vehicle and the way round', async () => {
    const set = await rules('!(declaration.traffic in lane.takes)', 'lane.priority && !mark.seen')
    const told = checkRedirects(set, lanes).map(problemLine)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(
      /\.yaml:10:11 rules\.1\.then: sends a vehicle in circles: agricultural, import, without a mark: every lane sends it to another: one \(away-1\) → green \(away-2\) \(lane green takes agricultural/,
    )
  })

  it('is content when one lane takes it, and with traffic that the site takes nowhere', async () => {
    const set = await rules(
      '!(declaration.traffic in lane.takes) && !(declaration.traffic == "agricultural" && !mark.seen && "loaded" in lane.takes)',
      'lane.priority && !mark.seen',
    )
    expect(checkRedirects(set, lanes)).toEqual([])
  })
})
