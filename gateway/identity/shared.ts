/** What one half of a smart gate may tell the other of a vehicle. */
import { z } from 'zod'
import { traffic } from './declaration.ts'

/** Fields of a vehicle that a site may share beside plate, direction and time. */
export const sharedFields = {
  trailer: z.string().max(16).meta({ title: 'Trailer', description: 'Plate of the trailer, as read or declared.' }),
  container: z.string().max(16).meta({ title: 'Container', description: 'Container number.' }),
  tag: z.string().max(64).meta({ title: 'Tag', description: 'EPC of its UHF tag, or the text of its code.' }),
  declaration: z.string().max(64).meta({ title: 'Declaration', description: 'Id of the declaration at the side that hands over.' }),
  traffic: traffic.meta({ title: 'Traffic class', description: 'As declared there.' }),
  goods: z.string().max(200).meta({ title: 'Goods', description: 'In words.' }),
  firm: z.string().max(120).meta({ title: 'Firm', description: 'Carrier or owner.' }),
  driver: z.string().max(120).meta({ title: 'Driver', description: 'Name or document number.' }),
  weight_kg: z.number().min(0).max(200_000).meta({ title: 'Weight', description: 'As weighed there, kg.' }),
} as const
export type SharedField = keyof typeof sharedFields
export const SHARED_FIELDS = Object.keys(sharedFields) as SharedField[]
