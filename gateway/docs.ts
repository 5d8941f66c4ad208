/** `npm run docs`: everything in docs/generated, each from the table that the program itself works from. */
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configDocs } from '../config/docs.ts'
import { loadSite } from '../config/load.ts'
import { PROFILES, type Profile } from '../firmware-bridge/drivers/modbus-io/profiles.ts'
import { PRESETS, type Preset } from '../firmware-bridge/drivers/mqtt-io/presets.ts'
import { declarationDocs } from './declarations/docs.ts'
import { ERRORS, type ErrorInfo } from './kernel/errors.ts'
import { packageRoot } from './kernel/package-root.ts'
import { laneTable } from './lane/table.ts'
import { facts, words } from './rules/facts.ts'
import { type CompiledRule, loadRules } from './rules/load.ts'
import { FUNCTIONS, vocabularyWords } from './rules/vocabulary.ts'
import { METRICS } from './site/report.ts'
import { topicDocs } from './uplink/docs.ts'

const here = (path: string) => join(packageRoot, path)

/** Every generated file: name → what makes its text. The lane table explores the whole lane, which takes some seconds. */
export function docs(): Record<string, () => string | Promise<string>> {
  const ready = Object.entries({ ...configDocs(), ...topicDocs(), ...declarationDocs() }).map(([name, text]) => [name, () => text] as const)
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

/** The rule files that are shipped, in the order of a road gate; basic.yaml stands by itself. */
async function shippedRules(): Promise<CompiledRule[]> {
  const { rules } = await loadSite(here('config/sites/kim-thanh.yaml'))
  return [...(await loadRules(rules)).rules]
}

async function rulesMarkdown(): Promise<string> {
  const rules = await shippedRules()
  const files = [...new Set(rules.map((r) => basename(r.source_.yaml.file)))]
  return page(
    'gateway/rules/facts.ts and config/rules',
    'Words and rules',
    'How to write rules: [rules](../rules.md). The same on the command line: `luong rules explain`, `luong rules explain SITE.yaml`.',
    '## What a condition may ask about',
    table(
      ['name', 'type', 'unit', 'meaning', 'example'],
      vocabularyWords().map((w) => [`\`${w.name}\``, `\`${w.type}\``, w.unit, w.description, `\`${w.example}\``]),
    ),
    '## What a condition may call',
    table(
      ['function', 'meaning', 'example'],
      FUNCTIONS.map((f) => [`\`${f.signature}\``, f.description, `\`${f.example}\``]),
    ),
    '## What a reason may say',
    `A word in braces is filled in: ${Object.keys(words(facts.parse({})))
      .map((w) => `\`{${w}}\``)
      .join(', ')}.`,
    '## The rules of a road gate: `config/sites/shared/gate-rules.yaml`',
    'In order of precedence: the first one that fits decides. When none fits, the vehicle is referred to the officer.',
    ...files.flatMap((file) => [
      `### \`config/rules/${file}\``,
      table(
        ['rule', 'when', 'then', 'the officer reads', 'source'],
        rules
          .filter((r) => basename(r.source_.yaml.file) === file)
          .map((r) => [
            `\`${r.id}\`: ${r.title ?? ''}`,
            `\`${r.when.trim()}\``,
            r.alarm ? `${r.then}, alarm \`${r.alarm}\`` : r.then,
            r.reasons.en,
            r.source ?? '',
          ]),
      ),
    ]),
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
