/** docs/generated/config.md and site.schema.json, from the same schemas that check a site; a test fails when they have drifted. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drivers } from '../firmware-bridge/registry.ts'
import { type JsonNode, type Registry, siteJsonSchema } from './json-schema.ts'
import { type Setting, settings } from './schema-walk.ts'

/** The generated files: name → text. */
export function configDocs(registry: Registry = drivers): Record<string, string> {
  return {
    'config.md': configMarkdown(registry),
    'site.schema.json': `${JSON.stringify(siteJsonSchema(registry), null, 2)}\n`,
  }
}

/** Writes them into `dir`, which is made when it isn't there. */
export async function writeConfigDocs(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const [name, text] of Object.entries(configDocs())) await writeFile(join(dir, name), text)
}

const INTRO = `<!-- Generated from config/schema and the drivers' schemas by \`npm run docs\`. Do not edit. -->
# The site file

One YAML file describes a site. It may \`include\` others: maps are merged key by key, otherwise the including file wins.
Unknown keys are errors. \`luong check SITE.yaml\` shows everything that is wrong, with line and column.
Names in angle brackets are yours to choose; \`DEVICE.POINT\` names an input or output of a board.
`

/** All settings with type, default, bounds and unit. */
export function configMarkdown(registry: Registry): string {
  const sections = new Map<string, Setting[]>()
  for (const setting of settings(siteJsonSchema(registry))) {
    const name = section(setting.path)
    sections.set(name, [...(sections.get(name) ?? []), setting])
  }
  const texts = [...sections].map(([name, all]) => `## ${title(name)}\n\n${table(name, all)}`)
  return `${INTRO}\n${texts.join('\n')}`
}

/** `links.<serial>.baud` is in `links.<serial>`, `http.port` in `http`, `lanes.<lane>.timing.gap_ms` in `lanes.<lane>.timing`. */
function section(path: string): string {
  const steps = path.split('.')
  if (steps.length === 1) return ''
  const named = /^(?:links|devices|lanes)$/.test(steps[0]!) ? 2 : 1
  const timing = steps[0] === 'lanes' && steps.length > 3 && /^(?:timing|sensors|simulation)$/.test(steps[2]!) ? 1 : 0
  return steps.slice(0, Math.min(named + timing, steps.length - 1)).join('.')
}

const title = (name: string) => (name === '' ? 'Top level' : `\`${name}\``)

function table(name: string, all: readonly Setting[]): string {
  const rows = all.map(({ path, node, required, either }) => {
    const key = name === '' ? path : path.slice(name.length + 1)
    const about = `**${node.title ?? ''}**. ${node.description ?? ''}`
    return `| \`${key}\` | ${[about, type(node), fallback(node, required, either), limits(node)].map(cell).join(' | ')} |`
  })
  return `| key | meaning | type | default | bounds |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

function type(node: JsonNode): string {
  if (node.const !== undefined) return code(node.const)
  if (node.enum) return node.enum.map(code).join(', ')
  const options = node.anyOf ?? node.oneOf
  if (options) return [...new Set(options.map(type))].join(' or ')
  if (node.type === 'array') return `list of ${node.items ? type(node.items) : 'anything'}`
  if (node.type === 'integer') return 'whole number'
  if (node.type === 'object') return 'map'
  return { string: 'text', number: 'number', boolean: 'true or false' }[node.type ?? ''] ?? 'anything'
}

function fallback(node: JsonNode, required: boolean, either: boolean): string {
  if (required) return either ? '_one of these_' : '_required_'
  return node.default === undefined ? '' : code(node.default)
}

function limits(node: JsonNode): string {
  const unit = node.unit ? ` ${node.unit}` : ''
  if (node.minimum !== undefined || node.maximum !== undefined) return `${node.minimum ?? '…'} to ${node.maximum ?? '…'}${unit}`
  if (node.minItems !== undefined || node.maxItems !== undefined) return `${node.minItems ?? 0} to ${node.maxItems ?? '…'} entries`
  if (node.maxLength !== undefined) return `up to ${node.maxLength} characters`
  return unit.trim()
}
