/** Where this package lies, whether it runs from source or from `dist/`: for the files that are not code. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function find(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** Absolute path of the folder that holds package.json. */
export const packageRoot: string = find()
