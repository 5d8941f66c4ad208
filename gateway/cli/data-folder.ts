/** Which data folder a command means: of a site file, or given itself. */
import { resolve } from 'node:path'
import { loadSite } from '../../config/load.ts'
import { openReader } from '../journal/reader.ts'
import { LuongError } from '../kernel/errors.ts'

export interface DataFolder {
  readonly dir: string
  readonly site: string
  readonly timezone: string
  readonly minFreeMb: number
  /** Hours after which lists are too old; null: not known without the site file. */
  readonly maxAgeH: number | null
}

/** @throws BAD_USAGE when neither is given, CONFIG_INVALID when the site file is wrong */
export async function dataFolder(siteFile: string | undefined, data: string | undefined): Promise<DataFolder> {
  if (siteFile !== undefined) {
    const { site } = await loadSite(siteFile)
    return {
      dir: resolve(data ?? site.data.dir),
      site: site.site.id,
      timezone: site.site.timezone,
      minFreeMb: site.data.min_free_mb,
      maxAgeH: site.lists.max_age_h,
    }
  }
  if (data === undefined)
    throw new LuongError('BAD_USAGE', 'which gateway? Neither a site file nor --data is given', {
      hint: 'Give the site file, or the data folder of the gateway with --data.',
    })
  const reader = openReader(data)
  try {
    return { dir: resolve(data), site: reader.site, timezone: reader.zone.name, minFreeMb: 16, maxAgeH: null }
  } finally {
    reader.close()
  }
}
