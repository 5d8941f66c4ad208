/**
 * What the two halves of a smart gate say to each other. What must not be lost is numbered: each side numbers what it sends without
 * a gap, and the other one takes it once and in order. What only tells the present (hello, ack, ask, answer) is not.
 */
import { z } from 'zod'
import { type SharedField, sharedFields } from '../../identity/shared.ts'
import { direction, instant, laneId, oneLine, passageId, siteId } from './common.ts'

const streamId = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .meta({
    title: 'Stream',
    description: 'Names the numbering of one side: a new one begins where a data folder was lost or is an older one.',
  })
const number = (description: string) => z.int().min(0).max(1e12).meta({ title: 'Number', description })
const nonce = z
  .string()
  .regex(/^[0-9a-f]{8,32}$/)
  .meta({ title: 'Nonce', description: 'Of the hello that is asked or answered: an answer to an earlier one counts for less.' })
const officer = oneLine(120).meta({ title: 'By', description: 'The officer, by name.' })
const noteId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/)
  .meta({ title: 'Message', description: 'Id of a hotline message: that of the command that sent it.' })
const handoverId = passageId.meta({ title: 'Hand-over', description: 'Id of the passage that ended at the side that hands over.' })
const questionId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/)
  .meta({ title: 'Question', description: 'Id of the question.' })

const base = {
  id: z.string().min(1).max(64).meta({ title: 'Id', description: '`STREAM-NUMBER` where it is numbered, else any.' }),
  from: siteId.meta({ title: 'From', description: 'Site id of the sender.' }),
  at: instant.meta({ title: 'At', description: 'When it was sent (again), by the clock of the sender.' }),
}
const numbered = {
  ...base,
  stream: streamId,
  number: z.int().min(1).max(1e12).meta({ title: 'Number', description: 'Gap-free from 1 within the stream.' }),
}
const kind = <K extends string>(value: K, description: string) => z.literal(value).meta({ title: 'Kind', description })

const handOver = z.strictObject({
  ...numbered,
  kind: kind('hand-over', 'A vehicle has left one side for the other.'),
  handover: handoverId,
  direction,
  lane: laneId.meta({ title: 'Lane', description: 'Lane that it left by, at the sender.' }),
  left_at: instant.meta({ title: 'Left', description: 'When it was through the barrier, by the clock of the sender.' }),
  plate: z.string().max(16).optional().meta({ title: 'Plate', description: 'Plate it goes by; absent: none was read.' }),
  ...(Object.fromEntries(Object.entries(sharedFields).map(([name, field]) => [name, field.optional()])) as {
    readonly [K in SharedField]: z.ZodOptional<(typeof sharedFields)[K]>
  }),
})
const arrived = z.strictObject({
  ...numbered,
  kind: kind('arrived', 'A vehicle that was handed over stands at a lane of the sender.'),
  handover: handoverId,
  arrived_at: instant.meta({ title: 'Arrived', description: 'When, by the clock of the sender.' }),
  differs: z.array(z.string().max(120)).max(8).meta({ title: 'Differs', description: 'What is not as it was handed over.' }),
})
const missing = z.strictObject({
  ...numbered,
  kind: kind('missing', 'A vehicle that was handed over has not come in time.'),
  handover: handoverId,
})
const message = z.strictObject({
  ...numbered,
  kind: kind('message', 'Hotline: from desk to desk.'),
  message: noteId,
  by: officer,
  text: oneLine(500).meta({ title: 'Text', description: 'What is said.' }),
  written_at: instant.meta({ title: 'Written', description: 'When, by the clock of the sender.' }),
})
const acknowledged = z.strictObject({
  ...numbered,
  kind: kind('acknowledged', 'An officer has taken note of a hotline message.'),
  message: noteId,
  by: officer,
  answer: oneLine(300).meta({ title: 'Answer', description: 'What the officer says to it.' }),
})
const hello = z.strictObject({
  ...base,
  kind: kind('hello', 'I am here; what do you have of me? Every few seconds, and when the link comes back.'),
  nonce,
  stream: streamId,
})
const ack = z.strictObject({
  ...base,
  kind: kind('ack', 'What I have of you.'),
  nonce: nonce.optional(),
  own: streamId.meta({ title: 'Own stream', description: 'That of the sender.' }),
  stream: streamId.nullable().meta({ title: 'Stream', description: 'Stream of the other side that is acknowledged; null: none is known.' }),
  received: number('Last number taken from it: all up to this one are durable.'),
  gap: z.boolean().optional().meta({ title: 'Gap', description: 'A number was refused because those before it have not come.' }),
})
const ask = z.strictObject({
  ...base,
  kind: kind('ask', 'May I turn this lane? Answered at once or not at all.'),
  question: questionId,
  lane: laneId.meta({ title: 'Lane', description: "Lane of the receiver that the asker's lane leads into." }),
  direction: direction.meta({ title: 'Direction', description: 'The one that the asker wants to turn to.' }),
})
const answer = z.strictObject({
  ...base,
  kind: kind('answer', 'The answer to a question.'),
  question: questionId,
  agreed: z.boolean().meta({ title: 'Agreed', description: 'Whether it may be done.' }),
  why: z.string().max(300).optional().meta({ title: 'Why', description: 'Why not.' }),
})

export const peerMessage = z
  .discriminatedUnion('kind', [handOver, arrived, missing, message, acknowledged, hello, ack, ask, answer])
  .meta({ title: 'Peer message', description: 'From one half of a smart gate to the other. `kind` is the last part of the topic.' })
export type PeerMessage = z.output<typeof peerMessage>
export type PeerKind = PeerMessage['kind']

/** What is numbered, kept until it is acknowledged, and sent again until then. */
export type NumberedMessage = Extract<PeerMessage, { readonly number: number }>
type Without<M, K extends string> = M extends unknown ? Omit<M, K> : never
/** A numbered message without its envelope: what is to be said. */
export type PeerBody = Without<NumberedMessage, keyof typeof numbered>
/** What is not numbered, without its envelope. */
export type PeerSignal = Without<Exclude<PeerMessage, NumberedMessage>, keyof typeof base>
