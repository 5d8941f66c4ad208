/** The five lanes of the demo with a quick arm, on links of the bench's choice. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { type LoadedSite, loadSite } from '../../config/load.ts'

export type LinkTree = { readonly kind: 'memory' } | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

export const LANES = ['import-1', 'import-2', 'import-3', 'export-1', 'export-2'] as const
const WIRING = resolve('config/sites/shared/kim-thanh-lanes.yaml')
/** Byte links of the five lanes: those that their devices name. */
export async function byteLinks(): Promise<readonly string[]> {
  const { devices } = parse(await readFile(WIRING, 'utf8')) as { devices: Record<string, { link?: string }> }
  return [...new Set(Object.values(devices).flatMap(({ link }) => (link === undefined || link === 'local' ? [] : [link])))]
}

/** The arm of real gates needs seconds; here it is quick, so that a run holds many commands. Nothing else is made faster. */
export const TRAVEL_MS = 600
const TIMING = { dwell_ms: 500, gap_ms: 400, identify_ms: 20_000 }

/** A folder below the temporary folder that is deleted at the end. */
export async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'luong-bench-'))
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

export interface LanesSiteOptions {
  readonly dir: string
  /** What each of {@link byteLinks} is. */
  readonly links: ReadonlyMap<string, LinkTree>
  readonly mqttPort: number
  readonly httpPort: number
}

/** Writes `site.yaml` into the folder and loads it. */
export async function lanesSite(o: LanesSiteOptions): Promise<LoadedSite> {
  const path = join(o.dir, 'site.yaml')
  await writeFile(
    path,
    stringify({
      version: 1,
      include: [WIRING],
      site: { id: 'bench', name: { vi: 'Đo', zh: '测试', en: 'Bench' } },
      links: { ...Object.fromEntries(o.links), local: { kind: 'mqtt' } },
      broker: { embedded: { host: '127.0.0.1', port: o.mqttPort } },
      http: { port: o.httpPort },
      data: { dir: join(o.dir, 'data'), min_free_mb: 16, evidence_quota_mb: 200 },
      devices: Object.fromEntries(LANES.map((id) => [`barrier-${id}`, { travel_ms: TRAVEL_MS }])),
      lanes: Object.fromEntries(LANES.map((id) => [id, { timing: TIMING }])),
      rules: [resolve('config/rules/basic.yaml')],
    }),
  )
  return loadSite(path)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await new Promise<number>((done, failed) => {
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port))
  })
  await new Promise((done) => server.close(done))
  return port
}
