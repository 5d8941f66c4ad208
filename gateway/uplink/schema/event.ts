/**
 * Events: CloudEvents 1.0 in structured JSON mode (github.com/cloudevents/spec, with the `sequence` extension), one `data`
 * schema for each type. The objects are strict about what this program sends; later versions may add fields, so consumers
 * must ignore the ones they don't know.
 */
import { z } from 'zod'
import type { VotedPlate } from '../../identity/identity.ts'
import { by, clockQuality, direction, hash, instant, laneId, passageId, sentence, siteId, why } from './common.ts'
import { sealedHead } from './head.ts'

const probability = z.number().min(0).max(1)

/** A plate as published: {@link VotedPlate} without the alternatives. */
export const eventPlate = z
  .strictObject({
    text: z.string().max(16).meta({ title: 'Text', description: 'Plate without dots, dashes or spaces; Đ as D.' }),
    country: z.enum(['vn', 'cn']).meta({ title: 'Country', description: 'Whose grammar the plate fits.' }),
    colour: z
      .enum(['white', 'yellow', 'blue', 'green', 'red', 'black', 'unknown'])
      .meta({ title: 'Colour', description: 'Background of the plate.' }),
    lines: z.union([z.literal(1), z.literal(2)]).meta({ title: 'Lines', description: 'One or two rows of characters.' }),
    position: z.enum(['front', 'rear']).meta({ title: 'Position', description: 'Which camera saw it.' }),
    confidence: probability.meta({ title: 'Confidence', description: "Product of the characters' probabilities." }),
    weakest: probability.meta({ title: 'Weakest', description: 'Lowest probability of a character.' }),
    frames: z.int().min(0).meta({ title: 'Frames', description: 'Pictures that took part in the vote.' }),
    sure: z.boolean().meta({ title: 'Sure', description: 'Good enough to open on.' }),
  })
  .meta({ title: 'Plate', description: 'One plate after the vote over pictures.' })
export type EventPlate = z.output<typeof eventPlate>
/** Leaves the alternatives out: what of a voted plate is published. */
export const publishedPlate = ({ readings: _, ...plate }: VotedPlate): EventPlate => plate

export const eventDecision = z
  .strictObject({
    rule: z.string().meta({ title: 'Rule', description: 'Id of the rule that matched, or `default`.' }),
    outcome: z.enum(['pass', 'refuse', 'refer', 'redirect']).meta({ title: 'Outcome', description: 'Only `pass` opens.' }),
    reasons: z.array(sentence).max(32).meta({ title: 'Reasons', description: 'Why, in words for people.' }),
    config: hash,
    lane: laneId.optional().meta({ title: 'Lane', description: 'Where a redirected vehicle should go.' }),
  })
  .meta({ title: 'Decision', description: 'What the rules said, durable before the barrier moves.' })

const identity = z
  .strictObject({
    match: z
      .enum(['exact', 'near', 'lookalike', 'ambiguous', 'undeclared', 'unread'])
      .meta({ title: 'Match', description: 'How the plates fit the declarations.' }),
    candidates: z.array(z.string()).max(64).meta({ title: 'Candidates', description: 'Ids of all declarations that could be meant.' }),
    disagreements: z
      .array(
        z.strictObject({
          code: z
            .enum(['plate', 'trailer', 'weight', 'second-plate', 'tag', 'container', 'direction', 'validity'])
            .meta({ title: 'Code', description: 'What disagrees.' }),
          expected: z.string().meta({ title: 'Expected', description: 'As declared.' }),
          seen: z.string().meta({ title: 'Seen', description: 'As measured or read.' }),
        }),
      )
      .max(16)
      .meta({ title: 'Disagreements', description: 'Where declaration and lane differ.' }),
    score: probability.optional().meta({
      title: 'Agreement',
      description: 'How far everything that was both declared and seen agrees; absent without a declaration.',
    }),
    tag: z
      .enum(['same', 'other'])
      .optional()
      .meta({ title: 'Tag', description: 'The declared tag or code was seen, or only others were. Absent: none declared or none seen.' }),
  })
  .meta({ title: 'Identity', description: 'Who the vehicle is taken for.' })

/** A tag or code as published. */
const seen = (title: string, description: string, longest: number) =>
  z
    .strictObject({
      text: z.string().max(longest).meta({ title: 'Text', description: 'EPC of a tag, upper-case hex; text of a code.' }),
      reader: z.string().max(64).meta({ title: 'Reader', description: 'Device that saw it.' }),
      count: z.int().min(1).meta({ title: 'Count', description: 'How often it was read.' }),
      rssi: z
        .number()
        .nullable()
        .meta({ title: 'Signal', description: "Strongest read in the reader's own unit, more is nearer; null: not known." }),
    })
    .meta({ title, description })

