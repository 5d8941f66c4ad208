/** Two boxes that both say they are the same site: what one of them says when it finds out. */
import { z } from 'zod'
import { instant, siteId, why } from './common.ts'

export const claim = z
  .strictObject({
    site: siteId,
    boot: z.string().max(64).meta({ title: 'Boot', description: 'Run of the program that says this.' }),
    state: z.enum(['asks', 'held', 'settled']).meta({
      title: 'State',
      description:
        'asks: is another box there? The one that is answers with its `status`. held: it does not speak for the site, sends no events and says ' +
        'why. settled: it does now.',
    }),
    key: z.string().max(32).meta({ title: 'Key', description: 'Fingerprint of the key that signs its heads; a copied box has the same.' }),
    sequence: z.int().min(0).meta({ title: 'Sequence', description: 'Last event in its journal.' }),
    why: why.optional(),
    at: instant,
  })
  .meta({ title: 'Claim', description: 'A box that is not sure to be the only one of its site.' })
export type Claim = z.input<typeof claim>
