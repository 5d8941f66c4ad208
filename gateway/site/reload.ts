/** What a reload may change, and what it must not. */
import type { LoadedSite } from '../../config/load.ts'
import type { Site } from '../../config/schema/site.ts'
import { ProblemsError } from '../kernel/problems.ts'
import { checkExamples } from '../rules/decide.ts'
import { loadRules, type RuleSet } from '../rules/load.ts'
import { checkRedirects } from '../rules/redirect.ts'
import { siteLanes } from './derive.ts'

/** Rules that load, agree with their own examples and send nobody in circles. Throws {@link ProblemsError} with all that is wrong. */
export async function checkedRules({ rules: files, site }: Pick<LoadedSite, 'rules' | 'site'>): Promise<RuleSet> {
  const rules = await loadRules(files)
  const problems = [...checkExamples(rules).problems, ...checkRedirects(rules, siteLanes(site))]
  if (problems.some((p) => p.severity === 'error')) throw new ProblemsError('RULES_INVALID', problems)
  return rules
}

/** The broker without what is exchanged while it runs: users, limits, and where the certificates are. */
function fixedBroker(broker: Site['broker']): unknown {
  if (!('embedded' in broker)) return broker
  const { users: _, limits: __, tls, ...fixed } = broker.embedded
  return { ...fixed, tls: tls && { host: tls.host, port: tls.port, client_certificates: tls.client_certificates } }
}

/** Parts of a lane that are exchanged while it runs. */
const LIVE = ['timing', 'takes', 'priority', 'name', 'simulation'] as const

/** Top-level keys, and lanes, whose change takes effect only with a restart. */
export function needRestart(before: LoadedSite, after: LoadedSite): string[] {
  const out: string[] = []
  const differ = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  if (differ(fixedBroker(before.site.broker), fixedBroker(after.site.broker))) out.push('broker')
  for (const key of ['site', 'uplink', 'peer', 'desk', 'calling', 'http', 'data', 'plates', 'links', 'devices'] as const)
    if (differ(before.site[key], after.site[key])) out.push(key)
  for (const id of new Set([...Object.keys(before.site.lanes), ...Object.keys(after.site.lanes)])) {
    const wiring = (lane: object | undefined) =>
      lane && Object.fromEntries(Object.entries(lane).filter(([k]) => !(LIVE as readonly string[]).includes(k)))
    if (differ(wiring(before.site.lanes[id]), wiring(after.site.lanes[id]))) out.push(`lanes.${id}`)
  }
  return out
}
