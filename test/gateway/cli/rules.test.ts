/** `luong rules`: what people read, and rules over a journal that a gate left. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { rules } from '../../../gateway/cli/rules.ts'
import { createJournal } from '../../../gateway/journal/create.ts'
import type { Entry } from '../../../gateway/journal/journal.ts'
import { decide } from '../../../gateway/rules/decide.ts'
import { type FactsInput, facts } from '../../../gateway/rules/facts.ts'
import { loadRules } from '../../../gateway/rules/load.ts'
import { recordOf } from '../../../gateway/rules/snapshot.ts'
import { vocabularyWords } from '../../../gateway/rules/vocabulary.ts'
import { SITE } from '../../config/harness.ts'

const BASIC = resolve('config/rules/basic.yaml')
const DAY = Date.parse('2026-11-21T08:00:00+07:00')
const OVERWEIGHT = `version: 1
rules:
  - id: too-heavy
    when: weight.kg > 30000
    then: refer
    reasons: { vi: "Xe {plate} quá nặng", zh: "车辆 {plate} 超重", en: "{plate} is too heavy: {kg} kg" }
    examples: [{ name: heavy, given: { weight: { known: true, kg: 31000 } }, expect: refer }]
`

let dir: string
let data: string

/** A site whose rules are `files`. */
function site(name: string, files: string[]): string {
  const file = join(dir, `site-${name}.yaml`)
  const text = SITE.replace(/^rules:.*$/m, `rules: [${files.join(', ')}]`)
  expect(text).not.toBe(SITE)
  writeFileSync(file, text)
  return file
}

function passage(id: string, at: number, input: FactsInput | null, spoil: (record: Record<string, unknown>) => unknown = (r) => r) {
  return loadRules([BASIC]).then((set): Entry[] => {
    const f = facts.parse(input ?? {})
    const decision = decide(set, f)
    const event = (verb: string, more: object = {}): Entry => ({
      kind: 'event',
      type: `luong.passage.${verb}.v1`,
      lane: 'a',
      passage: id,
      subject: f.vehicle.plate,
      at,
      data: { passage: id, lane: 'a', direction: 'import', historical: false, ...more },
    })
    const record = spoil(JSON.parse(JSON.stringify(recordOf(f, decision))))
    return [
      event('arrived'),
      ...(input === null ? [] : [{ kind: 'input', lane: 'a', passage: id, at, body: record, actions: [] } as const]),
      event('decided', {
        decision: { rule: decision.rule, outcome: decision.outcome, reasons: decision.reasons, config: decision.config },
      }),
      event('aborted'),
    ]
  })
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luong-rules-cli-'))
  data = join(dir, 'data')
  writeFileSync(join(dir, 'heavy.yaml'), OVERWEIGHT)
  writeFileSync(join(dir, 'weighed.yaml'), OVERWEIGHT.replace('too-heavy', 'any-weight').replace('weight.kg > 30000', 'weight.known'))
  const journal = createJournal({ dir: data, site: 'pass', minFreeMb: 1, timezone: 'Asia/Ho_Chi_Minh' })
  await journal.open()
  const withoutScale = (r: Record<string, unknown>) => {
    const { weight: _, ...f } = r.facts as Record<string, unknown>
    return { ...r, facts: f }
  }
  for (const entries of await Promise.all([
    passage('P1', DAY, { vehicle: { plate: '24C11111' } }),
    passage('P2', DAY + 60_000, { vehicle: { plate: '24C22222' }, weight: { known: true, kg: 31_000, declared_kg: 31_000 } }),
    passage('P3', DAY + 120_000, null),
    passage('P4', DAY + 180_000, { vehicle: { plate: '24C44444' } }, withoutScale),
    passage('P5', DAY - 86_400_000, { vehicle: { plate: '24C55555' }, weight: { known: true, kg: 40_000 } }),
  ]))
    await journal.append(entries)
  await journal.close()
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))
afterEach(() => {
  process.exitCode = 0
  vi.restoreAllMocks()
})

async function luong(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const program = new Command('luong').exitOverride().configureOutput({ writeErr: () => undefined })
  rules(program)
  let [out, err] = ['', '']
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text)
    return true
  })
  process.exitCode = 0
  await program.parseAsync(['node', 'luong', 'rules', ...args])
  return { code: Number(process.exitCode), out, err }
}
const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Record<string, unknown>)

