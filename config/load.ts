/** Reads a site: files → merge → migrate → parse → devices → secrets → cross-check → freeze. All problems come at once. */
import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { drivers } from '../firmware-bridge/registry.ts'
import { systemClock } from '../gateway/kernel/clock.ts'
import { didYouMean, type Problem, ProblemsError } from '../gateway/kernel/problems.ts'
import { crosscheck, type LoadedDevice, type SiteView } from './crosscheck.ts'
import { freeze, plain } from './freeze.ts'
import { type Complaint, complaints } from './issues.ts'
import { type JsonNode, type Registry, siteJsonSchema } from './json-schema.ts'
import { CURRENT_VERSION, MIGRATIONS, type Migrations, migrate } from './migrate.ts'
import { type Merged, readMerged, reason } from './origin.ts'
import { salvage } from './salvage.ts'
import { lane } from './schema/lane.ts'
import { link } from './schema/links.ts'
import { type Site, site } from './schema/site.ts'
import { isMap } from './schema-walk.ts'
import { type Environment, findSecrets, resolveSecrets } from './secrets.ts'
import { findPems, resolvePems } from './tls-files.ts'

export interface LoadOptions {
  /** Where `{env: NAME}` secrets are; default: the environment of the process. */
  readonly env?: Environment
  readonly registry?: Registry
  readonly migrations?: Migrations
  /** Wall clock, ms: which certificates are valid; default: the machine's. */
  readonly now?: () => number
}

/** A site that is known to be right in itself. Deeply frozen. */
export interface LoadedSite {
  /** Absolute path of the site file. */
  readonly path: string
  readonly site: Site
  readonly devices: ReadonlyMap<string, LoadedDevice>
  /** Absolute paths of the rule files, in order of precedence. */
  readonly rules: readonly string[]
  /** Absolute paths of the site file and all it includes: what to watch for changes, besides `rules`. */
  readonly files: readonly string[]
  /** SHA-256 over the settings in effect, defaults included, secrets left out; the same settings have the same hash wherever they are written. */
  readonly hash: `sha256:${string}`
  readonly warnings: readonly Problem[]
}

/** CONFIG_INVALID with every problem found, warnings too, in the order of the files. */
export class ConfigError extends ProblemsError {
  /** Rule files that are there, so that `luong check` can tell their problems too. */
  readonly rules: readonly string[]
  constructor(problems: readonly Problem[], rules: readonly string[] = []) {
    super('CONFIG_INVALID', problems)
    this.name = 'ConfigError'
    this.rules = rules
  }
}

/**
 * Loads a site file.
 * @throws ConfigError when it has errors; warnings alone do not keep a site from running
 */
export async function loadSite(path: string, options: LoadOptions = {}): Promise<LoadedSite> {
  const registry = options.registry ?? drivers
  const merged = await readMerged(path)
  if (merged.problems.length > 0) throw new ConfigError(merged.problems)
  const raw = migrate(merged.data, options.migrations ?? MIGRATIONS)
  const schema = siteJsonSchema(registry)
  const whole = site.safeParse(raw)
  const devices = readDevices(raw.devices, registry, { raw, schema })
  const read = whole.success ? parts(whole.data) : salvaged(raw)
  const view: SiteView = { ...read, devices: devices.devices, raw }
  const rules = ruleFiles(raw.rules, merged)
  const missing = await unreadable(rules)
  const keeping = whole.success ? whole.data : withFiles(raw, read)
  const pems = await resolvePems(findPems(keeping), merged.fileOf, (options.now ?? systemClock.now)())
  const wrong = [
    ...reserved(raw),
    ...(whole.success ? [] : complaints(whole.error.issues, { schema, data: raw }).filter(notReserved).map(newer(raw))),
    ...devices.complaints,
    ...(await resolveSecrets(findSecrets(keeping), options.env ?? process.env, merged.fileOf)),
    ...pems.filter((f) => f.severity !== 'warning'),
    ...missing,
  ]
  // Warnings about a site that is wrong in itself may be false; so may be what is said about a value already complained of.
  const told = new Set(wrong.map((c) => JSON.stringify(c.path)))
  const warned = pems.filter((f) => f.severity === 'warning')
  const found = [...crosscheck(view), ...warned].filter(
    (f) => wrong.length === 0 || (f.severity !== 'warning' && !told.has(JSON.stringify(f.path))),
  )
  const problems = [...wrong.map((c) => merged.problem(c)), ...found.map((f) => merged.problem(f, f.severity ?? 'error'))].sort((a, b) =>
    byPlace(a, b, merged.files),
  )
  if (!whole.success || problems.some((p) => p.severity === 'error')) {
    const there = rules.filter((r) => !missing.some((m) => m.path === r.path))
    throw new ConfigError(
      unique(problems),
      there.map((r) => r.file),
    )
  }
  const loaded = devices.devices as ReadonlyMap<string, LoadedDevice>
  for (const device of loaded.values()) freeze(device.settings)
  return Object.freeze({
    path: resolve(path),
    site: freeze(whole.data),
    devices: loaded,
    rules: Object.freeze(rules.map((r) => r.file)),
    files: Object.freeze([...merged.files]),
    hash: hashOf(whole.data, loaded),
    warnings: Object.freeze(unique(problems)),
  })
}

