/** What the written docs name is there: files, commands with their options, metrics, error codes, alarms. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../gateway/kernel/errors.ts'
import type { AlarmCode } from '../../gateway/lane/model.ts'
import { METRICS } from '../../gateway/site/report.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const markdown = (dir: string) =>
  readdirSync(join(ROOT, dir))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(dir, name))

const WRITTEN = ['README.md', 'CONTRIBUTING.md', ...markdown('docs')]
const all = WRITTEN.map((file) => ({ file, text: read(file) }))

describe('the docs', () => {
  it.each([...WRITTEN, ...markdown('docs/generated')])('%s links only to what is there', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map((m) => m[1]!)
    const missing = links.filter((link) => {
      const [path, anchor] = link.split('#')
      const target = path ? join(ROOT, dirname(file), path) : join(ROOT, file)
      return !existsSync(target) || (anchor !== undefined && target.endsWith('.md') && !anchors(readFileSync(target, 'utf8')).has(anchor))
    })
    expect(missing).toEqual([])
  })

  it('name only commands and options that there are', () => {
    const used = new Map<string, Set<string>>()
    for (const { text } of all)
      for (const [, command, rest] of text.matchAll(/(?:npx |`|^)luong ([a-z]+)([^\n`|#]*)/gm)) {
        const options = used.get(command!) ?? new Set<string>()
        for (const [option] of rest!.matchAll(/--[a-z-]+/g)) options.add(option)
        used.set(command!, options)
      }
    expect([...used.keys()]).toEqual(expect.arrayContaining(['run', 'check', 'probe', 'simulate', 'journal', 'backup', 'restore']))
    const help = (...args: string[]) =>
      execFileSync(process.execPath, [join(ROOT, 'dist/gateway/cli/main.js'), ...args, '--help'], { encoding: 'utf8' })
    /** The help of a command, and of its own commands. */
    const withParts = (command: string) => {
      const own = help(command)
      const parts = [...(own.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+) /gm)].map((m) => m[1]!).filter((part) => part !== 'help')
      return [own, ...parts.map((part) => help(command, part))].join('\n')
    }
    const commands = new Set([...help().matchAll(/^ {2}([a-z]+) /gm)].map((m) => m[1]!))
    const wrong = [...used.keys()].filter((command) => !commands.has(command))
    for (const [command, options] of used) {
      const text = options.size === 0 || !commands.has(command) ? '' : withParts(command)
      for (const option of options) if (!text.includes(option)) wrong.push(`${command} ${option}`)
    }
    expect(wrong).toEqual([])
  }, 120_000)

  it('name only metrics and error codes that there are', () => {
    const text = all.map((a) => a.text).join('\n')
    const metrics = [...text.matchAll(/\bluong_([a-z_]+)/g)].map((m) => m[1]!)
    expect(metrics.length).toBeGreaterThan(3)
    expect(metrics.filter((name) => !(name in METRICS))).toEqual([])
    const codes = [...text.matchAll(/\b[A-Z]{4,}_[A-Z_]+\b/g)].map((m) => m[0]).filter((code) => !/^(LUONG|MALLOC)_/.test(code))
    expect(codes.filter((code) => !(code in ERRORS))).toEqual([])
  })

  it('explain every alarm to whoever runs a site', () => {
    const alarms: Record<AlarmCode, true> = {
      tailgating: true,
      'wrong-way': true,
      'stuck-arm': true,
      'forced-arm': true,
      'abandoned-vehicle': true,
      'sensor-unknown': true,
      'sensor-stuck': true,
      'vehicle-under-arm': true,
      'command-failed': true,
      'detained-vehicle': true,
    }
    const explained = `${read('docs/lane.md')}${read('docs/operate.md')}`
    const named = (alarm: string) => new RegExp(`^\\| ${alarm} |\`${alarm}\`,`, 'm').test(explained)
    expect(Object.keys(alarms).filter((alarm) => !named(alarm))).toEqual([])
  })
})

/** Anchors of headings, as renderers make them. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((m) => m[1]!)
  return new Set(
    headings.map((h) =>
      h
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
