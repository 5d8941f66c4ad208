/** JSON Schema of the site file, for completion and checks in editors; made of the zod schemas, with the keys of each driver. */
import { z } from 'zod'
import type { DriverEntry } from '../firmware-bridge/driver.ts'
import { id } from './schema/common.ts'
import { site } from './schema/site.ts'

export type Registry = ReadonlyMap<string, DriverEntry>

/** The part of JSON Schema that ours uses. `unit` is our own word. */
export interface JsonNode {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly unit?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, JsonNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonNode
  readonly propertyNames?: JsonNode
  readonly items?: JsonNode
  readonly anyOf?: readonly JsonNode[]
  readonly oneOf?: readonly JsonNode[]
}

const cache = new WeakMap<Registry, JsonNode>()

/**
 * JSON Schema (draft-07, which all YAML editors know) of what may be written: keys with a default are not required.
 * @param registry the drivers whose settings `devices` may hold
 */
export function siteJsonSchema(registry: Registry): JsonNode {
  const known = cache.get(registry)
  if (known) return known
  const variants = [...registry.values()].map((entry) => entry.schema)
  const devices = variants.length === 0 ? site.shape.devices : z.record(id, z.union(variants)).meta(site.shape.devices.meta() ?? {})
  const schema = z.toJSONSchema(site.extend({ devices }), { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as JsonNode
  const named = {
    $id: 'urn:luong:site',
    title: 'Luồng site',
    description: 'One border gate: its links, devices, lanes and rules.',
    ...schema,
  }
  cache.set(registry, named)
  return named
}
