/** `luong check`: is this site file right? Config, cross-references, rules and their examples; changes nothing. */
import { relative } from 'node:path'
import type { Command } from 'commander'
import { kindOf } from '../../config/checks/view.ts'
import { count, explain, problemJson, tally } from '../../config/explain.ts'
import { ConfigError, type LoadedSite, loadSite } from '../../config/load.ts'
import type { Problem } from '../kernel/problems.ts'
import { ProblemsError } from '../kernel/problems.ts'
import { checkExamples } from '../rules/decide.ts'
import type { Facts } from '../rules/facts.ts'
import { loadRules } from '../rules/load.ts'
import { checkRedirects } from '../rules/redirect.ts'
import { checkShadowed } from '../rules/shadow.ts'
import { siteLanes } from '../site/derive.ts'
import { paint } from './colour.ts'

interface Options {
  readonly json?: boolean
}

interface Checked {
  readonly problems: readonly Problem[]
  /** null when the site file has errors. */
  readonly site: LoadedSite | null
  readonly rules: number
  readonly examples: number
}

/** Registers the command. Exit code 1 when there are errors; warnings alone are told and do not fail. */
export function check(program: Command): void {
  program
    .command('check')
    .description('check a site file, its cross-references, its rules and their examples')
    .argument('<site.yaml>', 'the site file')
    .option('--json', 'one JSON object a line: each problem, then a summary')
    .action(async (file: string, options: Options) => {
      const checked = await checkSite(file)
      const ok = checked.site !== null && !checked.problems.some((p) => p.severity === 'error')
      const lines = options.json ? jsonLines(checked, ok) : textLines(file, checked, ok)
      process.stdout.write(`${lines.join('\n')}\n`)
      if (!ok) process.exitCode = 1
    })
}

/** Everything that can be said about a site file. Rejects only on what is not the file's fault. */
export async function checkSite(file: string): Promise<Checked> {
  try {
    const site = await loadSite(file)
    const rules = await checkRules(site.rules, siteLanes(site.site))
    return { ...rules, site, problems: [...site.warnings, ...rules.problems] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const rules = await checkRules(error.rules)
    return { ...rules, site: null, problems: [...error.problems, ...rules.problems] }
  }
}

async function checkRules(files: readonly string[], lanes: readonly Facts['lane'][] = []): Promise<Omit<Checked, 'site'>> {
  try {
    const set = await loadRules(files.map(nearName))
    const { problems, examples } = checkExamples(set)
    return { problems: [...problems, ...checkShadowed(set), ...checkRedirects(set, lanes)], rules: set.rules.length, examples }
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error
    return { problems: error.problems, rules: 0, examples: 0 }
  }
}

/** Relative to where the person stands, when that is shorter. */
function nearName(file: string): string {
  const near = relative(process.cwd(), file)
  return near.length < file.length ? near : file
}

function jsonLines({ problems, site, rules, examples }: Checked, ok: boolean): string[] {
  const about = site
    ? {
        site: site.site.site.id,
        lanes: Object.keys(site.site.lanes),
        devices: site.devices.size,
        links: Object.keys(site.site.links).length,
        hash: site.hash,
      }
    : {}
  return [...problems.map(problemJson), JSON.stringify({ ok, ...about, rules, examples })]
}

function textLines(file: string, { problems, site, rules, examples }: Checked, ok: boolean): string[] {
  const told = problems.map((p) => explain(p, { colour: paint.isColorSupported }))
  if (!ok || site === null) return [...told, paint.red(`${file}: ${tally(problems)}`)]
  const warned = problems.length > 0 ? `, ${tally(problems).replace('0 errors, ', '')}` : ''
  return [...told, ...summary(site, rules, examples), paint.green(`${file} is right${warned}`)]
}

const KINDS = {
  points: 'board',
  barrier: 'barrier',
  signal: 'traffic light',
  camera: 'camera',
  scale: 'weighbridge',
  tag: 'tag reader',
  code: 'code scanner',
} as const

/** What the site is, so that a person sees at a glance whether it is the one that was meant. */
function summary(loaded: LoadedSite, rules: number, examples: number): string[] {
  const { site, devices } = loaded
  const lanes = Object.entries(site.lanes)
  const width = Math.max(...lanes.map(([id]) => id.length))
  const kinds = Object.entries(KINDS).flatMap(([kind, word]) => {
    const n = [...devices.values()].filter((d) => kindOf(d) === kind).length
    return n === 0 ? [] : [count(n, word)]
  })
  const row = (name: string, text: string) => `${paint.dim(name.padEnd(9))}${text}`
  return [
    row('site', `${paint.bold(site.site.id)}: ${site.site.name.en} · ${site.site.name.vi} · ${site.site.name.zh}`),
    ...lanes.map(([id, lane], i) => {
      const cameras = lane.cameras.front.length + lane.cameras.rear.length
      const equipped = (['scale', 'tag', 'code'] as const).filter((kind) => lane[kind] !== undefined).map((kind) => KINDS[kind])
      const extras = [count(cameras, 'camera'), ...equipped, ...(lane.priority ? ['priority'] : [])]
      return row(i === 0 ? 'lanes' : '', `${id.padEnd(width)}  ${lane.direction}: ${lane.takes.join(', ')} (${extras.join(', ')})`)
    }),
    ...Object.entries(site.calling).map(([name, group], i) => row(i === 0 ? 'calling' : '', `${name}: ${callingText(group)}`)),
    row('devices', kinds.join(', ')),
    ...Object.entries(site.links).map(([id, link], i) => row(i === 0 ? 'links' : '', `${id}: ${linkText(link)}`)),
    row('broker', brokerText(site.broker)),
    ...(site.peer ? [row('peer', peerText(site.peer))] : []),
    row('uplink', site.uplink?.url ?? 'none: events stay on site'),
    row('rules', `${count(rules, 'rule')}, ${count(examples, 'example')} as expected`),
    row('config', loaded.hash),
  ]
}

function callingText({ lanes, at_once, first }: LoadedSite['site']['calling'][string]): string {
  const before = first.length > 0 ? `, ${first.join(' and ')} before others` : ''
  return `${lanes.join(', ')}: ${at_once} at a time${before}`
}

function peerText({ site, hands_over, share, broker }: NonNullable<LoadedSite['site']['peer']>): string {
  const where = broker?.url ?? "the site's broker"
  return `${site}, met at ${where}: what is cleared ${hands_over} is handed over with ${['plate', ...share].join(', ')}`
}

function linkText(link: LoadedSite['site']['links'][string]): string {
  if (link.kind === 'serial') return `${link.path}, ${link.baud} bit/s ${link.data_bits}${link.parity[0]!.toUpperCase()}${link.stop_bits}`
  if (link.kind === 'tcp') return `${link.host}:${link.port}`
  if (link.kind === 'mqtt') return link.url ?? "the site's broker"
  return 'memory (simulated)'
}

function brokerText(broker: LoadedSite['site']['broker']): string {
  if ('external' in broker) return broker.external.url
  const { host, port, users } = broker.embedded
  return `embedded, ${host}:${port}, ${users.length === 0 ? 'this machine only' : count(users.length, 'user')}`
}