/** JavaScript's own name for something else: schemas pass over it, so it is looked for here. */
function reserved(value: unknown, path: readonly PropertyKey[] = []): Complaint[] {
  if (Array.isArray(value)) return value.flatMap((v, i) => reserved(v, [...path, i]))
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key]
    return key === '__proto__' ? [{ path: here, message: 'this name cannot be used', key: true }] : reserved(inner, here)
  })
}

const notReserved = (c: Complaint) => c.path.at(-1) !== '__proto__'

/** A file of a later version is not the technician's mistake. */
const newer =
  (raw: Record<string, unknown>) =>
  (c: Complaint): Complaint =>
    c.path.join() === 'version' && typeof raw.version === 'number' && raw.version > CURRENT_VERSION
      ? { ...c, hint: 'the file was written for a newer version of this program: update the program' }
      : c

interface Place {
  readonly raw: Record<string, unknown>
  readonly schema: JsonNode
}

/** Each device by its driver's own schema. */
function readDevices(raw: unknown, registry: Registry, { raw: data, schema }: Place) {
  const devices = new Map<string, LoadedDevice | null>()
  const found: Complaint[] = []
  for (const [id, settings] of Object.entries(isMap(raw) ? raw : {})) {
    devices.set(id, null)
    const driver = isMap(settings) ? settings.driver : undefined
    // Anything but a name is told by the site's schema.
    if (typeof driver !== 'string') continue
    const entry = registry.get(driver)
    const prefix = ['devices', id]
    if (!entry) {
      const hint = didYouMean(driver, registry.keys()) ?? `known: ${[...registry.keys()].join(', ')}`
      found.push({ path: [...prefix, 'driver'], message: `there is no driver "${driver}"`, hint })
      continue
    }
    const parsed = entry.schema.safeParse(settings)
    if (!parsed.success) found.push(...complaints(parsed.error.issues, { schema, data, prefix }))
    const readable = parsed.success ? parsed.data : salvage(entry.schema, settings)
    if (readable !== null) devices.set(id, { driver, entry, settings: readable })
  }
  return { devices, complaints: found }
}

type Parts = Omit<SiteView, 'devices' | 'raw'>

const parts = (s: Site): Parts => ({
  links: new Map(Object.entries(s.links)),
  lanes: new Map(Object.entries(s.lanes)),
  broker: s.broker,
  http: s.http,
  plan: s.lane_plan,
  calling: s.calling,
  id: s.site.id,
  peer: s.peer ?? null,
})

/** The parts of a site that is wrong somewhere, as far as they can be read. */
function salvaged(raw: Record<string, unknown>): Parts {
  const each = <T>(schema: z.ZodType<T>, map: unknown): Map<string, T | null> =>
    new Map(Object.entries(isMap(map) ? map : {}).map(([id, value]) => [id, salvage(schema, value)]))
  return {
    links: each(link, raw.links),
    lanes: each(lane, raw.lanes),
    broker: salvage(site.shape.broker, raw.broker),
    http: salvage(site.shape.http, raw.http),
    plan: salvage(site.shape.lane_plan, raw.lane_plan),
    calling: salvage(site.shape.calling, raw.calling),
    id: isMap(raw.site) && typeof raw.site.id === 'string' ? raw.site.id : null,
    peer: salvage(site.shape.peer, raw.peer) ?? null,
  }
}

/** All that may name secrets and certificates. */
function withFiles(raw: Record<string, unknown>, { links, broker, peer }: Parts): object {
  return { links: Object.fromEntries(links), broker, peer, uplink: salvage(site.shape.uplink, raw.uplink) }
}

interface RuleFile {
  readonly file: string
  readonly name: string
  readonly path: readonly PropertyKey[]
}

function ruleFiles(raw: unknown, merged: Merged): RuleFile[] {
  const names = Array.isArray(raw) ? raw : []
  return names.flatMap((name, i) => {
    const path = ['rules', i]
    return typeof name === 'string' && name !== '' ? [{ file: resolve(dirname(merged.fileOf(path)), name), name, path }] : []
  })
}

async function unreadable(rules: readonly RuleFile[]): Promise<Complaint[]> {
  const all = await Promise.all(
    rules.map(({ file, name, path }) =>
      access(file).then(
        () => [],
        (error: unknown) => [{ path, message: `${name} cannot be read: ${reason(error)}`, hint: `looked for ${file}` }],
      ),
    ),
  )
  return all.flat()
}

function byPlace(a: Problem, b: Problem, files: readonly string[]): number {
  const order = (p: Problem) => files.indexOf(resolve(p.file))
  return order(a) - order(b) || a.line - b.line || a.column - b.column
}

function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((p) => [JSON.stringify(p), p])).values()]
}

function hashOf(s: Site, devices: ReadonlyMap<string, LoadedDevice>): `sha256:${string}` {
  const settings = Object.fromEntries([...devices].map(([id, d]) => [id, d.settings]))
  const { include: _, ...rest } = s
  return `sha256:${createHash('sha256')
    .update(plain({ ...rest, devices: settings }))
    .digest('hex')}`
}
