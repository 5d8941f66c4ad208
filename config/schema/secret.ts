/** Secrets: named in the site file, never written in it, and never printed. */
import { inspect } from 'node:util'
import { z } from 'zod'
import { messageOf } from '../../gateway/kernel/errors.ts'
import { readPasswordHash } from '../../gateway/kernel/password-hash.ts'
import { about, line } from './common.ts'

/** `inline`: it stands in the site file itself, as only hashes may. */
export type SecretSource = { readonly env: string } | { readonly file: string } | { readonly inline: true }

const HIDDEN = '[secret]'

/** Holds a secret so that no log, JSON or error text shows it. The loader fills it in; {@link reveal} gives it out. */
export class Secret {
  readonly source: SecretSource
  readonly #problem: (value: string) => string | null
  #value: string | undefined
  /** @param problem what is wrong with a value, in words that do not repeat it; null: nothing */
  constructor(source: SecretSource, problem: (value: string) => string | null = () => null) {
    this.source = source
    this.#problem = problem
  }
  problem(value: string): string | null {
    return this.#problem(value)
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

const named = z.union([
  z.strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'write the name of an environment variable, e.g. LUONG_UPLINK_PASSWORD')
      .meta(about('Variable', 'Environment variable that holds it.')),
  }),
  z.strictObject({ file: line(1_000).meta(about('File', 'File that holds it, relative to the file this is written in.')) }),
])

/** Written as `{env: NAME}` or `{file: PATH}`; parsed to a {@link Secret}. */
export const secret = named.transform((source): Secret => new Secret(source))

/** What is wrong with a password hash, with what to do; null: nothing. */
export function passwordHashProblem(text: string): string | null {
  try {
    readPasswordHash(text)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** The PHC string itself, or where it is kept like any secret; parsed to a {@link Secret}. */
export const passwordHash = z.union([
  z
    .string()
    .max(300)
    .superRefine((text, ctx) => {
      const message = passwordHashProblem(text)
      if (message !== null) ctx.addIssue({ code: 'custom', message: `${message}: make one with \`luong secret hash\`` })
    })
    .transform((text): Secret => {
      const held = new Secret({ inline: true })
      held.resolve(text)
      return held
    }),
  named.transform((source): Secret => new Secret(source, passwordHashProblem)),
])