describe('explain', () => {
  it('tells every word with type, unit, meaning and example', async () => {
    const { out, code } = await luong('explain')
    expect(code).toBe(0)
    for (const w of vocabularyWords()) for (const part of [w.name, w.type, w.description, w.example]) expect(out).toContain(part)
    expect(out).toContain('sampled(id: string, seed: string, rate: double): bool')
    const json = lines((await luong('explain', '--json')).out)
    expect(json).toContainEqual(expect.objectContaining({ word: 'weight.kg', type: 'double', unit: 'kg' }))
    expect(json.at(-1)).toMatchObject({ function: 'sampled' })
  })

  it("tells a site's rules in order, with the words they ask about", async () => {
    const file = site('explained', [join(dir, 'heavy.yaml'), BASIC])
    const { out } = await luong('explain', file)
    expect(out).toMatch(
      / 1\. too-heavy \(too-heavy\)\n +when +weight\.kg > 30000\n +weight\.kg: Weight on the scale.*, kg\n +then +refer: to the officer/,
    )
    expect(out).toMatch(/ 2\. Detained or banned vehicles never open \(detained\)/)
    expect(out).toMatch(/alarm detained-vehicle/)
    const json = lines((await luong('explain', file, '--json')).out)
    expect(json[0]).toMatchObject({ rule: 'too-heavy', no: 1, asks: ['weight.kg'], then: 'refer' })
    expect(json[1]).toMatchObject({ rule: 'detained', no: 2 })
  })
})

describe('test', () => {
  it('with the same rules: nothing is decided otherwise, and what cannot be told is said', async () => {
    const { out, code } = await luong('test', site('same', [BASIC]), data, '--day', '2026-11-21', '--expect-same')
    expect(code).toBe(0)
    expect(out).toMatch(/P3 .*pass \(declared\) → not known: the journal holds no facts of this decision/)
    expect(out).not.toMatch(/P4/)
    const asking = await luong('test', site('asking', [join(dir, 'weighed.yaml'), BASIC]), data, '--passage', 'P4')
    expect(asking.out).toMatch(/P4 .*not known: rule any-weight asks about weight\.known, which was not recorded then/)
    expect(out).toMatch(/4 decisions: 3 the same, 0 with another outcome, 0 .* by another rule, 1 could not be decided again/)
  })

  it('with a new rule: passage, plate, lane, then and now, which rule and why', async () => {
    const file = site('heavy', [join(dir, 'heavy.yaml'), BASIC])
    const { out, code } = await luong('test', file, data, '--all', '--expect-same')
    expect(code).toBe(1)
    expect(out).toMatch(
      /2026-11-21 08:01:00 {2}P2 {2}a +24C-222\.22 +pass \(declared\) → refer \(too-heavy\) {2}24C22222 is too heavy: 31000 kg/,
    )
    expect(out).toMatch(/P5 .*refer \(too-heavy\)/)
    expect(out).not.toMatch(/P1 /)
    expect((await luong('test', file, data, '--all')).code).toBe(0)
    const json = lines((await luong('test', file, data, '--day', '2026-11-21', '--json')).out)
    expect(json.map((l) => l.change)).toEqual(['same', 'outcome', 'unknown', 'unknown', undefined])
    expect(json[1]).toMatchObject({
      passage: 'P2',
      then: { outcome: 'pass', rule: 'declared' },
      now: { outcome: 'refer', rule: 'too-heavy' },
    })
    expect(json.at(-1)).toMatchObject({ summary: true, decided: 2, same: 1, outcome: 1, rule: 0, unknown: 2 })
  })

  it('one passage; a rule that is asked before its missing word decides is told', async () => {
    const one = await luong('test', site('one', [join(dir, 'heavy.yaml'), BASIC]), data, '--passage', 'P2')
    expect(one.out).toMatch(/P2 /)
    expect(one.out).toMatch(/1 decisions: 0 the same, 1 with another outcome/)
  })

  it('nothing that could be decided again is not taken for the same', async () => {
    expect((await luong('test', site('none', [BASIC]), data, '--passage', 'P3', '--expect-same')).code).toBe(1)
  })

  it('says what is wrong with the question', async () => {
    const file = site('asked', [BASIC])
    await expect(luong('test', file, data)).rejects.toThrow(/one of --passage ID, --day 2026-11-21 and --all/)
    await expect(luong('test', file, data, '--all', '--day', '2026-11-21')).rejects.toThrow(/one of/)
    await expect(luong('test', file, data, '--day', '2026-02-30')).rejects.toThrow(/--day 2026-02-30: no such day/)
    await expect(luong('test', file, data, '--passage', 'X')).rejects.toThrow(/nothing is recorded for passage X/)
    await expect(luong('test', file, join(dir, 'nowhere'), '--all')).rejects.toThrow(/no such folder/)
  })
})