const times = z
  .strictObject({
    arrived: instant.meta({ title: 'Arrived', description: 'Vehicle at the lane, RFC 3339.' }),
    identified: instant.optional().meta({ title: 'Identified', description: 'The vote was sure, or its time was up.' }),
    decided: instant.optional().meta({ title: 'Decided', description: 'The decision was durable.' }),
    opened: instant.optional().meta({ title: 'Opened', description: 'Open limit reached.' }),
    cleared: instant.optional().meta({ title: 'Cleared', description: 'The vehicle had left through the barrier.' }),
    ended: instant.optional().meta({ title: 'Ended', description: 'End of a passage that was not cleared.' }),
    duration_ms: z.number().min(0).optional().meta({ title: 'Duration', description: 'Arrival to end by the monotonic clock, ms.' }),
  })
  .meta({ title: 'Times', description: 'Stages of the passage reached so far.' })

/** In the data of every event. */
const always = {
  clock: clockQuality,
  historical: z
    .boolean()
    .meta({ title: 'Historical', description: 'Recorded after the fact, such as a passage found unfinished after a restart.' }),
}

const turn = z
  .strictObject({
    group: z.string().max(41).meta({ title: 'Group', description: 'Of lanes that lead into one place: `calling` of the site file.' }),
    first: z.boolean().meta({ title: 'First', description: 'It goes before others: perishable goods, or the agricultural mark.' }),
    overtaken: z.int().min(0).meta({ title: 'Overtaken', description: 'Vehicles that came later and were called before it.' }),
    before: z.array(laneId).max(32).meta({ title: 'Before', description: 'Lanes with vehicles that came earlier and go on waiting.' }),
    waited_s: z.number().min(0).optional().meta({ title: 'Waited', description: 'From the decision until it was called.', unit: 's' }),
  })
  .meta({ title: 'Turn', description: 'Only in *queued* and *called*: it may pass, and waits for its turn; or it is its turn.' })

export const passageData = z
  .strictObject({
    passage: passageId,
    lane: laneId,
    direction,
    outcome: z
      .enum(['cleared', 'refused', 'referred', 'redirected', 'aborted'])
      .optional()
      .meta({ title: 'Outcome', description: 'How it ended, or stands for now (referred); absent before.' }),
    plates: z.array(eventPlate).max(16).meta({ title: 'Plates', description: 'What was read, best first.' }),
    trailer: z.string().max(16).optional().meta({ title: 'Trailer', description: 'Plate of the trailer, where one was read.' }),
    declaration: z.string().max(64).nullable().meta({ title: 'Declaration', description: 'Id of the declaration matched, or null.' }),
    identity: identity.optional(),
    decision: eventDecision.optional(),
    weight_kg: z
      .number()
      .nullable()
      .meta({ title: 'Weight', description: 'Measured gross weight, kg; null: no scale or no stable value.' }),
    tags: z
      .array(seen('Tag', 'A UHF tag at the stop line.', 128))
      .max(16)
      .optional()
      .meta({ title: 'Tags', description: 'UHF tags seen, strongest first; absent when there were none.' }),
    codes: z
      .array(seen('Code', 'A QR or bar code shown at the stop line.', 4_096))
      .max(4)
      .optional()
      .meta({ title: 'Codes', description: 'Codes scanned; absent when there were none.' }),
    times,
    evidence: z
      .array(
        z.strictObject({
          path: z.string().max(300).meta({ title: 'Path', description: "Relative to the site's evidence folder." }),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .meta({ title: 'SHA-256', description: 'Of the file, hex.' }),
        }),
      )
      .max(64)
      .meta({ title: 'Evidence', description: 'Pictures kept.' }),
    turn: turn.optional(),
    ...always,
    why: why.optional(),
    by: by.optional(),
  })
  .meta({ title: 'Passage', description: 'One vehicle at one lane, as far as it is known at this event.' })

export const laneData = z
  .strictObject({
    lane: laneId,
    direction: direction.optional(),
    passage: passageId.optional(),
    ...always,
    why: why.optional(),
    by: by.optional(),
  })
  .meta({ title: 'Lane', description: 'A lane went into or out of service, failed or recovered.' })

export const planData = z
  .strictObject({
    lane: laneId,
    plan: z.string().max(41).meta({ title: 'Name', description: 'The lane plan that is being put in force.' }),
    direction: direction.meta({ title: 'Direction', description: 'That the lane shall have.' }),
    closed: z.boolean().meta({ title: 'Closed', description: 'The lane shall be out of service.' }),
    change: z.enum(['waiting', 'done', 'given-up']).meta({
      title: 'Change',
      description: 'waiting: not safe yet, `why` says for what; done; given-up: not safe in time, or overruled.',
    }),
    ...always,
    why: why.optional(),
    by: by.optional(),
  })
  .meta({ title: 'Plan', description: 'A lane changes by plan, waits to, or could not.' })

