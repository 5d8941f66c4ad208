/**
 * Blueprint, step 1: what a site file says about the device. Copy this folder to begin a driver; see CONTRIBUTING.md.
 * Every property has a title, a description, bounds and, where it has one, a unit: they are the documentation.
 */
import { z } from 'zod'
import { linkName, ms } from '../../settings.ts'

export const settings = z.strictObject({
  driver: z
    .literal('blueprint')
    .meta({ title: 'Driver', description: 'The example device: one input and one relay that talk in lines of text.' }),
  link: linkName('The serial or TCP link the device is on.'),
  timeout_ms: ms(300, 20, 5_000, 'Time-out', 'The device must have echoed a command by then.'),
  stale_ms: ms(2_000, 100, 60_000, 'Stale', 'An input not reported for this long is unknown.'),
})
export type Settings = z.output<typeof settings>
