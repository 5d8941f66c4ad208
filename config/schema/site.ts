/** The site file. The only source of its types, its documentation and its JSON Schema (`luong schema`). */
import { z } from 'zod'
import { broker, type brokerUser, uplink } from './broker.ts'
import { calling } from './calling.ts'
import { about, host, id, line, tcpPort, words } from './common.ts'
import { lane } from './lane.ts'
import { link } from './links.ts'
import { lists } from './lists.ts'
import { desk, peer } from './peer.ts'
import { lanePlan } from './plan.ts'
import { stays } from './stays.ts'

export { brokerUser } from './broker.ts'
export { pointRef, words } from './common.ts'
export { lane } from './lane.ts'
export { link, memoryLink, mqttLink, serialLink, tcpLink } from './links.ts'
export { Secret, type SecretSource, secret } from './secret.ts'

/** `driver` picks the schema of the rest: see firmware-bridge/registry.ts. Parsed a second time by that schema. */
export const device = z.looseObject({ driver: z.string().max(60).meta(about('Driver', 'Name of the driver; it decides the other keys.')) })

const path = line(1_000)
const some = (what: string) => [(o: object) => Object.keys(o).length > 0, `needs at least one ${what}`] as const

export const site = z.strictObject({
  version: z.literal(1).meta(about('Version', 'Version of this file format.')),
  include: z
    .array(path.meta(about('File', 'A file to merge in.')))
    .max(50)
    .default([])
    .meta(about('Include', 'Files merged in before this one, relative to it. Maps are merged key by key; otherwise this file wins.')),
  site: z
    .strictObject({
      id: id.meta(about('Site id', 'Part of every topic and event id.')),
      name: words.meta(about('Name', 'Name of the gate for people.')),
      timezone: z
        .string()
        .max(60)
        .refine(isTimezone, 'is not a time zone of the IANA list, e.g. Asia/Ho_Chi_Minh')
        .default('Asia/Ho_Chi_Minh')
        .meta(about('Time zone', 'IANA name, for reports and logs.')),
      root: z
        .string()
        .regex(/^[^+#\0/\s]+(?:\/[^+#\0/\s]+){0,9}$/, 'write topic levels with slashes between them, without +, # or spaces')
        .max(100)
        .default('luong/v1')
        .meta(about('Topic root', 'First part of every topic.')),
    })
    .meta(about('Site', 'Who this gate is.')),
  broker: broker.meta(about('Broker', 'The MQTT broker of the site: `embedded` or `external`.')),
  uplink: uplink.optional().meta(about('Uplink', 'The central broker that events are sent to. Absent: none.')),
  peer,
  desk,
  lists,
  stays,
  http: z
    .strictObject({
      host: host.default('127.0.0.1').meta(about('Host', 'Address to listen on.')),
      port: tcpPort(0).default(8080).meta(about('Port', 'TCP port to listen on; 0: any free one.')),
    })
    .prefault({})
    .meta(about('HTTP', 'Where /health and /metrics are served.')),
  data: z
    .strictObject({
      dir: path.default('data').meta(about('Folder', 'Journal and pictures, relative to where the program is started; `--data` wins.')),
      min_free_mb: z
        .int()
        .min(16)
        .max(1_000_000)
        .default(200)
        .meta(about('Least free space', 'With less free disk the lanes refer all vehicles.', 'MB')),
      evidence_quota_mb: z
        .int()
        .min(10)
        .max(10_000_000)
        .default(2_000)
        .meta(about('Pictures quota', 'The oldest are deleted beyond it.', 'MB')),
      evidence_days: z
        .int()
        .min(1)
        .max(3_650)
        .default(90)
        .meta(about('Pictures kept', 'Older pictures are deleted.', 'days')),
    })
    .prefault({})
    .meta(about('Data', 'What is kept on disk.')),
  plates: z
    .strictObject({
      workers: z.int().min(1).max(16).default(1).meta(about('Workers', 'Threads that read plates.')),
      queue: z.int().min(1).max(32).default(2).meta(about('Queue', 'Pictures waiting per camera; the oldest is dropped first.')),
      min_weakest: z
        .number()
        .min(0)
        .max(1)
        .default(0.6)
        .meta(about('Weakest character', 'A plate is sure only when no character is less probable than this.')),
      min_frames: z.int().min(1).max(10).default(2).meta(about('Frames', 'A plate is sure only when this many pictures agree.')),
      lookalike: z
        .boolean()
        .default(false)
        .meta(
          about(
            'Look-alikes',
            'true: a sure plate that nobody declared, one look-alike character (8 and B, 0 and D …) away from exactly one declared vehicle, may pass as that vehicle when nothing else disagrees and no detained plate is as near. false: it is referred.',
          ),
        ),
    })
    .prefault({})
    .meta(about('Plates', 'How plates are read.')),
  links: z.record(id, link).meta(about('Links', 'Serial ports, TCP connections and brokers by name.')),
  devices: z.record(id, device).meta(about('Devices', 'Boards, barriers, lights, cameras and scales by name.')),
  lanes: z
    .record(id, lane)
    .refine(...some('lane'))
    .meta(about('Lanes', 'Lanes by name; the name is part of the topics.')),
  lane_plan: lanePlan.optional(),
  calling,
  rules: z
    .array(path.meta(about('File', 'A rules file.')))
    .min(1)
    .max(50)
    .meta(about('Rules', 'Rule files in order of precedence, relative to the file this is written in.')),
})

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

export type SiteInput = z.input<typeof site>
export type Site = z.output<typeof site>
export type LaneConfig = z.output<typeof lane>
export type LinkConfig = z.output<typeof link>
export type BrokerUser = z.output<typeof brokerUser>
