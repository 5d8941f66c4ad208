/** What may be ordered of a site, by name: `do` of a command. */
export const ORDERS = [
  'open',
  'close',
  'refuse',
  'hold',
  'close-lane',
  'open-lane',
  'set-direction',
  'set-plan',
  'take',
  'message',
  'acknowledge',
  'resend-from',
] as const
export type Order = (typeof ORDERS)[number]
