/** The smallest shipped site as a gateway in this process: no hardware, a broker of its own, and a centre. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { loadSite } from '../../../config/load.ts'
import { memoryLine } from '../../../firmware-bridge/transport/memory.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { Gateway } from '../../../gateway/site/gateway.ts'
import { LabelPool } from '../../harness/chaos-site.ts'

/** Not started. @param more what the site file says besides */
export async function smallSite(dir: string, more: object): Promise<Gateway> {
  const include = [resolve('config/sites/loi-mo.yaml')]
  const file = join(dir, 'site.yaml')
  writeFileSync(file, stringify({ version: 1, include, http: { port: 0 }, broker: { embedded: { port: 0 } }, ...more }))
  const line = memoryLine('cabinet', systemClock)
  const loaded = await loadSite(file, { env: {} })
  return new Gateway({ loaded, dataDir: join(dir, 'data'), log: silentLog, bytesFor: () => line.master, pool: new LabelPool() })
}
