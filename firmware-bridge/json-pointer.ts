/** RFC 6901: the value a JSON pointer names, undefined when there is none. */
export function at(document: unknown, pointer: string): unknown {
  let value: unknown = document
  for (const raw of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