export const alarmData = z
  .strictObject({
    alarm: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,40}$/)
      .meta({ title: 'Alarm', description: 'Code, such as tailgating, wrong-way, stuck-arm, detained-vehicle.' }),
    lane: laneId.optional().meta({ title: 'Lane', description: 'Absent: an alarm of the whole site.' }),
    passage: passageId.optional(),
    plate: z.string().max(16).optional().meta({ title: 'Plate', description: 'Of the vehicle, where one is known.' }),
    device: z.string().max(64).optional().meta({ title: 'Device', description: 'Device or link concerned.' }),
    about: z.string().max(64).optional().meta({
      title: 'About',
      description: 'Which one of several: id of the hand-over or of the hotline message; `acknowledge` takes it.',
    }),
    ...always,
    why: why.optional(),
  })
  .meta({ title: 'Alarm', description: 'Something a person must look at, raised once and cleared once.' })

export const commandData = z
  .strictObject({
    id: z.string().max(64).meta({ title: 'Id', description: 'Id of the command.' }),
    do: z.string().max(32).optional().meta({ title: 'Do', description: 'What was asked for.' }),
    lane: laneId.optional(),
    passage: passageId.optional(),
    ...always,
    by: by.optional(),
    reason: z.string().max(300).optional().meta({ title: 'Reason', description: 'As the command gave it.' }),
    why: why.optional(),
  })
  .meta({ title: 'Command', description: 'A command that was carried out, or was not and why.' })

export const siteData = z
  .strictObject({
    boot: z.string().max(64).meta({ title: 'Boot', description: 'Id of this run of the program.' }),
    version: z.string().max(64).meta({ title: 'Version', description: 'Of the program.' }),
    config: hash,
    ...always,
    why: why.optional(),
    unfinished: z
      .array(passageId)
      .max(256)
      .optional()
      .meta({ title: 'Unfinished', description: 'Passages the last run left open, found at start.' }),
  })
  .meta({ title: 'Site', description: 'The program started or stopped.' })

export const clockData = z
  .strictObject({
    by_ms: z.int().meta({
      title: 'By',
      description: 'How far the wall clock was moved, ms, forward above 0; 0: it was not, only `synced` is another.',
    }),
    before: instant.meta({ title: 'Before', description: 'What the old clock would say now.' }),
    restamp: z.boolean().meta({
      title: 'Restamp',
      description:
        'true: the old clock was wrong, so every event after the last *started* or *clock set* and before this one happened `by_ms` later than it says. It stays as it was sent.',
    }),
    was: z.boolean().nullable().meta({ title: 'Was', description: '`synced` of the clock before.' }),
    ...always,
  })
  .meta({ title: 'Clock set', description: 'The wall clock was set, or it became known whether it can be trusted.' })

const sequence = z.int().min(1)
export const journalData = z
  .strictObject({
    from: sequence.meta({ title: 'From', description: 'First sequence that this journal does not hold.' }),
    to: sequence.meta({
      title: 'To',
      description:
        'Last one: that of this event less one. They were given to events that are lost, or to none; `resend-from` brings none of them.',
    }),
    head: sealedHead
      .optional()
      .meta({ title: 'Head', description: 'The last signed head that the centre had of the journal that is lost, where one was known.' }),
    key: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .meta({ title: 'Key', description: "Fingerprint of the box's key from now on: the first 16 hex digits of its SHA-256." }),
    ...always,
    by,
    reason: z.string().min(1).max(300).meta({ title: 'Reason', description: 'Why, in the words of whoever decided it.' }),
  })
  .meta({ title: 'Journal continued', description: 'An older journal was restored, and goes on above the numbers of what is lost.' })

export const peerData = z
  .strictObject({
    peer: siteId.meta({ title: 'Peer', description: 'Site id of the other half of a smart gate.' }),
    lane: laneId.optional(),
    passage: passageId.optional(),
    handover: passageId
      .optional()
      .meta({ title: 'Hand-over', description: 'Id of the hand-over: that of the passage at the side that the vehicle left.' }),
    direction: direction.optional(),
    declaration: z
      .string()
      .max(64)
      .optional()
      .meta({ title: 'Declaration', description: 'Id of the declaration, as the side that the vehicle left knows it.' }),
    plate: z.string().max(16).optional().meta({ title: 'Plate', description: 'Of the vehicle concerned.' }),
    trailer: z.string().max(16).optional().meta({ title: 'Trailer', description: 'Plate of its trailer.' }),
    differs: z
      .array(z.string().max(120))
      .max(8)
      .optional()
      .meta({ title: 'Differs', description: 'What is not as it was handed over: `trailer 24R00001 ≠ 24R09999`.' }),
    message: z.string().max(64).optional().meta({ title: 'Message', description: 'Id of a hotline message.' }),
    way: z.enum(['in', 'out']).optional().meta({ title: 'Way', description: 'in: to this side; out: to the other.' }),
    text: z.string().max(500).optional().meta({ title: 'Text', description: 'What an officer said.' }),
    ...always,
    why: why.optional(),
    by: by.optional(),
  })
  .meta({ title: 'Peer', description: 'Hand-over between the two halves of a smart gate.' })

