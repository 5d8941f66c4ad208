/** Writes docs/generated/lane-table.md; part of `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { laneTable } from '../../../gateway/lane/table.ts'

/** @param dir the folder of generated docs */
export function writeLaneTable(dir: string): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'lane-table.md'), laneTable())
}
