/** Pieces that the drivers' schemas share. */
import { z } from 'zod'

/** `DEVICE.POINT`, e.g. `io-1.di3`. */
export const pointRef = (title: string, description: string) =>
  z
    .string()
    .regex(/^[a-z0-9-]+\.[a-z0-9_-]+$/, 'write DEVICE.POINT, e.g. io-1.di3')
    .meta({ title, description })

/** A duration in milliseconds with a default and bounds. */
export const ms = (def: number, min: number, max: number, title: string, description: string) =>
  z.int().min(min).max(max).default(def).meta({ title, description, unit: 'ms' })

export const linkName = (description: string) => z.string().min(1).max(41).meta({ title: 'Link', description })

/** Name of a point that a device offers. */
export const pointName = z.string().regex(/^[a-z0-9_-]{1,40}$/, 'use lower-case letters, digits, _ and -')

/** How long a tag or code counts as there after its last read. */
export const holdMs = ms(
  2_000,
  200,
  60_000,
  'Hold',
  'A tag or code read again within this time is still the same presence; after it, a new one.',
)

/** A topic to publish to, or to subscribe to without wildcards. */
export const topic = (title: string, description: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^+#\u0000]+$/, 'no + or # here: name one topic')
    .meta({ title, description })

/** RFC 6901. */
export const jsonPointer = (title: string, description: string) =>
  z
    .string()
    .max(256)
    .regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer begins with /, e.g. /values/image')
    .meta({ title, description })
