/** The sealed head of the journal, published for the centre to keep. */
import { z } from 'zod'
import { instant, siteId } from './common.ts'

export const sealedHead = z
  .strictObject({
    site: siteId,
    boot: z.string().max(64).meta({ title: 'Boot', description: 'Id of the run of the program that signed.' }),
    sequence: z.int().min(0).meta({ title: 'Sequence', description: 'Of the last event at that point.' }),
    entry: z.int().min(0).meta({ title: 'Entry', description: 'Number of the last entry; inputs of lanes count as well.' }),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ title: 'Hash', description: 'Of that entry in the hash chain, hex.' }),
    at: instant,
    key: z
      .string()
      .max(200)
      .meta({ title: 'Key', description: 'Public Ed25519 key of the box: SPKI in DER, base64. A new one means a new box.' }),
    signature: z.string().max(200).meta({
      title: 'Signature',
      description: 'Ed25519 over the UTF-8 text of the JSON array ["luong.head.v1", site, boot, sequence, entry, hash, at], base64.',
    }),
  })
  .meta({ title: 'Sealed head', description: 'Where the journal stood, signed by the box.' })
export type SealedHeadMessage = z.input<typeof sealedHead>
