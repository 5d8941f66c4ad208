import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FAULTS, misfit, PARTS } from '../sim/faults.ts'
import { loadScenario, parseScenario } from '../sim/scenario.ts'

describe('scenes', () => {
  test('the shipped ones are right, and named like their files', () => {
    const files = readdirSync('test/sim/scenarios')
    expect(files.map((f) => f.replace('.yaml', ''))).toEqual([
      'abandoned',
      'camera-dead',
      'detained',
      'loop-stuck',
      'no-declaration',
      'power-cut',
      'reverser',
      'swapped-tag',
      'swapped-trailer',
      'tailgater',
      'wrong-way',
    ])
    for (const file of files) expect(`${loadScenario(`test/sim/scenarios/${file}`).name}.yaml`).toBe(file)
  })

  const wrong = (text: string): string => {
    try {
      parseScenario('scene.yaml', text)
    } catch (error) {
      return (error as Error).message
    }
    return 'no error'
  }

  test('every mistake is told with its line, all at once', () => {
    const message = wrong(
      [
        'name: s',
        'about: s',
        'truks: []',
        'trucks:',
        '  - { at: -1, habit: drunk, plate: 24-C1 }',
        'faults:',
        '  - { at: 1, part: barrier, fault: stuck-on }',
      ].join('\n'),
    )
    expect(message.split('\n')).toHaveLength(5)
    expect(message).toContain('scene.yaml:3:1 truks: unknown key "truks" (did you mean trucks?)')
    expect(message).toMatch(/scene\.yaml:5:\d+ trucks\.0\.at: /)
    expect(message).toMatch(/scene\.yaml:5:\d+ trucks\.0\.habit: /)
    expect(message).toMatch(/scene\.yaml:5:\d+ trucks\.0\.plate: write a plate/)
    expect(message).toMatch(/scene\.yaml:7:\d+ faults\.0\.fault: stuck-on is a fault of approach, presence, curtain, exit, not of barrier/)
  })

  test('keys of inner maps are guessed from their own', () => {
    expect(wrong('{name: s, about: s, trucks: [{at: 1, declared: {plat: 24C12345}}]}')).toContain('did you mean plate?')
    expect(wrong('{name: s, about: s, trucks: [{at: 1, lan: 1}]}')).toContain('did you mean lane?')
  })

  test.each(['', '[]', 'name: [', 'a: &x [*x]', '{name: s}'])('%j is refused in words', (text) => {
    expect(wrong(text)).toMatch(/^scene\.yaml:\d+:\d+ /)
  })

  test('a file that is not there is bad usage', () => {
    expect(() => loadScenario('no/such.yaml')).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }))
  })

  test('each fault fits at least one part, and power cuts only the whole lane', () => {
    for (const fault of FAULTS) expect(PARTS.some((part) => misfit(part, fault) === undefined)).toBe(true)
    expect(PARTS.filter((part) => misfit(part, 'power-cut') === undefined)).toEqual(['all'])
  })
})