/** Every event type that has a fixed name, with the schema of its `data`. */
export const EVENT_DATA = {
  'luong.passage.arrived.v1': passageData,
  'luong.passage.identified.v1': passageData,
  'luong.passage.decided.v1': passageData,
  'luong.passage.cleared.v1': passageData,
  'luong.passage.refused.v1': passageData,
  'luong.passage.referred.v1': passageData,
  'luong.passage.queued.v1': passageData,
  'luong.passage.called.v1': passageData,
  'luong.passage.taken.v1': passageData,
  'luong.passage.escalated.v1': passageData,
  'luong.passage.redirected.v1': passageData,
  'luong.passage.aborted.v1': passageData,
  'luong.lane.opened.v1': laneData,
  'luong.lane.closed.v1': laneData,
  'luong.lane.fault.v1': laneData,
  'luong.lane.recovered.v1': laneData,
  'luong.lane.plan.v1': planData,
  'luong.alarm.raised.v1': alarmData,
  'luong.alarm.cleared.v1': alarmData,
  'luong.command.accepted.v1': commandData,
  'luong.command.rejected.v1': commandData,
  'luong.site.started.v1': siteData,
  'luong.site.stopped.v1': siteData,
  'luong.clock.set.v1': clockData,
  'luong.journal.continued.v1': journalData,
} as const
export type EventType = keyof typeof EVENT_DATA
/** What `data` must hold for events of type `T`. */
export type EventData<T extends EventType = EventType> = z.input<(typeof EVENT_DATA)[T]>
export type PassageData = z.input<typeof passageData>

/** The CloudEvents attributes around `data`. */
const envelope = {
  specversion: z.literal('1.0').meta({ title: 'Version', description: 'Of CloudEvents.' }),
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}:[1-9][0-9]{0,15}$/)
    .meta({ title: 'Id', description: '`SITE:SEQUENCE`: the same id is the same event, byte for byte, always.' }),
  source: z
    .string()
    .regex(/^\/luong\/[a-z0-9][a-z0-9-]{0,40}(\/lane\/[a-z0-9][a-z0-9-]{0,40})?$/)
    .meta({ title: 'Source', description: '`/luong/SITE/lane/LANE`, or `/luong/SITE` for what concerns the whole site.' }),
  subject: z.string().max(128).optional().meta({ title: 'Subject', description: 'Plate, alarm code or command id.' }),
  time: instant.meta({ title: 'Time', description: 'When it happened, RFC 3339 with offset.' }),
  datacontenttype: z.literal('application/json').meta({ title: 'Content type', description: 'Of `data`.' }),
  sequence: z
    .string()
    .regex(/^[1-9][0-9]{0,15}$/)
    .meta({ title: 'Sequence', description: 'Decimal, gap-free per site over all events, survives restarts.' }),
}

const typed = <T extends string>(type: T, data: z.ZodType) =>
  z.strictObject({ ...envelope, type: z.literal(type).meta({ title: 'Type', description: data.meta()?.description ?? type }), data })

/** The whole message of one type. `luong.peer.*.v1` has one schema for all. */
export const EVENTS = Object.fromEntries(Object.entries(EVENT_DATA).map(([type, data]) => [type, typed(type, data)])) as unknown as Record<
  EventType,
  z.ZodObject
>
export const peerEvent = z.strictObject({
  ...envelope,
  type: z
    .string()
    .regex(/^luong\.peer\.[a-z][a-z-]{0,31}\.v1$/)
    .meta({ title: 'Type', description: 'Hand-over between the halves of a smart gate.' }),
  data: peerData,
})

/** Any event as published. */
export const event = z
  .union([z.discriminatedUnion('type', Object.values(EVENTS) as unknown as [z.ZodObject]), peerEvent])
  .meta({ title: 'Event', description: 'A CloudEvents 1.0 message. Consumers must ignore fields they do not know.' })

/** The schema of an event type's `data`, or null when there is no such type. */
export function eventDataSchema(type: string): z.ZodType | null {
  if (Object.hasOwn(EVENT_DATA, type)) return EVENT_DATA[type as EventType]
  return /^luong\.peer\.[a-z][a-z-]{0,31}\.v1$/.test(type) ? peerData : null
}
