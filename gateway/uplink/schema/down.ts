/** What comes down to a site besides declarations and list entries, and the reply. */
import { z } from 'zod'
import { direction, instant, laneId, oneLine, passageId } from './common.ts'

const base = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/)
    .meta({ title: 'Id', description: 'Unique for ever: a command whose id was seen before is not carried out again.' }),
  by: z.string().min(1).max(120).meta({ title: 'By', description: 'Name of the person or system responsible.' }),
  reason: z.string().min(1).max(300).meta({ title: 'Reason', description: 'Why, in words; recorded.' }),
  expires: instant.meta({ title: 'Expires', description: 'Not carried out after this time, RFC 3339; at most 24 hours ahead.' }),
}
const what = { title: 'Do', description: 'What is asked for.' }

export const command = z
  .discriminatedUnion('do', [
    z.strictObject({
      ...base,
      do: z.enum(['open', 'close', 'refuse', 'hold', 'close-lane', 'open-lane']).meta(what),
      lane: laneId,
      passage: passageId
        .optional()
        .meta({ title: 'Passage', description: 'The vehicle that is meant: the command is rejected when another one stands there.' }),
    }),
    z.strictObject({ ...base, do: z.literal('set-direction').meta(what), lane: laneId, direction }),
    z.strictObject({
      ...base,
      do: z.literal('set-plan').meta(what),
      plan: z
        .string()
        .min(1)
        .max(41)
        .meta({ title: 'Plan', description: 'Name of a lane plan of the site file; it holds until the schedule switches next.' }),
    }),
    z.strictObject({
      ...base,
      do: z.literal('take').meta(what),
      lane: laneId,
      passage: passageId
        .optional()
        .meta({ title: 'Passage', description: 'The referred vehicle that `by` takes: from then on nobody else decides over it.' }),
    }),
    z.strictObject({
      ...base,
      do: z.literal('message').meta(what),
      text: oneLine(500).meta({
        title: 'Text',
        description: "Hotline: to the other half's desk. The id of the command is that of the message.",
      }),
    }),
    z.strictObject({
      ...base,
      do: z.literal('acknowledge').meta(what),
      about: z.string().min(1).max(64).meta({
        title: 'About',
        description:
          "Id of the other half's message that `by` has taken note of, or of a hand-over whose vehicle is accounted for; `reason` is the answer.",
      }),
    }),
    z.strictObject({
      ...base,
      do: z.literal('resend-from').meta(what),
      from: z.int().min(1).meta({ title: 'From', description: 'First sequence to send again, byte for byte.' }),
    }),
  ])
  .meta({ title: 'Command', description: 'An order from an officer or the centre.' })
export type Command = z.output<typeof command>

export const reply = z
  .strictObject({
    id: z.string().max(64).meta({ title: 'Id', description: 'Id of the command.' }),
    ok: z.boolean().meta({ title: 'Accepted', description: 'The command was accepted and is durable.' }),
    error: z.string().max(500).optional().meta({ title: 'Error', description: 'Why it was not.' }),
  })
  .meta({ title: 'Reply', description: 'Exactly one answer to each command id.' })
export type Reply = z.input<typeof reply>

/** The platform's sign of life. */
export const platform = z
  .strictObject({
    at: instant.meta({
      title: 'At',
      description: 'Everything that was declared, listed or withdrawn by then has been published, RFC 3339. At most 15 minutes ahead.',
    }),
  })
  .meta({ title: 'Platform', description: 'The platform is there, and the lists are as it knows them.' })
