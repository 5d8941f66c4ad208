/** Secrets: named in the site file, never written in it, and never printed. */
import { inspect } from 'node:util'
import { z } from 'zod'
import { about, line } from './common.ts'

export type SecretSource = { readonly env: string } | { readonly file: string }

const HIDDEN = '[secret]'

/** Holds a secret so that no log, JSON or error text shows it. The loader fills it in; {@link reveal} gives it out. */
export class Secret {
  readonly source: SecretSource
  #value: string | undefined
  constructor(source: SecretSource) {
    this.source = source
  }
  /** Called once by the loader. */
  resolve(value: string): void {
    this.#value = value
  }
  /** The secret itself. Throws when the site was not loaded through `loadSite`. */
  reveal(): string {
    if (this.#value === undefined) throw new Error('secret used before it was resolved: load the site with loadSite')
    return this.#value
  }
  toString(): string {
    return HIDDEN
  }
  toJSON(): string {
    return HIDDEN
  }
  [inspect.custom](): string {
    return HIDDEN
  }
}

/** Written as `{env: NAME}` or `{file: PATH}`; parsed to a {@link Secret}. */
export const secret = z
  .union([
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'write the name of an environment variable, e.g. LUONG_UPLINK_PASSWORD')
        .meta(about('Variable', 'Environment variable that holds it.')),
    }),
    z.strictObject({ file: line(1_000).meta(about('File', 'File that holds it, relative to the file this is written in.')) }),
  ])
  .transform((source): Secret => new Secret(source))
