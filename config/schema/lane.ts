/** A lane: where its sensors, arm, lights and cameras are, whom it takes, and how long things may take. */
import { z } from 'zod'
import { traffic } from '../../gateway/identity/declaration.ts'
import { about, id, ms, pointRef, words } from './common.ts'

const sensors = z.union([pointRef, z.array(pointRef).min(1).max(8)]).transform((v) => (typeof v === 'string' ? [v] : v))
const cameras = z.array(id.meta(about('Camera', 'Device id of a camera.'))).max(4)
const metres = (title: string, description: string) =>
  z
    .number()
    .min(-100)
    .max(100)
    .optional()
    .meta(about(title, description, 'm'))

export const lane = z
  .strictObject({
    name: words.optional().meta(about('Name', 'Name of the lane for people.')),
    direction: z.enum(['import', 'export']).meta(about('Direction', 'import: into Vietnam; export: out of Vietnam.')),
    takes: z.array(traffic).min(1).max(6).meta(about('Takes', 'Traffic classes that may use this lane.')),
    priority: z.boolean().default(false).meta(about('Priority lane', 'Agricultural priority lane.')),
    sensors: z
      .strictObject({
        approach: sensors.optional().meta(about('Approach', 'Loops before the stop line, in front of the cameras.')),
        presence: sensors.meta(about('Presence', 'Loops or photocells under the arm. The arm never closes while one is on or unknown.')),
        curtain: sensors.optional().meta(about('Curtain', 'Light curtain or photocell at the arm; also sees the drawbar of a trailer.')),
        exit: sensors.optional().meta(about('Exit', 'Loops after the arm.')),
      })
      .meta(about('Sensors', 'Inputs by place, in driving order. Several inputs at one place: any on counts as on.')),
    barrier: id.meta(about('Barrier', 'Device id of the barrier.')),
    light: id.optional().meta(about('Light', 'Device id of the traffic light.')),
    cameras: z
      .strictObject({
        front: cameras.default([]).meta(about('Front', 'Cameras that see the front plate.')),
        rear: cameras.default([]).meta(about('Rear', 'Cameras that see the rear plate.')),
      })
      .prefault({})
      .meta(about('Cameras', 'Device ids of the plate cameras.')),
    scale: id.optional().meta(about('Weighbridge', 'Device id of the scale in this lane.')),
    tag: id.optional().meta(about('Tag reader', 'Device id of the UHF tag reader at the stop line of this lane.')),
    code: id.optional().meta(about('Code scanner', 'Device id of the QR code scanner at the stop line of this lane.')),
    idle_light: z.enum(['red', 'green']).default('red').meta(about('Idle light', 'Shown while the lane is open and empty.')),
    timing: z
      .strictObject({
        debounce_on_ms: ms(40, 0, 2_000, 'Debounce on', 'An input must be on this long to count.'),
        debounce_off_ms: ms(150, 0, 5_000, 'Debounce off', 'An input must be off this long to count.'),
        identify_ms: ms(15_000, 500, 120_000, 'Identify', 'No decision in this time: the vehicle is referred.'),
        turn_ms: ms(
          240_000,
          5_000,
          3_600_000,
          'Turn',
          'Waiting for its turn (`calling`) and not called in this time: the vehicle is referred.',
        ),
        authorised_ms: ms(60_000, 5_000, 600_000, 'Authorised', 'An authorisation not used in this time lapses.'),
        arm_open_ms: ms(8_000, 500, 60_000, 'Arm opens', 'Open limit not reached in this time: fault.'),
        arm_close_ms: ms(8_000, 500, 60_000, 'Arm closes', 'Closed limit not reached in this time: fault.'),
        dwell_ms: ms(1_000, 500, 30_000, 'Dwell', 'All safety inputs clear this long before the arm may close.'),
        gap_ms: ms(2_500, 200, 30_000, 'Gap', 'Presence off this long: the vehicle is through, not its drawbar.'),
        abandoned_ms: ms(300_000, 10_000, 3_600_000, 'Abandoned', 'A vehicle standing longer raises an alarm.'),
        retry_ms: ms(1_000, 100, 60_000, 'Retry', 'Pause after a failed command.'),
        command_ttl_ms: ms(1_500, 100, 10_000, 'Command time to live', 'An open or close not on the wire by then is dropped.'),
      })
      .prefault({})
      .meta(about('Timing', 'How long things may take in this lane.')),
    simulation: z
      .strictObject({
        approach_m: metres('Approach', 'Middle of the approach loop.'),
        presence_m: metres('Presence', 'Middle of the loop under the arm.'),
        curtain_m: metres('Curtain', 'The light curtain.'),
        exit_m: metres('Exit', 'Middle of the exit loop.'),
      })
      .optional()
      .meta(about('Simulation', 'Only for `luong simulate`: where things stand along the lane, metres after the stop line.')),
  })
  .meta(about('Lane', 'One lane with one barrier.'))
