/** Rules that are never reached, as `luong check` warns of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { loadSite } from '../../../config/load.ts'
import { problemLine } from '../../../gateway/kernel/problems.ts'
import { loadRules } from '../../../gateway/rules/load.ts'
import { checkShadowed } from '../../../gateway/rules/shadow.ts'

const dir = mkdtempSync(join(tmpdir(), 'luong-shadow-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function told(...whens: string[]): Promise<string[]> {
  const file = join(dir, 'rules.yaml')
  const rule = (when: string, i: number) =>
    `  - { id: r${i + 1}, when: '${when}', then: refer, reasons: { vi: a, zh: b, en: c }, examples: [{ name: e, expect: refer }] }\n`
  writeFileSync(file, `version: 1\nrules:\n${whens.map(rule).join('')}`)
  return checkShadowed(await loadRules([file])).map((p) => problemLine(p).replace(`${dir}/`, ''))
}

const A = 'weight.known'
const B = 'lane.scale'
const C = 'vehicle.plate == "a && b"'

it.each<[string[], string[]]>([
  [[A, A], ['r2']],
  [['true', A], ['r2']],
  [[A, `${B} && ${A}`], ['r2']],
  [[`${B}&&(${A})`, `(${A} && ${C} && ${B})`], ['r2']],
  [
    [`${A} || ${B}`, `${B} && ${C}`, B],
    ['r2', 'r3'],
  ],
  [[A, `${A} && ${B} || ${A} && ${C}`], ['r2']],
  // Not sure, or not so.
  [[`${A} && ${B}`, A], []],
  [[A, `${A} || ${B}`], []],
  [[A, `!${A}`], []],
  [[C, 'vehicle.plate == "a"', 'vehicle.plate == "a &&  b"'], []],
  [[A, `${B} ? ${A} && ${C} : ${C}`], []],
])('%j: never reached %j', async (whens, shadowed) => {
  const all = await told(...whens)
  expect(all.map((t) => /rule "(\w+)" is never reached/.exec(t)?.[1])).toEqual(shadowed)
})

it('names both rules, the place, and what to do', async () => {
  expect(await told(A, `${A} && ${B}`)).toEqual([
    expect.stringMatching(
      /^rules\.yaml:4:\d+ warning: rules\.1\.when: rule "r2" is never reached: "r1" fits whenever it does \(weight\.known\) \(put it before "r1" \(line 3 of its file\)/,
    ),
  ])
})

it('no shipped rule is shadowed', async () => {
  for (const name of ['kim-thanh', 'loi-mo'])
    expect(
      checkShadowed(
        await loadRules((await loadSite(fileURLToPath(new URL(`../../../config/sites/${name}.yaml`, import.meta.url)), { env: {} })).rules),
      ),
    ).toEqual([])
})
