import { readFileSync } from 'node:fs'

function read(): string {
  // Beside the sources, or one up from dist/.
  for (const up of ['../package.json', '../../package.json'])
    try {
      return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version
    } catch {}
  return '0.0.0'
}

/** Version of the program, from package.json. */
export const version = read()
