/** How old declarations and lists may be. */
import { z } from 'zod'
import { about } from './common.ts'

export const lists = z
  .strictObject({
    max_age_h: z
      .number()
      .min(0.1)
      .max(8_760)
      .default(24)
      .meta(
        about(
          'Greatest age',
          'When the platform was last heard longer ago, lanes refer what they would let pass. Declarations are commonly valid for 24 to 72 hours.',
          'hours',
        ),
      ),
    fresh_by: z
      .enum(['link', 'message'])
      .default('link')
      .meta(
        about(
          'Contact',
          'link: a connection to the central broker (uplink, else an external broker) that stands is contact with the platform, and so is a message or an imported file. message: only messages (declarations, list entries, `platform`) and imported files are.',
        ),
      ),
  })
  .prefault({})
  .meta(about('Lists', 'How old declarations and lists may be before nobody passes on them.'))
