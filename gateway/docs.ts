/** `npm run docs`: everything in docs/generated, each from the table that the program itself works from. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configDocs } from '../config/docs.ts'
import { PROFILES, type Profile } from '../firmware-bridge/drivers/modbus-io/profiles.ts'
import { PRESETS, type Preset } from '../firmware-bridge/drivers/mqtt-io/presets.ts'
import { ERRORS, type ErrorInfo } from './kernel/errors.ts'
import { packageRoot } from './kernel/package-root.ts'
import { laneTable } from './lane/table.ts'
import { facts, vocabulary, words } from './rules/facts.ts'
import { loadRules } from './rules/load.ts'
import { METRICS } from './site/report.ts'
import { topicDocs } from './uplink/docs.ts'

const here = (path: string) => join(packageRoot, path)

/** Every generated file: name → what makes its text. The lane table explores the whole lane, which takes some seconds. */
export function docs(): Record<string, () => string | Promise<string>> {
  const ready = Object.entries({ ...configDocs(), ...topicDocs() }).map(([name, text]) => [name, () => text] as const)
  return {
    ...Object.fromEntries(ready),
    'errors.md': errorsMarkdown,
    'rules.md': rulesMarkdown,
    'metrics.md': metricsMarkdown,
    'boards.md': boardsMarkdown,
    'lane-table.md': laneTable,
  }
}

/** Writes them all into `dir`. */
async function writeDocs(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const [name, make] of Object.entries(docs())) {
    await writeFile(join(dir, name), await make())
    process.stdout.write(`docs/generated/${name}\n`)
  }
}

function errorsMarkdown(): string {
  const rows = Object.entries<ErrorInfo>(ERRORS).map(([code, e]) => [`\`${code}\``, e.meaning, e.hint, e.retryable ? 'yes' : 'no'])
  return page(
    'gateway/kernel/errors.ts',
    'Errors',
    `Every error names the file and line, the device, the port or the topic it is about, and says what to do. Most hints are more exact
than the one in this table. Commands print them to standard error, with \`--json\` as \`{"error":{"code","message","hint"}}\`, and exit
with 1, or with 2 when the command line itself is wrong. _Again_: trying again later, unchanged, may succeed.`,
    table(['code', 'meaning', 'what to do', 'again'], rows),
  )
}

async function rulesMarkdown(): Promise<string> {
  const { rules } = await loadRules([here('config/rules/basic.yaml')])
  const known = vocabulary().flatMap((v) => v.fields ?? (v.word ? [v.word] : []))
  return page(
    'gateway/rules/facts.ts and config/rules/basic.yaml',
    'Words and rules',
    'How to write rules: [rules](../rules.md).',
    '## What a condition may ask about',
    table(
      ['name', 'type', 'meaning'],
      known.map((w) => [`\`${w.name}\``, `\`${w.type}\``, w.description]),
    ),
    '## What a reason may say',
    `A word in braces is filled in: ${Object.keys(words(facts.parse({})))
      .map((w) => `\`{${w}}\``)
      .join(', ')}.`,
    '## The rules that are shipped: `config/rules/basic.yaml`',
    'The first one that fits decides. When none fits, the vehicle is referred to the officer.',
    table(
      ['rule', 'when', 'then', 'the officer reads'],
      rules.map((r) => [
        `\`${r.id}\`: ${r.title ?? ''}`,
        `\`${r.when}\``,
        r.alarm ? `${r.then}, alarm \`${r.alarm}\`` : r.then,
        r.reasons.en,
      ]),
    ),
  )
}

function metricsMarkdown(): string {
  return page(
    'gateway/site/report.ts',
    'Metrics',
    `\`/metrics\` in Prometheus text format. Labels say which one is meant: \`lane\` and \`phase\`, \`device\` and \`event\`, \`link\`,
\`target\` (a broker that events go to), \`quantile\` (0.5 and 0.99). Beside these there are the usual \`process_…\` and \`nodejs_…\`.`,
    table(
      ['name', 'meaning'],
      Object.entries(METRICS).map(([name, help]) => [`\`luong_${name}\``, help]),
    ),
  )
}

function boardsMarkdown(): string {
  const pulse = ({ pulse }: Profile) =>
    pulse ? `by the board, up to ${(pulse.max * pulse.unitMs) / 1000} s in steps of ${pulse.unitMs / 1000} s` : 'by the gateway'
  const points = (name: string, n: number) => (n === 0 ? 'none' : `\`${name}1\` to \`${name}${n}\``)
  return page(
    'firmware-bridge/drivers',
    'Boards',
    'Wiring, and which way round an input must be: [hardware](../hardware.md).',
    '## Modbus boards: `driver: modbus-io`',
    `A pulse that the board times itself ends even when the gateway dies in the middle of it.`,
    table(
      ['profile', 'board', 'unit as delivered', 'inputs', 'outputs', 'a pulse is timed'],
      Object.entries<Profile>(PROFILES).map(([name, p]) => [
        `\`${name}\``,
        p.title,
        `${p.unit}`,
        points('di', p.inputs),
        points('do', p.outputs),
        pulse(p),
      ]),
    ),
    '## MQTT firmwares: `driver: mqtt-io`',
    '`{base}` and `{channel}` are what the site file says for the device and the point.',
    table(
      ['preset', 'firmware', 'inputs arrive on', 'outputs are switched on', 'a pulse is timed'],
      Object.entries<Preset>(PRESETS).map(([name, p]) => [
        `\`${name}\``,
        p.title,
        `\`${p.input.topic}\``,
        `\`${p.output.topic}\``,
        p.output.pulse ? 'by the device' : 'by the gateway',
      ]),
    ),
  )
}

function page(source: string, title: string, ...parts: string[]): string {
  return `${[`<!-- Generated from ${source} by \`npm run docs\`. Do not edit. -->\n# ${title}`, ...parts].join('\n\n')}\n`
}

function table(head: string[], body: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeDocs(here('docs/generated'))
