/** Pieces that several payloads share. */
import { z } from 'zod'

export const siteId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/)
  .meta({ title: 'Site', description: 'Site id of the configuration.' })
export const laneId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/)
  .meta({ title: 'Lane', description: 'Lane id of the configuration.' })
export const passageId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/)
  .meta({ title: 'Passage', description: 'ULID of one vehicle at one lane, from arrival to its end.' })
export const instant = z.iso.datetime({ offset: true }).meta({ title: 'Time', description: 'RFC 3339 with offset.' })
export const direction = z
  .enum(['import', 'export'])
  .meta({ title: 'Direction', description: 'import: into Vietnam; export: out of Vietnam.' })
export const hash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .meta({ title: 'Hash', description: 'SHA-256 of the configuration and rules in force: `sha256:` and 64 hex digits.' })
/** Text of one line. Without `\p{…}` in the pattern: those who read the JSON Schema may not know it. */
export const oneLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'must be one line without control characters')
/** A sentence in the three languages of the gate. */
export const sentence = z
  .strictObject({
    vi: z.string().meta({ title: 'Vietnamese', description: 'Tiếng Việt.' }),
    zh: z.string().meta({ title: 'Chinese', description: '中文.' }),
    en: z.string().meta({ title: 'English', description: 'English.' }),
  })
  .meta({ title: 'Sentence', description: 'The same sentence in Vietnamese, Chinese and English.' })
export const clockQuality = z
  .strictObject({
    synced: z.boolean().nullable().meta({ title: 'Synchronised', description: 'The wall clock follows a time server; null: unknown.' }),
    offset_ms: z.number().nullable().meta({ title: 'Offset', description: 'Estimated error of the wall clock, ms; null: unknown.' }),
    since: instant
      .optional()
      .meta({ title: 'Since', description: 'Since when the clock is like this: the start, or when it was last set.' }),
  })
  .meta({ title: 'Clock', description: 'How far the times in this message can be trusted.' })
export const why = z.string().max(500).meta({ title: 'Why', description: 'The cause, in words or as a code.' })
export const by = z.string().min(1).max(120).meta({ title: 'By', description: 'Who did it: a person, `rules`, or a system.' })
