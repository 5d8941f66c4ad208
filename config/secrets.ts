/** Fills in the secrets of a parsed site from the environment or from files. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Complaint } from './issues.ts'
import { reason } from './origin.ts'
import { Secret } from './schema/secret.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Found<T> {
  readonly path: readonly PropertyKey[]
  readonly value: T
}

/** Every value of a class in parsed settings, with its path. */
export function findAll<T extends object>(value: unknown, type: new (...of: never[]) => T, path: readonly PropertyKey[] = []): Found<T>[] {
  if (value instanceof type) return [{ path, value }]
  if (Array.isArray(value)) return value.flatMap((v, i) => findAll(v, type, [...path, i]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, v]) => findAll(v, type, [...path, key]))
}

/** All secrets in parsed settings, with their paths. */
export const findSecrets = (value: unknown): Found<Secret>[] => findAll(value, Secret)

const MAX_LENGTH = 4_096

/**
 * Resolves secrets; answers what could not be.
 * @param fileOf the file in which the value at a path is written: `file:` is relative to it
 */
export async function resolveSecrets(
  found: readonly Found<Secret>[],
  env: Environment,
  fileOf: (path: readonly PropertyKey[]) => string,
): Promise<Complaint[]> {
  const all = await Promise.all(found.map((f) => resolveOne(f, env, fileOf)))
  return all.filter((c) => c !== undefined)
}

async function resolveOne({ path, value: secret }: Found<Secret>, env: Environment, fileOf: (path: readonly PropertyKey[]) => string) {
  const source = secret.source
  const take = (value: string, key: string, where: string) => {
    const problem = secret.problem(value)
    if (problem === null) return void secret.resolve(value)
    return { path: [...path, key], message: `${where}: ${problem}`, hint: 'make one with `luong secret hash`' }
  }
  if ('inline' in source) return
  if ('env' in source) {
    const value = env[source.env]
    if (value !== undefined && value !== '') return take(value, 'env', `the environment variable ${source.env}`)
    const what = value === undefined ? 'is not set' : 'is empty'
    return {
      path: [...path, 'env'],
      message: `the environment variable ${source.env} ${what}`,
      hint: `start with ${source.env}=… in the environment, or use {file: PATH}`,
    }
  }
  const complain = (message: string, hint: string) => ({ path: [...path, 'file'], message, hint })
  const file = resolve(dirname(fileOf(path)), source.file)
  try {
    const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    if (text === '') return complain(`the file ${source.file} is empty`, 'write the secret into it, on one line')
    if (text.length > MAX_LENGTH) return complain(`the file ${source.file} is too long for a secret`, `at most ${MAX_LENGTH} characters`)
    return take(text, 'file', `the file ${source.file}`)
  } catch (error) {
    return complain(`the file ${source.file} cannot be read: ${reason(error)}`, `looked for ${file}`)
  }
}
